import { expect, test } from 'vitest'
import { harness } from './harness.ts'

// The queue of background work is one for all who use a browser in turn (DESIGN 12, law 5).

const paths = Array.from({ length: 6 }, (_, index) => `/item/${index}`)

/** A cache that has asked for all paths, and whose next read of each refreshes it. */
async function withStale() {
  const world = harness({ earlyExpiry: false, partition: 'anna' })
  const { cache, origin, clock } = world
  origin.serves('/*', ({ seq }) => ({ cacheControl: 'max-age=60, stale-while-revalidate=600', json: { seq } }))
  const readAll = () => Promise.all(paths.map((path) => cache.json(path)))
  await readAll()
  await clock.advance(90_000)
  return { ...world, readAll }
}

test('what waited for its turn when a user left is not asked for in the name of the next one', async () => {
  const { cache, origin, clock, readAll } = await withStale()
  const hold = origin.hold('/*')
  await readAll()
  await clock.settle()
  expect(hold.waiting).toBe(2)
  await cache.setPartition('ben')
  hold.release()
  await cache.settled()
  expect(origin.requests).toHaveLength(paths.length + 2)
})

test('what waited for one user keeps nothing of the next one from being refreshed', async () => {
  const { cache, origin, clock, readAll } = await withStale()
  const hold = origin.hold('/*')
  await readAll()
  await clock.settle()
  await cache.setPartition('ben')
  hold.release()
  await readAll()
  await clock.advance(90_000)
  const before = origin.requests.length
  // In the very moment in which another one has left as much in the queue.
  await readAll()
  await cache.settled()
  expect(origin.requests.slice(before).map(({ path }) => path)).toEqual(paths)
})
