import { test as base, chromium, expect, type Page } from '@playwright/test'
import { chromiumLaunch } from '../support/browsers.ts'
import { startTabsOrigin, type TabsOrigin } from './tabs-origin.ts'
import type {} from './tabs-page.ts'

// What only Chromium's DevTools and its back/forward cache can show (FAULTS F-49, F-50, F-53, F-55).

interface Setting {
  readonly origin: TabsOrigin
  page(path?: string): Promise<Page>
}
const test = base.extend<{ setting: Setting }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  setting: async ({}, use) => {
    const origin = await startTabsOrigin()
    // Playwright switches the back/forward cache off.
    const browser = await chromium.launch({ ...chromiumLaunch, ignoreDefaultArgs: ['--disable-back-forward-cache'] })
    const context = await browser.newContext()
    await use({
      origin,
      async page(path = '/') {
        const page = await context.newPage()
        await page.goto(`${origin.url}${path}`)
        if (path === '/') await page.evaluate(() => tab.open())
        return page
      },
    })
    await browser.close()
    await origin.close()
  },
})
test.describe.configure({ timeout: 60_000 })

test('a page comes back from the back/forward cache as often as one without a cache, also when others have told meanwhile', async ({
  setting: { origin, page },
}) => {
  const other = await page()
  const ours = await page()
  const plain = await page('/plain')
  await plain.evaluate(() => {
    const shows: boolean[] = []
    addEventListener('pageshow', ({ persisted }) => shows.push(persisted))
    Object.assign(globalThis, { shows })
  })
  for (let round = 1; round <= 3; round++) {
    await ours.evaluate((path) => tab.read([path]), `/a/${round}`)
    await Promise.all([ours, plain].map((one) => one.goto(`${origin.url}/away`)))
    await other.evaluate((path) => tab.purge({ url: path }, 'hard'), `/a/${round}`)
    await other.evaluate((path) => tab.read([path]), `/b/${round}`)
    await Promise.all([ours, plain].map((one) => one.goBack({ waitUntil: 'commit' })))
  }
  const shows = await plain.evaluate(() => (globalThis as unknown as { shows: boolean[] }).shows)
  const { shows: mine, errors } = await ours.evaluate(() => tab.told())
  expect(errors).toEqual([])
  expect(mine.slice(-3)).toEqual(shows.slice(-3))
  expect(mine.slice(-3)).toEqual([true, true, true])
})

test('back from there it shows nothing that was purged meanwhile', async ({ setting: { origin, page } }) => {
  const [other, ours] = [await page(), await page()]
  expect(await ours.evaluate(() => tab.read(['/a']))).toEqual([1])
  await ours.goto(`${origin.url}/away`)
  await other.evaluate(() => tab.purge({ url: '/a' }, 'hard'))
  await ours.goBack({ waitUntil: 'commit' })
  expect(await ours.evaluate(() => tab.told().shows.at(-1))).toBe(true)
  expect(await ours.evaluate(() => tab.peek('/a') ?? 'gone')).toBe('gone')
  expect(await ours.evaluate(() => tab.read(['/a']))).toEqual([2])
})

test('a frozen tab with the flight: after lockMs one more request for all who wait (FAULTS F-55)', async ({
  setting: { origin, page },
}) => {
  const holder = await page()
  const others = await Promise.all([page(), page(), page(), page()])
  for (const one of others) await one.evaluate(() => tab.open({ deadlines: { lockMs: 3_000, diskMs: 60_000 } }))
  const release = origin.hold('/one', 'next')
  await holder.evaluate(() => tab.begin('/one'))
  await expect.poll(() => origin.asked('/one')).toBe(1)
  const devtools = await holder.context().newCDPSession(holder)
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
  const reading = Promise.all(others.map((one) => one.evaluate(() => tab.crowd('/one', 20))))
  expect(await reading).toEqual(Array(4).fill([2]))
  expect(origin.asked('/one')).toBe(2)
  release()
  await devtools.send('Page.setWebLifecycleState', { state: 'active' })
  expect(await holder.evaluate(() => tab.finish())).toEqual([1])
})
