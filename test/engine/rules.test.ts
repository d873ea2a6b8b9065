import { expect, test } from 'vitest'
import type { Rule } from '../../src/index.ts'
import { causes, harness } from './harness.ts'

const minute = 60_000

test.each<[string, Rule['match']]>([
  ['a URL', '/api/product'],
  ['an absolute URL', 'https://origin.test/api/product'],
  ['a pattern', '/api/*'],
  ['a pattern with more than one *', '/*/prod*'],
  ['a RegExp', /\/api\//],
  ['a global RegExp, which remembers where it stopped', /\/api\//g],
  ['a sticky RegExp', /https:\/\/origin\.test\/api/y],
  ['an object with test(), as a URLPattern', { test: (url) => url === 'https://origin.test/api/product' }],
  ['a function', (request) => new URL(request.url).pathname === '/api/product'],
])('a rule matches by %s', async (_, match) => {
  const { cache, origin } = harness({ rules: [{ match, name: 'mine', maxAgeMs: minute }] })
  for (const path of ['/api/product', '/other']) origin.serves(path, { json: { path } })
  for (let turn = 0; turn < 3; turn++) {
    await cache.json('/api/product')
    expect((await cache.explain('/api/product')).rule).toBe('mine')
  }
  expect(origin.requests).toHaveLength(1)
  await cache.json('/other')
  await cache.json('/other')
  expect((await cache.explain('/other')).rule).toBeUndefined()
  expect(origin.requests).toHaveLength(3)
})

test.each<Rule['match']>(['/api/prod', 'api/product', '/API/product', '/api/*x', /^\/api/])(
  'a rule for %s does not match /api/product',
  async (match) => {
    const { cache } = harness({ rules: [{ match, name: 'mine' }], base: 'https://origin.test/deep/' })
    expect((await cache.explain('https://origin.test/api/product')).rule).toBeUndefined()
  },
)

test('a function sees the request: its method and its fields', async () => {
  const { cache } = harness({
    rules: [{ name: 'mine', match: ({ method, headers }) => method === 'HEAD' || headers.get('x-area') === 'shop' }],
  })
  expect((await cache.explain('/a')).rule).toBeUndefined()
  expect((await cache.explain('/a', { method: 'HEAD' })).rule).toBe('mine')
  expect((await cache.explain('/a', { headers: { 'x-area': 'shop' } })).rule).toBe('mine')
})

test('the first rule that matches is the only one', async () => {
  const { cache, origin } = harness({
    rules: [
      { match: '/a', name: 'first' },
      { match: '/*', name: 'second', maxAgeMs: minute },
    ],
  })
  origin.serves('/a', { json: {} })
  for (let turn = 0; turn < 2; turn++) await cache.json('/a')
  expect((await cache.explain('/a')).rule).toBe('first')
  expect(origin.requests).toHaveLength(2)
})

test('a lifetime given by a rule is used only where the response says nothing (RFC 9111 §4.2.1)', async () => {
  const { cache, origin, clock, events } = harness({ rules: [{ match: '/*', maxAgeMs: 10 * minute }] })
  origin.serves('/said', { cacheControl: 'max-age=60', json: {} })
  origin.serves('/unsaid', { json: {} })
  for (const path of ['/said', '/unsaid']) await cache.json(path)
  await clock.advance(minute)
  for (const path of ['/said', '/unsaid']) await cache.json(path)
  expect(causes(events)).toEqual(['miss', 'miss', 'expired', 'fresh'])
})

test('windows given by a rule are used only where the response says nothing (RFC 5861 §3)', async () => {
  const { cache, origin, clock, events } = harness({ rules: [{ match: '/*', staleWhileRevalidateMs: 10 * minute }] })
  origin.serves('/said', { cacheControl: 'max-age=60, stale-while-revalidate=30', json: {} })
  origin.serves('/unsaid', { cacheControl: 'max-age=60', json: {} })
  for (const path of ['/said', '/unsaid']) await cache.json(path)
  await clock.advance(2 * minute)
  for (const path of ['/said', '/unsaid']) await cache.json(path)
  expect(causes(events)).toEqual(['miss', 'miss', 'expired', 'stale-while-revalidate'])
})

test('with override what a rule gives goes before what the response says', async () => {
  const rule = { match: '/*', maxAgeMs: 10 * minute, override: true }
  const { cache, origin, clock, events } = harness({ rules: [rule], earlyExpiry: false })
  origin.serves('/product', { cacheControl: 'max-age=60', json: {} })
  await cache.json('/product')
  await clock.advance(9 * minute)
  await cache.json('/product')
  await clock.advance(minute)
  await cache.json('/product')
  expect(causes(events)).toEqual(['miss', 'fresh', 'expired'])
})

test.each(['no-store', 'no-store, max-age=60', 'private, no-store'])(
  'a rule never beats %s: nothing is stored (RFC 9111 §5.2.2.5)',
  async (cacheControl) => {
    const generous = { maxAgeMs: minute, staleWhileRevalidateMs: minute, staleIfErrorMs: minute, override: true }
    const { cache, origin } = harness({ rules: [{ match: '/*', ...generous }] })
    origin.serves('/secret', { cacheControl, json: {} })
    for (let turn = 0; turn < 2; turn++) await cache.json('/secret')
    expect((await cache.explain('/secret')).candidates).toEqual([])
    expect(origin.requests).toHaveLength(2)
  },
)

test.each([
  ['no-cache', 0, 'no-cache'],
  ['max-age=60, must-revalidate', 30 * minute, 'expired'],
  ['no-cache, max-age=60', 0, 'no-cache'],
])(
  'a rule never beats %s: nothing stale is served, whatever happens (RFC 9111 §4.2.4)',
  async (said, waitMs, cause) => {
    const generous = { staleWhileRevalidateMs: 99 * minute, staleIfErrorMs: 99 * minute, override: true }
    const { cache, origin, clock } = harness({ rules: [{ match: '/*', maxAgeMs: minute, ...generous }] })
    origin.serves('/price', { cacheControl: said, json: {} })
    await cache.json('/price')
    await clock.advance(waitMs)
    expect(await cache.explain('/price')).toMatchObject({ decision: 'forward', cause })
    origin.serves('/price', { fault: 'network' })
    await expect(cache.json('/price')).rejects.toThrow(TypeError)
  },
)

test('a rule lets stale be served when the origin is ill (RFC 5861 §4)', async () => {
  const { cache, origin, clock, events } = harness({ rules: [{ match: '/*', staleIfErrorMs: minute }] })
  origin.serves('/price', { cacheControl: 'max-age=60', json: { price: 1 } })
  await cache.json('/price')
  origin.serves('/price', { status: 503 })
  await clock.advance(2 * minute)
  expect(await cache.json('/price')).toEqual({ price: 1 })
  await clock.advance(1)
  await expect(cache.json('/price')).rejects.toThrow('503')
  expect(causes(events)).toEqual(['miss', 'stale-if-error', 'expired'])
})

test('labels come from the response, the rule and the request', async () => {
  for (const tag of ['from-response', 'from-rule', 'from-request']) {
    const { cache, origin } = harness({ rules: [{ match: '/*', tags: ['from-rule'] }] })
    origin.serves('/a', { cacheControl: 'max-age=60', tags: ['from-response'], json: {} })
    await cache.json('/a', { nearcache: { tags: ['from-request'] } })
    await cache.purge({ tag: 'none' })
    expect((await cache.explain('/a')).cause).toBe('fresh')
    await cache.purge({ tag })
    expect((await cache.explain('/a')).cause).toBe('purged')
  }
})

test('the request’s own options do not reach the origin', async () => {
  const seen: Array<RequestInit | undefined> = []
  const { cache, origin } = harness({
    fetch: (input, init) => {
      seen.push(init)
      return origin.fetch(input, init)
    },
  })
  await cache.fetch('/a', { nearcache: { maxStaleMs: 1_000, tags: ['x'] } })
  await cache.fetch('/a', { nearcache: { tags: ['x'] }, method: 'POST' })
  expect(seen).toHaveLength(2)
  for (const init of seen) expect(init).not.toHaveProperty('nearcache')
  for (const { headers } of origin.requests) expect(headers).not.toHaveProperty('cache-control')
})

test('maxStaleMs accepts so much staleness, as the directive max-stale (RFC 9111 §5.2.1.2)', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: {} })
  await cache.json('/a')
  await clock.advance(2 * minute)
  await cache.json('/a', { nearcache: { maxStaleMs: minute } })
  await clock.advance(1)
  await cache.json('/a', { nearcache: { maxStaleMs: minute } })
  expect(causes(events)).toEqual(['miss', 'max-stale', 'expired'])
})

