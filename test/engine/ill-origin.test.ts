import { afterEach, describe, expect, test, vi } from 'vitest'
import type { CacheOptions } from '../../src/index.ts'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text().catch(() => 'broken')
const orName = (reading: Promise<string>) => reading.catch((error: Error) => error.name)

afterEach(() => vi.unstubAllGlobals())

/** A cache that has `/a` and `/b`, stale for half a minute, and whose origin has just failed five times. */
async function withIllOrigin(
  cacheControl: string,
  options: CacheOptions = {},
  failure: ScriptedResponse = { fault: 'network' },
) {
  const world = harness({ earlyExpiry: false, ...options })
  world.origin.serves('/*', ({ path }) => ({ cacheControl, body: `good ${path}` }))
  for (const path of ['/a', '/b']) await text(world.cache.fetch(path))
  await world.clock.advance(90_000)
  world.origin.fails('*', failure.fault ?? failure.status ?? 503)
  for (const path of ['/x', '/y', '/x', '/y', '/x']) await world.cache.fetch(path).catch(() => {})
  return { ...world, asked: world.origin.requests.length, tries: () => world.origin.requests.length }
}

describe('an origin that is known to be ill', () => {
  test('what may be served on an error is served at once, and nobody asks (RFC 5861 §4)', async () => {
    const { cache, asked, tries, events } = await withIllOrigin('max-age=60, stale-if-error=600')
    for (let read = 0; read < 20; read++) expect(await text(cache.fetch('/a'))).toBe('good /a')
    await cache.settled()
    expect(tries()).toBe(asked)
    expect(causes(events).slice(-20)).toEqual(Array(20).fill('stale-if-error'))
  })

  test('explain() says what would come of it, and makes no probe', async () => {
    const { cache, asked, tries, clock } = await withIllOrigin('max-age=60, stale-if-error=600')
    await clock.advance(1_250)
    expect(await cache.explain('/a')).toMatchObject({ decision: 'reuse-and-revalidate', cause: 'stale-if-error' })
    expect(await cache.explain('/never-seen')).toMatchObject({ decision: 'forward', cause: 'miss' })
    expect(await cache.explain('/a', { cache: 'no-cache' })).toMatchObject({ cause: 'request-directive' })
    expect(tries()).toBe(asked)
    await text(cache.fetch('/a'))
    await cache.settled()
    expect(tries()).toBe(asked + 1)
  })

  test('a probe goes behind, when it is due; where it succeeds, everything is as before', async () => {
    const { cache, asked, tries, clock, origin } = await withIllOrigin('max-age=60, stale-if-error=600')
    await clock.advance(1_250)
    origin.recovers()
    const hold = origin.hold('/*')
    expect(await text(cache.fetch('/a'))).toBe('good /a')
    expect(await text(cache.fetch('/b'))).toBe('good /b')
    await clock.settle()
    expect([hold.waiting, tries()]).toEqual([1, asked + 1])
    hold.release()
    await cache.settled()
    await text(cache.fetch('/b'))
    expect(tries()).toBe(asked + 2)
  })

  test('what has no stored copy is asked for, as by fetch: a circuit makes nothing unreachable', async () => {
    const { cache, asked, tries, origin } = await withIllOrigin('max-age=60, stale-if-error=600')
    await expect(cache.fetch('/never-seen')).rejects.toThrow(TypeError)
    expect(tries()).toBe(asked + 1)
    origin.recovers('*')
    expect(await text(cache.fetch('/never-seen'))).toBe('good /never-seen')
    expect(await text(cache.fetch('/a'))).toBe('good /a')
    expect(tries()).toBe(asked + 3)
  })

  test.each([
    ['max-age=60, stale-if-error=600, must-revalidate'],
    ['max-age=60, stale-if-error=600, no-cache'],
    ['max-age=60, stale-if-error=10'],
    ['max-age=60'],
  ])('%s: nothing may be served, so it is asked (RFC 9111 §4.2.4)', async (cacheControl) => {
    const { cache, asked, tries } = await withIllOrigin(cacheControl)
    await expect(cache.fetch('/a')).rejects.toThrow(TypeError)
    expect(tries()).toBe(asked + 1)
  })

  test('no-cache of the request beats it, too (RFC 9111 §5.2.1.4)', async () => {
    const { cache, asked, tries } = await withIllOrigin('max-age=60, stale-if-error=600')
    await expect(cache.fetch('/a', { cache: 'no-cache' })).rejects.toThrow(TypeError)
    expect(tries()).toBe(asked + 1)
  })

  test('stale-while-revalidate goes on without its refresh, and nothing is refreshed early', async () => {
    const { cache, asked, tries, clock, events } = await withIllOrigin('max-age=60, stale-while-revalidate=600', {
      rules: [{ match: '/b', maxAgeMs: 600_000, override: true, earlyExpiry: { beta: 1e9 } }],
    })
    expect(await text(cache.fetch('/a'))).toBe('good /a')
    expect(await text(cache.fetch('/b'))).toBe('good /b')
    await cache.settled()
    expect(tries()).toBe(asked)
    expect(causes(events).slice(-2)).toEqual(['stale-while-revalidate', 'fresh'])
    expect(clock.sleeping).toBe(0)
  })

  test('an origin that hangs is known to be ill after five hard deadlines: nobody waits for a sixth (DESIGN 9)', async () => {
    const { cache, origin, clock, events } = harness({ earlyExpiry: false, deadlines: { hardMs: 1_500 } })
    origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60, stale-if-error=600', body: `good ${path}` }))
    for (const path of ['/a', '/b']) await text(cache.fetch(path))
    await clock.advance(90_000)
    origin.fails('*', 'hang')
    for (const path of ['/a', '/b', '/a', '/b', '/a']) {
      const reading = text(cache.fetch(path))
      await clock.advance(1_500)
      expect(await reading).toBe(`good ${path}`)
    }
    expect(origin.requests.slice(2).map(({ aborted }) => aborted)).toEqual(Array(5).fill(true))
    expect(await text(cache.fetch('/b'))).toBe('good /b')
    expect(causes(events).slice(2)).toEqual(Array(6).fill('stale-if-error'))
    expect(origin.requests).toHaveLength(7)
  })

  test('callers who leave before make nobody ill, whatever others have waited', async () => {
    const { cache, origin, clock } = harness({ earlyExpiry: false })
    origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60, stale-if-error=600', body: `good ${path}` }))
    for (const path of ['/a', '/b']) await text(cache.fetch(path))
    await clock.advance(90_000)
    const hold = origin.hold('/*')
    for (const path of ['/a', '/b', '/a', '/b', '/a', '/b']) {
      const controller = new AbortController()
      const short = cache.fetch(path, { nearcache: { hardMs: 1_100 } }).catch(() => {})
      const left = cache.fetch(path, { signal: controller.signal }).catch(() => {})
      await clock.advance(1_500)
      controller.abort()
      await Promise.all([short, left])
    }
    hold.release()
    const before = origin.requests.length
    await text(cache.fetch('/a'))
    expect(origin.requests).toHaveLength(before + 1)
  })

  test('a device that is back on its network asks at once, however long its outage was (F-32)', async () => {
    const navigator = { onLine: false }
    vi.stubGlobal('navigator', navigator)
    const { cache, origin, clock, asked, tries } = await withIllOrigin('max-age=60, stale-if-error=600')
    for (let second = 0; second < 200; second++) {
      expect(await text(cache.fetch('/a'))).toBe('good /a')
      await clock.advance(1_000)
    }
    // Probes alone meanwhile.
    expect(tries() - asked).toBeLessThanOrEqual(10)
    navigator.onLine = true
    origin.recovers()
    const before = tries()
    expect((await cache.fetch('/a')).headers.get('cache-status')).toContain('detail=expired')
    expect(tries()).toBe(before + 1)
  })

  test('circuit: false asks each time', async () => {
    const { cache, asked, tries } = await withIllOrigin('max-age=60, stale-if-error=600', { circuit: false })
    for (let read = 0; read < 3; read++) expect(await text(cache.fetch('/a'))).toBe('good /a')
    expect(tries()).toBe(asked + 3)
  })

  test('one URL that is broken alone changes nothing for the others', async () => {
    const { cache, origin, clock, events } = harness({ earlyExpiry: false })
    origin.serves('/*', { cacheControl: 'max-age=60, stale-if-error=600', body: 'good' })
    await text(cache.fetch('/well'))
    origin.fails('/broken', 500)
    for (let read = 0; read < 30; read++) await cache.fetch('/broken')
    await clock.advance(61_000)
    await text(cache.fetch('/well'))
    expect(causes(events).at(-1)).toBe('expired')
  })
})

