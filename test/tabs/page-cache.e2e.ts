import { expect, type Page } from '@playwright/test'
import { test as base } from '../support/back-forward-cache.ts'
import { startTabsOrigin, type TabsOrigin } from './tabs-origin.ts'
import type {} from './tabs-page.ts'

// What only a real back/forward cache can show (FAULTS F-49, F-50; HTML, session history).

/** Chromium says what kept a page from coming back as it was (HTML, `notRestoredReasons`). */
const reasonsOf = (page: Page) =>
  page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation') as Array<{ readonly notRestoredReasons?: unknown }>
    return JSON.stringify(entry?.notRestoredReasons ?? 'no reasons')
  })

interface Setting {
  readonly origin: TabsOrigin
  page(path?: string): Promise<Page>
  /** Away from a page, and back; others do something meanwhile. Whether it came as it was. */
  away(pages: readonly Page[], meanwhile?: () => Promise<unknown>): Promise<boolean[]>
}
const test = base.extend<{ setting: Setting }>({
  setting: async ({ context }, use) => {
    const origin = await startTabsOrigin()
    await use({
      origin,
      async page(path = '/') {
        const page = await context.newPage()
        await page.goto(`${origin.url}${path}`)
        if (path === '/') await page.evaluate(() => tab.open())
        return page
      },
      async away(pages, meanwhile) {
        for (const page of pages) {
          await page.evaluate(() => {
            window.isAsItWas = true
          })
          await page.goto(`${origin.url}/away`)
        }
        await meanwhile?.()
        return Promise.all(
          pages.map(async (page) => {
            // A load event that never comes is waited for by Playwright's own way back.
            await page.evaluate(() => void setTimeout(() => history.back()))
            await expect.poll(() => page.evaluate(() => location.pathname).catch(() => '/away')).not.toBe('/away')
            // What a page has in memory tells, whether or not it has heard of its return yet.
            const cameBack = await page.evaluate(() => window.isAsItWas === true)
            if (!cameBack) console.log(`${page.url()} was loaded anew: ${await reasonsOf(page)}`)
            return cameBack
          }),
        )
      },
    })
    await origin.close()
  },
})
test.describe.configure({ timeout: 120_000 })

declare global {
  interface Window {
    isAsItWas?: boolean
  }
}
const errorsOf = async (page: Page) => (await page.evaluate(() => tab.told())).errors

test('a page comes back as often as one without a cache, also when others have told meanwhile', async ({
  setting: { page, away },
}) => {
  const [other, ours, plain] = [await page(), await page(), await page('/plain')]
  for (let round = 1; round <= 3; round++) {
    await ours.evaluate((path) => tab.read([path]), `/a/${round}`)
    // A transaction of the moment keeps a page out, as a request does. Locks and channels are let go of.
    await ours.evaluate(() => tab.settled())
    const cameBack = await away([ours, plain], async () => {
      await other.evaluate((path) => tab.purge({ url: path }, 'hard'), `/a/${round}`)
      await other.evaluate((path) => tab.read([path]), `/b/${round}`)
    })
    expect(cameBack).toEqual([true, true])
  }
  expect(await errorsOf(ours)).toEqual([])
})

test('so does one that leaves in the middle of a request, which others wait for, or that waits for another one', async ({
  setting: { origin, page, away },
}) => {
  const [ours, waiting, plain] = [await page(), await page(), await page('/plain')]
  const release = origin.hold('/one', 'next')
  await ours.evaluate(() => tab.begin('/one'))
  await expect.poll(() => origin.asked('/one')).toBe(1)
  await waiting.evaluate(() => tab.begin('/one'))
  const releasePlain = origin.hold('/two', 'next')
  await plain.evaluate(() => void fetch('/two').catch(() => {}))
  await expect.poll(() => origin.asked('/two')).toBe(1)
  const other = await page()
  await other.evaluate(() => tab.read(['/b']))
  let theirs: Promise<number[]> | undefined
  const [hasWaited, cameBack, plainCameBack] = await away([waiting, ours, plain], async () => {
    // The request of a page that is away may have been cut off: one more is what it costs.
    theirs = other.evaluate(() => tab.crowd('/one', 20))
    expect(await theirs).toHaveLength(1)
  })
  expect(origin.asked('/one')).toBe(2)
  expect([cameBack, hasWaited]).toEqual([plainCameBack, plainCameBack])
  release()
  releasePlain()
  if (cameBack) {
    expect(await waiting.evaluate(() => tab.finish())).toEqual(await theirs)
    expect(await ours.evaluate(() => tab.finish())).toHaveLength(1)
  }
  expect(origin.asked('/one')).toBe(2)
})

test('back from there it shows nothing that was purged meanwhile', async ({ setting: { page, away } }) => {
  const [other, ours] = [await page(), await page()]
  expect(await ours.evaluate(() => tab.read(['/a']))).toEqual([1])
  await ours.evaluate(() => tab.settled())
  expect(await away([ours], () => other.evaluate(() => tab.purge({ url: '/a' }, 'hard')))).toEqual([true])
  expect(await ours.evaluate(() => tab.peek('/a') ?? 'gone')).toBe('gone')
  expect(await ours.evaluate(() => tab.read(['/a']))).toEqual([2])
})
