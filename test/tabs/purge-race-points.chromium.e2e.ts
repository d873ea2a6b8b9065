import { test as base, expect } from '@playwright/test'
import { startRaceOrigin } from './race-origin.ts'
import type {} from './race-page.ts'
import { places, points, type Round, selections } from './race-points.ts'

// A read in flight when the purge happens, at each of the seven points of FAULTS F-56, for each selector, soft and hard, where the purge is made, in another tab and in the worker (F-58). In the whole
// check more than a thousand reads for each point and selector, and for each point and place; in every run twelve for each of all three.

/** How many purges there are for each point, place and selector, and how many reads each of them meets. */
const [PURGES, READS] = process.env.RACE_ROUNDS ? [8, 42] : [4, 3]

const modes = ['soft', 'hard'] as const

const test = base.extend<{ url: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants a pattern
  url: async ({}, use) => {
    const origin = await startRaceOrigin()
    await use(origin.url)
    await origin.close()
  },
})
test.describe.configure({ timeout: 600_000 })
// It would write down each of very many requests.
test.use({ trace: 'off' })

for (const place of places) {
  test(`reads in ${place} are never stored or served as new when a purge meets them, at whichever point`, async ({
    context,
    url,
  }) => {
    const [purger, other] = await Promise.all([context.newPage(), context.newPage()])
    for (const [page, name] of [
      [purger, 'tab 1'],
      [other, 'tab 2'],
    ] as const) {
      await page.goto(url)
      await page.evaluate((name) => racing.open(name), name)
    }
    if (place === 'the worker') await purger.evaluate(() => racing.register())
    for (const point of points) {
      for (const selection of selections) {
        const rounds = Array.from(
          { length: PURGES },
          (_, index): Round => ({
            point,
            place,
            selection,
            count: READS,
            mode: modes[index % 2] as (typeof modes)[number],
            early: index % 4 < 2,
          }),
        )
        expect(await purger.evaluate((rounds) => racing.race(rounds), rounds), `${point}, ${selection}`).toEqual([])
      }
    }
    for (const page of [purger, other]) expect(await page.evaluate(() => racing.reports())).toEqual([])
  })
}
