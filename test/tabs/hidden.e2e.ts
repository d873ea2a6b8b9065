import { test as base, expect, type Page } from '@playwright/test'
import { startTabsOrigin, type TabsOrigin } from './tabs-origin.ts'
import type {} from './tabs-page.ts'

// Work that nobody waits for is left to a tab that is seen (DESIGN 7): the world shows it for every combination, this one over real tabs.

const test = base.extend<{ origin: TabsOrigin }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  origin: async ({}, use) => {
    const origin = await startTabsOrigin()
    await use(origin)
    await origin.close()
  },
})

const refreshes = (page: Page) => page.evaluate(() => tab.told().types.filter((type) => type === 'refreshing').length)

test('a tab that nobody looks at shows what is stale, and the visible one refreshes it for both', async ({
  context,
  origin,
}) => {
  const open = async () => {
    const page = await context.newPage()
    await page.goto(origin.url)
    const rules = [{ match: '/behind', maxAgeMs: 0, staleWhileRevalidateMs: 600_000, override: true }]
    await page.evaluate((rules) => tab.open({ rules }), rules)
    return page
  }
  const [covered, visible] = [await open(), await open()]
  // No browser without a screen hides a tab (tried in Chromium: another one in front, focus emulation off, a minimized window): the page is told what a browser with one tells it.
  await covered.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' })
    document.dispatchEvent(new Event('visibilitychange'))
  })

  expect(await covered.evaluate(() => tab.read(['/behind']))).toEqual([1])
  await covered.evaluate(() => tab.settled())
  expect(await covered.evaluate(() => tab.read(['/behind', '/behind']))).toEqual([1, 1])
  await covered.evaluate(() => tab.settled())
  expect([await refreshes(covered), origin.asked('/behind')]).toEqual([0, 1])

  expect(await visible.evaluate(() => tab.read(['/behind']))).toEqual([1])
  await visible.evaluate(() => tab.settled())
  await expect.poll(() => covered.evaluate(() => tab.peek('/behind'))).toBe(2)
  expect([await refreshes(covered), await refreshes(visible), origin.asked('/behind')]).toEqual([0, 1, 2])
})
