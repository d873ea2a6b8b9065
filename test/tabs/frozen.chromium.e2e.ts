import { test as base, expect } from '@playwright/test'
import { startTabsOrigin, type TabsOrigin } from './tabs-origin.ts'
import type {} from './tabs-page.ts'

// What only Chromium's DevTools can bring about: a tab that is frozen (FAULTS F-53, F-55).

const test = base.extend<{ origin: TabsOrigin }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  origin: async ({}, use) => {
    const origin = await startTabsOrigin()
    await use(origin)
    await origin.close()
  },
})
test.describe.configure({ timeout: 60_000 })

test('a frozen tab with the flight: one more request for all who wait', async ({ context, origin }) => {
  const open = async () => {
    const page = await context.newPage()
    await page.goto(origin.url)
    await page.evaluate(() => tab.open({ deadlines: { lockMs: 3_000, diskMs: 60_000 } }))
    return page
  }
  const holder = await open()
  const others = await Promise.all([open(), open(), open(), open()])
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
