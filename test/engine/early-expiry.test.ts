import { describe, expect, test } from 'vitest'
import { installShare } from '../../src/http/early-expiry.ts'
import type { CacheOptions } from '../../src/index.ts'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** The draw that refreshes when no more than `ratio` × βδ is left: −ln(1 − draw) = ratio. */
const drawing = (ratio: number) => () => 1 - Math.exp(-ratio)

/** A cache that has `/price` as version 1, and draws as told. */
async function withStored(response: ScriptedResponse, options: CacheOptions = {}, tookMs = response.delayMs ?? 0) {
  const world = harness({ earlyExpiry: { phase: 0 }, ...options })
  world.origin.serves('/price', ({ seq }) => ({ cacheControl: 'max-age=100', body: `v${seq}`, ...response }))
  const reading = text(world.cache.fetch('/price'))
  await world.clock.advance(tookMs)
  await reading
  await world.cache.settled()
  return world
}

/** How often the origin is asked by a read so long before expiry; expiry counts from the sending of the request (RFC 9111 §4.2.3). */
async function readsAt(world: Awaited<ReturnType<typeof withStored>>, before: number): Promise<string | undefined> {
  const { ageMs = 0, lifetimeMs = 0 } = (await world.cache.explain('/price')).numbers ?? {}
  await world.clock.advance(lifetimeMs - ageMs - before)
  await text(world.cache.fetch('/price'))
  return causes(world.events).at(-1)
}

describe('δ is what the last revalidation took', () => {
  test('until the first, the fetch that stored it, to the end of its body', async () => {
    const world = await withStored(
      { delayMs: 500, body: 'abc', fault: 'drip', dripMs: 500 },
      { random: drawing(1) },
      2_000,
    )
    expect(await readsAt(world, 2_001)).toBe('fresh')
    expect(await readsAt(world, 2_000)).toBe('early-refresh')
  })

  test('a 304 by itself: no mean with the fetch before it, and the next 200 by itself, too', async () => {
    const world = await withStored({ delayMs: 4_000, etag: '"1"' }, { random: drawing(1) })
    expect(await readsAt(world, 4_001)).toBe('fresh')
    world.origin.serves('/price', { cacheControl: 'max-age=100', etag: '"1"', delayMs: 100 })
    expect(await readsAt(world, 4_000)).toBe('early-refresh')
    await world.clock.advance(100)
    await world.cache.settled()
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'freshened' }))
    expect(await readsAt(world, 101)).toBe('fresh')
    world.origin.serves('/price', { cacheControl: 'max-age=100', etag: '"2"', body: 'other', delayMs: 1_000 })
    expect(await readsAt(world, 100)).toBe('early-refresh')
    await world.clock.advance(1_000)
    await world.cache.settled()
    expect(await readsAt(world, 1_001)).toBe('fresh')
    expect(await readsAt(world, 1_000)).toBe('early-refresh')
  })

  test('a HEAD says nothing of it', async () => {
    const world = await withStored({ delayMs: 100, etag: '"1"' }, { random: drawing(1) })
    world.origin.serves('HEAD /price', { cacheControl: 'max-age=100', etag: '"1"', body: 'v1', delayMs: 9_000 })
    const head = world.cache.fetch('/price', { method: 'HEAD', cache: 'no-cache' })
    await world.clock.advance(9_000)
    await head
    await world.cache.settled()
    expect(await readsAt(world, 101)).toBe('fresh')
  })

  test('time that the machine slept meanwhile does not count, where a steady clock shows it', async () => {
    const world = await withStored({ delayMs: 200, etag: '"1"' }, { random: drawing(1) })
    const reading = text(world.cache.fetch('/price', { cache: 'no-cache' }))
    await world.clock.settle()
    world.clock.set(world.clock.now() + 20_000)
    await world.clock.advance(200)
    await reading
    expect(await readsAt(world, 201)).toBe('fresh')
    expect(await readsAt(world, 200)).toBe('early-refresh')
  })

  test('it is kept on disk, for the next page', async () => {
    const world = await withStored({ delayMs: 700 })
    const [{ stored }] = (await world.cache.dehydrate()).responses as unknown as [{ stored: { delta: number } }]
    expect(stored.delta).toBe(700)
  })
})