test('maxStaleMs never beats must-revalidate (RFC 9111 §5.2.2.2)', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60, must-revalidate', json: {} })
  await cache.json('/a')
  await clock.advance(minute)
  await cache.json('/a', { nearcache: { maxStaleMs: minute } })
  expect(causes(events)).toEqual(['miss', 'expired'])
})

test.each([
  ['the cache', { deadlines: { hardMs: 500 } }, {}],
  ['the rule', { deadlines: { hardMs: 9_000 }, rules: [{ match: '/*', hardMs: 500 }] }, {}],
  ['the request', { deadlines: { hardMs: 9_000 }, rules: [{ match: '/*', hardMs: 9_000 }] }, { hardMs: 500 }],
])('the hard deadline of %s is a TimeoutError', async (_, options, nearcache) => {
  const { cache, origin, clock } = harness(options)
  origin.serves('/a', { fault: 'hang' })
  let error: unknown
  const work = cache.fetch('/a', { nearcache }).catch((reason: unknown) => {
    error = reason
  })
  await clock.advance(499)
  expect(error).toBeUndefined()
  await clock.advance(1)
  await work
  expect(error).toMatchObject({ name: 'TimeoutError' })
})

test('maxKeys: of a route so many keys are kept at most, the others are asked for again', async () => {
  const { cache, origin } = harness({ rules: [{ match: '/search*', maxKeys: 2 }] })
  origin.serves('*', { cacheControl: 'max-age=60', json: {} })
  for (const path of ['/search?1', '/search?2', '/search?3', '/other?1', '/other?2', '/other?3'])
    await (await cache.fetch(path)).text()
  const peeked = ['/search?1', '/search?2', '/search?3', '/other?1', '/other?3'].map((path) => cache.peek(path))
  expect(peeked.map((one) => one !== undefined)).toEqual([false, true, true, true, true])
})

test('pinned: what a rule pins is not given up for what it does not', async () => {
  const { cache, origin } = harness({
    memory: { maxBytes: 20_000, maxEntryBytes: 10_000 },
    rules: [{ match: '/shell', pinned: true }],
  })
  origin.serves('*', { cacheControl: 'max-age=60', body: 'x'.repeat(3_000) })
  await (await cache.fetch('/shell')).text()
  for (let index = 0; index < 30; index++) await (await cache.fetch(`/page/${index}`)).text()
  expect((await cache.fetch('/shell')).headers.get('cache-status')).toContain('hit')
})