describe('the longer grace of a rule (openCircuitGraceMs)', () => {
  const rules = [{ match: '/*', openCircuitGraceMs: 3_600_000 }]

  test.each([
    ['max-age=60', 'good /a'],
    ['max-age=60, stale-if-error=5', 'good /a'],
    ['max-age=60, must-revalidate', 'TypeError'],
    ['max-age=60, no-cache', 'TypeError'],
  ])('%s: %s', async (cacheControl, expected) => {
    const { cache } = await withIllOrigin(cacheControl, { rules })
    expect(await orName(text(cache.fetch('/a')))).toBe(expected)
  })

  test('counts while the origin is ill, and not for a single failure', async () => {
    const { cache, origin, clock } = harness({ earlyExpiry: false, rules })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'good' })
    await text(cache.fetch('/a'))
    await clock.advance(61_000)
    origin.fails('/a', 'network')
    expect(await orName(text(cache.fetch('/a')))).toBe('TypeError')
  })

  test('ends', async () => {
    const { cache, clock } = await withIllOrigin('max-age=60', {
      rules,
      circuit: { baseMs: 7_200_000, maxMs: 7_200_000 },
    })
    await clock.advance(3_600_000)
    expect(await orName(text(cache.fetch('/a')))).toBe('TypeError')
  })
})