describe('an early refresh', () => {
  test('of a thousand reads at one moment is one request, and all are answered at once', async () => {
    const world = await withStored({ delayMs: 500 }, { random: drawing(50) })
    await world.clock.advance(90_000)
    const reads = await Promise.all(Array.from({ length: 1_000 }, () => text(world.cache.fetch('/price'))))
    expect(new Set(reads)).toEqual(new Set(['v1']))
    await world.clock.settle()
    expect(world.origin.requests).toHaveLength(2)
    // Who reads while it is under way has nothing to do with it.
    expect(causes(world.events).filter((cause) => cause === 'early-refresh')).toHaveLength(1)
    await world.clock.advance(500)
    await world.cache.settled()
    expect(await text(world.cache.fetch('/price'))).toBe('v2')
  })

  test.each([
    ['no connection', { fault: 'network' }],
    ['503', { status: 503 }],
    ['a body that breaks off', { fault: 'reset', cacheControl: 'max-age=100', body: 'half of it' }],
  ] as const)(
    'that fails (%s) leaves the response fresh, and is not tried again before a backoff',
    async (_, failure) => {
      const world = await withStored({ delayMs: 500 }, { random: drawing(50) })
      world.origin.serves('/price', failure)
      await world.clock.advance(90_000)
      expect(await text(world.cache.fetch('/price'))).toBe('v1')
      await world.cache.settled()
      await world.clock.advance(1)
      expect(await text(world.cache.fetch('/price'))).toBe('v1')
      expect(causes(world.events).slice(-2)).toEqual(['early-refresh', 'fresh'])
      expect(world.origin.requests).toHaveLength(2)
      await world.clock.advance(5_000)
      expect(await text(world.cache.fetch('/price'))).toBe('v1')
      await world.cache.settled()
      expect(causes(world.events).at(-1)).toBe('early-refresh')
      expect(world.origin.requests).toHaveLength(3)
    },
  )

  test('is not made, nor drawn for, while the origin is known to be ill (DESIGN 8)', async () => {
    const world = await withStored({ delayMs: 500 }, { random: drawing(50) })
    world.origin.fails('*', 'network')
    for (const path of ['/x', '/y', '/x', '/y', '/x']) {
      const failing = world.cache.fetch(path).catch(() => {})
      await world.clock.advance(500)
      await failing
    }
    const asked = world.origin.requests.length
    expect(await readsAt(world, 10_000)).toBe('fresh')
    expect(world.origin.requests).toHaveLength(asked)
    world.origin.recovers()
    await text(world.cache.fetch('/z'))
    expect(await readsAt(world, 9_000)).toBe('early-refresh')
  })

  test.each([
    ['force-cache', { cache: 'force-cache' }],
    ['only-if-cached', { headers: { 'cache-control': 'only-if-cached' } }],
  ] as const)('is never made for %s', async (_, init) => {
    const world = await withStored({ delayMs: 500 }, { random: drawing(50) })
    await world.clock.advance(90_000)
    await text(world.cache.fetch('/price', init))
    expect(causes(world.events).at(-1)).toBe('fresh')
    expect(world.origin.requests).toHaveLength(1)
  })

  test('is off by option, by rule, and for immutable (RFC 8246 §2)', async () => {
    for (const [cacheControl, options] of [
      ['max-age=100', { earlyExpiry: false }],
      ['max-age=100', { rules: [{ match: '/*', earlyExpiry: false }] }],
      ['max-age=100', { earlyExpiry: { beta: 0, phase: 0 } }],
      ['max-age=100, immutable', {}],
    ] as const) {
      const world = await withStored({ delayMs: 500, cacheControl }, { random: drawing(50), ...options })
      expect(await readsAt(world, 1)).toBe('fresh')
      expect(world.origin.requests).toHaveLength(1)
    }
  })
})

describe('the phase of an install', () => {
  test('is 0.05 of the lifetime at most, comes from the name of its database, and explain() shows it', async () => {
    const world = await withStored({}, { earlyExpiry: { beta: 0 } })
    const { numbers } = await world.cache.explain('/price')
    expect(numbers?.phaseMs).toBeGreaterThan(0)
    expect(numbers?.phaseMs).toBeLessThan(5_000)
    const { epoch } = await world.cache.purge({ url: '/other' })
    expect(numbers?.phaseMs).toBe(5_000 * installShare(epoch.incarnation))
    expect(await readsAt(world, Math.ceil(numbers?.phaseMs ?? 0) + 1)).toBe('fresh')
    expect(await readsAt(world, Math.floor(numbers?.phaseMs ?? 0))).toBe('early-refresh')
  })

  test('a rule may give another greatest share', async () => {
    const world = await withStored({}, { rules: [{ match: '/*', earlyExpiry: { phase: 0.5 } }] })
    const { epoch } = await world.cache.purge({ url: '/other' })
    expect((await world.cache.explain('/price')).numbers?.phaseMs).toBe(50_000 * installShare(epoch.incarnation))
  })

  test.each([
    ['the option has none, the rule gives β', { phase: 0 }, { beta: 2 }, 0],
    ['the option has another, the rule gives β', { phase: 0.5 }, { beta: 2 }, 50_000],
    ['the option is false, the rule gives β: all else by default', false, { beta: 2 }, 5_000],
    ['the rule is false', { phase: 0.5 }, false, 0],
  ] as const)('a rule changes what it names, and nothing else: %s', async (_, earlyExpiry, ofRule, greatest) => {
    const world = await withStored({}, { earlyExpiry, rules: [{ match: '/*', earlyExpiry: ofRule }] })
    const { epoch } = await world.cache.purge({ url: '/other' })
    const { phaseMs = 0 } = (await world.cache.explain('/price')).numbers ?? {}
    expect(phaseMs).toBe(greatest * installShare(epoch.incarnation))
  })
})
