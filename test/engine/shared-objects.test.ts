import { describe, expect, test } from 'vitest'
import { createCache as createCheckedCache } from '../../src/index.development.ts'
import { type CacheEvent, createCache } from '../../src/index.ts'
import { scriptedOrigin, seededRandom, virtualClock } from '../../src/testing/index.ts'

// Hits of one moment share their decision, its numbers and the event that is told of it. Who is given them writes into what is its own (law 9).

const opened = (create = createCache) => {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  origin.serves('/a', { cacheControl: 'max-age=60', body: '{"a":1}' })
  const cache = create({
    store: 'memory',
    fetch: origin.fetch,
    clock,
    random: seededRandom(1),
    base: origin.url,
    earlyExpiry: { phase: 0 },
  })
  return cache
}

test('what a listener writes into an event is not counted for the next hit', async () => {
  const cache = opened()
  cache.on((event) => event.type === 'answered' && Object.assign(event, { cause: 'method', bytesSaved: 1_000_000 }))
  for (let hit = 0; hit < 4; hit++) await cache.json('/a')
  expect(cache.stats()).toMatchObject({ requests: 4, hits: 3, misses: 1, bytesSaved: 3 * 7 })
})

test('what a listener writes into its numbers is no Age of the next hit', async () => {
  const cache = opened()
  await cache.json('/a')
  cache.on((event) => event.type === 'answered' && event.numbers && Object.assign(event.numbers, { ageMs: 7_000 }))
  for (let hit = 0; hit < 2; hit++) await cache.json('/a')
  expect((await cache.fetch('/a')).headers.get('age')).toBe('0')
})

test('in development nobody can write', async () => {
  const cache = opened(createCheckedCache)
  const seen: CacheEvent[] = []
  cache.on((event) => seen.push(event))
  for (let hit = 0; hit < 2; hit++) await cache.json('/a')
  expect(seen.filter(({ type }) => type === 'answered').map(Object.isFrozen)).toEqual([true, true])
})

describe.each([
  ['production', createCache],
  ['development', createCheckedCache],
])('what explain() gives is the caller’s own: %s', (_, create) => {
  test('numbers that are rounded for a page are not those of the next hit (RFC 9111 §5.1)', async () => {
    const cache = opened(create)
    await cache.json('/a')
    const { numbers } = await cache.explain('/a')
    Object.assign(numbers ?? {}, { ageMs: 7_000 })
    expect((await cache.fetch('/a')).headers.get('age')).toBe('0')
  })

  test('a candidate’s epoch that is written to does not outlive a purge (law 2)', async () => {
    const cache = opened(create)
    await cache.json('/a')
    const { candidates } = await cache.explain('/a')
    Object.assign(candidates[0]?.epoch ?? {}, { number: 1_000 })
    await cache.purge({ url: '/a' }, { mode: 'hard' })
    expect(cache.peek('/a')).toBeUndefined()
  })
})
