import { expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'
import { harness } from './harness.ts'

const minute = 60_000

test('explain() says what a fetch would do, and does not do it', async () => {
  const { cache, origin, events } = harness()
  expect(await cache.explain('/product?a=1#top')).toEqual({
    url: `${origin.url}/product?a=1`,
    decision: 'forward',
    cause: 'miss',
    key: [`${origin.url}/product?a=1`],
    candidates: [],
  })
  expect(origin.requests).toEqual([])
  expect(events).toEqual([])
  expect(cache.stats().requests).toBe(0)
})

test('explain() shows the numbers that led to its decision (RFC 9111 §4.2)', async () => {
  const { cache, origin, clock } = harness()
  const cacheControl = 'max-age=60, stale-while-revalidate=30, stale-if-error=90'
  origin.serves('/product', { cacheControl, headers: { age: '5' }, etag: '"v1"', json: { id: 42 }, tags: ['kettle'] })
  await cache.json('/product')
  await clock.advance(10_000)
  const numbers = {
    ageMs: 15_000,
    lifetimeMs: minute,
    lifetimeSource: 'max-age',
    staleForMs: -45_000,
    staleWhileRevalidateMs: 30_000,
    staleIfErrorMs: 90_000,
  }
  const explanation = await cache.explain('/product')
  expect(explanation).toMatchObject({ decision: 'reuse', cause: 'fresh', numbers })
  expect(explanation.candidates).toMatchObject([{ status: 200, vary: [], tags: ['kettle'], bytes: 9 }])
  await clock.advance(minute)
  expect(await cache.explain('/product')).toMatchObject({
    decision: 'reuse-and-revalidate',
    cause: 'stale-while-revalidate',
    numbers: { staleForMs: 15_000 },
  })
  await clock.advance(minute)
  expect(await cache.explain('/product')).toMatchObject({ decision: 'validate', cause: 'expired' })
})

test.each([
  ['Expires', { headers: { expires: 'Thu, 01 Jan 2026 00:02:00 GMT' } }, 'expires', 120_000],
  ['Last-Modified', { lastModified: 'Wed, 31 Dec 2025 23:50:00 GMT' }, 'heuristic', minute],
  ['nothing but a validator', { etag: '"v1"' }, 'none', 0],
])('the source of a lifetime from %s is named (RFC 9111 §4.2.1, §4.2.2)', async (_, response, source, lifetimeMs) => {
  const { cache, origin } = harness()
  origin.serves('/product', { ...response, json: {} })
  await cache.json('/product')
  expect((await cache.explain('/product')).numbers).toMatchObject({ lifetimeSource: source, lifetimeMs })
})

test('each fetch does what explain() has just said', async () => {
  const { cache, origin, clock, events } = harness({ earlyExpiry: false })
  const cacheControl = 'max-age=60, stale-while-revalidate=30'
  origin.serves('/product', { cacheControl, etag: '"v1"', json: {} })
  const inits: RequestInit[] = [
    {},
    { cache: 'no-cache' },
    { cache: 'reload' },
    { cache: 'force-cache' },
    { headers: { 'cache-control': 'max-stale' } },
    { headers: { 'cache-control': 'max-age=0' } },
    { headers: { 'cache-control': 'only-if-cached' } },
    { headers: { authorization: 'Bearer a' } },
    { cache: 'no-store' },
    { method: 'POST' },
  ]
  for (const init of inits) {
    for (const wait of [0, 10_000, 50_000, 80_000]) {
      await clock.advance(wait)
      const { cause } = await cache.explain('/product', init)
      events.length = 0
      await (await cache.fetch('/product', init)).text()
      await cache.settled()
      const answered = events.find(({ type }) => type === 'answered')
      const asked = answered?.type === 'answered' ? answered.cause : undefined
      // What was only asked for is explained by why it was asked, and answered by how that went.
      const expected = asked === 'validated' ? ['expired', 'request-directive', 'invalidated'] : [asked]
      expect(expected, JSON.stringify({ init, wait })).toContain(cause)
    }
  }
})

test('what the cache has no business with is a bypass', async () => {
  const { cache } = harness()
  expect(await cache.explain('/orders', { method: 'POST' })).toMatchObject({ decision: 'bypass', cause: 'method' })
  expect(await cache.explain('/orders', { cache: 'no-store' })).toMatchObject({ decision: 'bypass', cause: 'bypass' })
})

test.each(['soft', 'hard'] as const)('a %s purge is named with its place in the log', async (mode) => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: {} })
  await cache.json('/product')
  const { epoch } = await cache.purge({ url: '/product' }, { mode })
  const { cause, purge } = await cache.explain('/product')
  expect(cause).toBe('purged')
  expect(purge).toEqual(mode === 'soft' ? { mode, number: epoch.number } : undefined)
})

test('the rule that matches is named', async () => {
  const { cache } = harness({ rules: [{ match: '/api/*', name: 'api' }] })
  expect((await cache.explain('/api/product')).rule).toBe('api')
  expect((await cache.explain('/product')).rule).toBeUndefined()
})

test('credentials do not appear in what explain() gives', async () => {
  const { cache, origin } = harness()
  origin.serves('/me', { cacheControl: 'max-age=60', vary: 'Authorization, Cookie', json: {} })
  const headers = { authorization: 'Bearer canary', cookie: 'session=canary' }
  await cache.json('/me', { headers })
  const explanation = await cache.explain('/me', { headers })
  expect(explanation.candidates).toHaveLength(1)
  expect(JSON.stringify(explanation)).not.toContain('canary')
})

test('an explanation is plain data', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: {} })
  await cache.json('/product')
  const explanation = await cache.explain('/product')
  expect(structuredClone(explanation)).toEqual(explanation)
  expect(JSON.stringify(explanation)).not.toContain('\\u0000')
})

test('who has asked the origin, or had it confirmed last, is told: this page, another one, or the worker', async () => {
  const { tabs, worker, origin, clock } = await createWorld({ worker: true })
  const [one, other] = tabs as [WorldContext, WorldContext]
  origin.serves('/a', { cacheControl: 'max-age=60', etag: '"1"', json: {} })
  const told = async () => {
    const all = []
    for (const { cache } of tabs) all.push((await cache.explain('/a')).askedBy)
    return all
  }
  expect(await told()).toEqual([undefined, undefined])
  await one.cache.json('/a')
  await clock.settle()
  expect(await told()).toEqual(['here', 'elsewhere'])
  await other.cache.json('/a', { cache: 'no-cache' })
  await clock.settle()
  expect(await told()).toEqual(['elsewhere', 'here'])
  const response = await worker?.cache.fetch('/a', { cache: 'no-cache' })
  await response?.text()
  await clock.settle()
  expect(await told()).toEqual(['worker', 'worker'])
  one.reload()
  expect(await told()).toEqual(['worker', 'worker'])
})