describe('retry (RFC 9110 §9.2.2)', () => {
  test('is off by default: the origin sees what it would see from fetch', async () => {
    const { cache, origin } = harness()
    origin.fails('/a', 503)
    expect((await cache.fetch('/a')).status).toBe(503)
    expect(origin.requests).toHaveLength(1)
  })

  test('makes a failed request again, and what it waited counts as age but not as δ (RFC 9111 §4.2.3)', async () => {
    const { cache, origin, clock } = harness({ retry: { attempts: 2, baseMs: 1_000 }, random: () => 0.999 })
    // What makes requests again is loaded with the first one.
    await cache.fetch('/first')
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'well', delayMs: 100 })
    origin.fails('/a', 503, 1)
    const reading = text(cache.fetch('/a'))
    await clock.advance(2_000)
    expect(await reading).toBe('well')
    expect(origin.requests).toHaveLength(3)
    const [{ stored }] = (await cache.dehydrate()).responses as unknown as [{ stored: { delta: number } }]
    expect(stored.delta).toBe(100)
    expect((await cache.explain('/a')).numbers?.ageMs).toBe(2_000)
  })

  test('not for a refresh behind: the next read is soon enough', async () => {
    const { cache, origin, clock } = harness({ retry: {}, earlyExpiry: false })
    origin.serves('/a', { cacheControl: 'max-age=60, stale-while-revalidate=600', body: 'well' })
    await text(cache.fetch('/a'))
    await clock.advance(61_000)
    origin.fails('/a', 503)
    await text(cache.fetch('/a'))
    await clock.advance(30_000)
    await cache.settled()
    expect(origin.requests).toHaveLength(2)
  })
})
