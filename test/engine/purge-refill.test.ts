import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

async function looking(count: number, more: { cacheControl?: string } = {}) {
  const world = harness()
  const { cache, origin } = world
  for (let index = 0; index < count; index++) {
    const cacheControl = more.cacheControl ?? 'max-age=600, stale-while-revalidate=600'
    origin.serves(`/${index}`, { cacheControl, etag: '"v1"', json: index, headers: { 'cache-tag': 'all' } })
    await cache.json(`/${index}`)
  }
  await cache.settled()
  const before = origin.requests.length
  /** When each was asked for anew, in milliseconds from now on. */
  const start = world.clock.now()
  const askedAt = () => origin.requests.slice(before).map(({ at, path }) => ({ path, at: at - start }))
  return { ...world, askedAt }
}

describe('a purge with a spread', () => {
  test('reads anew what is subscribed to, and nothing else', async () => {
    const { cache, clock, askedAt } = await looking(3)
    cache.subscribe('/1', () => {})
    cache.subscribe('/1', () => {})
    await cache.purge({ tag: 'all' }, { spreadMs: 0 })
    await clock.settle()
    expect(askedAt()).toEqual([{ path: '/1', at: 0 }])
  })

  test.each(['soft', 'hard'] as const)('spreads what it reads over the window (%s)', async (mode) => {
    const { cache, clock, askedAt } = await looking(40)
    for (let index = 0; index < 40; index++) cache.subscribe(`/${index}`, () => {})
    await cache.purge({ tag: 'all' }, { mode, spreadMs: 10_000 })
    await clock.advance(10_000)
    const at = askedAt().map((one) => one.at)
    expect(at).toHaveLength(40)
    for (const quarter of [0, 1, 2, 3])
      expect(at.filter((one) => Math.floor(one / 2500) === quarter).length).toBeGreaterThan(3)
  })

  test('says so in its event, so that who listens need not read', async () => {
    const { cache, events } = await looking(1)
    const heard: unknown[] = []
    cache.subscribe('/0', (event) => event.type === 'purged' && heard.push(event))
    await cache.purge({ tag: 'all' }, { spreadMs: 5000 })
    await cache.purge({ tag: 'all' })
    expect(heard).toMatchObject([{ mode: 'soft', spreadMs: 5000 }, { mode: 'soft' }])
    expect(heard[1]).not.toHaveProperty('spreadMs')
    expect(events.filter(({ type }) => type === 'purged')).toEqual(heard)
  })

  test('leaves alone what nobody looks at any more, and what another purge is about', async () => {
    const { cache, clock, askedAt } = await looking(2)
    cache.subscribe('/0', () => {})()
    cache.subscribe('/1', () => {})
    await cache.purge({ url: '/0' }, { spreadMs: 0 })
    await cache.purge({ tag: 'other' }, { spreadMs: 0 })
    await clock.settle()
    expect(askedAt()).toEqual([])
  })

  test('asks for nothing after the partition was left, or the cache closed', async () => {
    const { cache, clock, askedAt } = await looking(1)
    cache.subscribe('/0', () => {})
    await cache.purge({ all: true }, { spreadMs: 10_000 })
    await cache.setPartition('mara')
    await clock.advance(10_000)
    expect(askedAt()).toEqual([])
  })

  test('tells of what fails, and rejects nothing', async () => {
    const { cache, origin, events } = await looking(1, { cacheControl: 'max-age=60' })
    cache.subscribe('/0', () => {})
    origin.fails('/0', 'network')
    await cache.purge({ all: true }, { mode: 'hard', spreadMs: 0 })
    await cache.settled()
    expect(events.some(({ type }) => type === 'failed')).toBe(true)
  })
})

test('without a spread nothing is read before somebody asks', async () => {
  const { cache, clock, askedAt } = await looking(1)
  cache.subscribe('/0', () => {})
  await cache.purge({ tag: 'all' })
  await clock.advance(60_000)
  expect(askedAt()).toEqual([])
})
