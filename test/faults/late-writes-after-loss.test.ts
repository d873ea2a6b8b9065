import { expect, test } from 'vitest'
import { profile } from './database-harness.ts'

// FAULTS F-59: purge numbers alone would start again in a new database, and what was asked for before a purge of the old one would look newer than it is.

test.each(['soft', 'hard'] as const)(
  'a %s purge, then the database is lost and reborn, then the answer to a request from before comes: it is never used as fresh',
  async (mode) => {
    const world = await profile()
    const page = world.open()
    await page.cache.json('/first')
    await page.cache.settled()
    const held = world.origin.hold('/late')
    const late = page.cache.json('/late')
    await world.clock.settle()
    await page.cache.purge({ all: true }, { mode })
    await world.database.lose({ forget: true })
    // Another tab is the first in the new database, and counts from nothing.
    const other = world.open()
    await other.cache.json('/other')
    await other.cache.settled()
    held.release()
    await late
    await page.cache.settled()

    const asked = () => world.origin.requests.filter(({ path }) => path === '/late').length
    expect(asked()).toBe(1)
    for (const one of [page, other, world.open()]) {
      await one.cache.json('/late')
      await one.cache.settled()
    }
    expect(asked()).toBeGreaterThan(1)
  },
)
