import { expect, test } from 'vitest'
import { createWorld, type World } from '../../src/testing/index.ts'

// Who waits for another context waits for what comes to lie on the shared disk: where that fails there is nothing to wait for (DESIGN 12, law 6).

const FLIGHT_MS = 1_000
const DISK_MS = 50

/** When each of five tabs that ask for `/a` in the same moment has its answer, in milliseconds. */
async function waits({ tabs, origin, clock }: World): Promise<number[]> {
  origin.serves('/a', async () => {
    await clock.sleep(FLIGHT_MS)
    return { cacheControl: 'max-age=60', body: 'a' }
  })
  const start = clock.now()
  const ends = tabs.map(async ({ cache }) => {
    await (await cache.fetch('/a')).text()
    return clock.now() - start
  })
  for (let turn = 0; turn < 800; turn++) await clock.advance(10)
  return Promise.all(ends)
}

test.each([
  ['open', 'SecurityError'],
  ['open', 'hang'],
  ['transaction', 'InvalidStateError'],
  ['commit', 'QuotaExceededError'],
] as const)('a disk that fails at each %s (%s) delays no tab beyond diskMs', async (at, fault) => {
  const world = await createWorld({ tabs: 5 })
  for (let nth = 1; nth <= 500; nth++) world.database.inject({ at, fault, nth })
  // The database begins to open with the cache, so the faults are there before it.
  for (const tab of world.tabs) tab.reload()
  const all = await waits(world)
  expect(Math.max(...all)).toBeLessThanOrEqual(FLIGHT_MS + DISK_MS)
})

test('a disk that hangs while it is written costs who waits one flight more, however many they are', async () => {
  const world = await createWorld({ tabs: 5 })
  world.origin.serves('/b', { cacheControl: 'max-age=60', body: 'b' })
  for (const { cache } of world.tabs) {
    await (await cache.fetch('/b')).text()
    await world.clock.settle()
  }
  world.database.inject({ at: 'commit', fault: 'hang' })
  const all = await waits(world)
  expect(Math.max(...all)).toBeLessThanOrEqual(2 * FLIGHT_MS + DISK_MS)
})

test('what is too large to be stored is told to who waits, so that they do not load it one after another (hit-for-miss)', async () => {
  const world = await createWorld({ tabs: 5, cache: { disk: { maxEntryBytes: 10 }, memory: { maxEntryBytes: 10 } } })
  const { tabs, origin, clock } = world
  origin.serves('/large', { cacheControl: 'max-age=60', body: 'x'.repeat(100) })
  const held = origin.hold('/large')
  const reading = tabs.map(async ({ cache }) => (await cache.fetch('/large')).text())
  await clock.settle()
  const again = origin.hold('/large')
  held.release()
  await clock.settle()
  expect(origin.requests).toHaveLength(5)
  again.release()
  await clock.settle()
  expect(await Promise.all(reading)).toHaveLength(5)
})
