import { test as base, expect } from '@playwright/test'
import { startTabsOrigin, type TabsOrigin } from './tabs-origin.ts'
import type {} from './tabs-page.ts'

// A read in flight when a purge happens in another tab (FAULTS F-56, F-58), time and again at moments as they come: a hundred times, and a thousand in the whole check.

const test = base.extend<{ origin: TabsOrigin }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  origin: async ({}, use) => {
    const origin = await startTabsOrigin()
    await use(origin)
    await origin.close()
  },
})
test.describe.configure({ timeout: 600_000 })

const ROUNDS = Number(process.env.RACE_ROUNDS ?? 100)

test('the old body is never served as new, neither where it was purged nor in the other tab', async ({
  context,
  origin,
}) => {
  const [reader, purger] = await Promise.all([context.newPage(), context.newPage()])
  for (const page of [reader, purger]) {
    await page.goto(origin.url)
    await page.evaluate(() => tab.open({ deadlines: { diskMs: 60_000, lockMs: 60_000 } }))
  }
  await purger.evaluate(() => tab.hearRival())
  const reading = reader.evaluate((rounds) => tab.readAll(rounds), ROUNDS)
  const late = await purger.evaluate((rounds) => tab.purgeAll(rounds), ROUNDS)
  expect(late).toEqual([])
  expect(await reading).toEqual([])
  for (const page of [reader, purger]) expect((await page.evaluate(() => tab.told())).errors).toEqual([])
})
