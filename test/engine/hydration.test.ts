import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CacheError } from '../../src/index.development.ts'
import type { CacheOptions, Dehydrated } from '../../src/index.ts'
import { causes, harness } from './harness.ts'

/** What a page gets of a state: what has been through JSON. */
const overTheWire = (state: Dehydrated): Dehydrated => JSON.parse(JSON.stringify(state))

/** Another cache before the same origin, at the same moment: the page, where the first was the server. */
function pageFor({ origin, clock }: ReturnType<typeof harness>, options: CacheOptions = {}) {
  return harness({ fetch: origin.fetch, clock, base: origin.url, ...options })
}

test('a hydrated response is reused as if it had been fetched: age, fields and body (RFC 9111 §4.2.3)', async () => {
  const server = harness()
  const { origin, clock } = server
  const body = new Uint8Array([0, 1, 127, 128, 255, 0])
  const headers = { age: '5', 'content-type': 'image/png', 'x-note': 'é' }
  origin.serves('/image', { cacheControl: 'max-age=60', etag: '"v1"', headers, body })
  const original = await server.cache.fetch('/image')
  await original.arrayBuffer()
  const state = overTheWire(await server.cache.dehydrate())
  await clock.advance(10_000)

  const { cache, events } = pageFor(server)
  cache.hydrate(state)
  const response = await cache.fetch('/image')
  expect(new Uint8Array(await response.arrayBuffer())).toEqual(body)
  expect(response.headers.get('age')).toBe('15')
  expect(response.url).toBe(original.url)
  for (const name of ['etag', 'content-type', 'x-note', 'cache-control', 'date']) {
    expect(response.headers.get(name)).toBe(original.headers.get(name))
  }
  expect(causes(events)).toEqual(['fresh'])
  expect(origin.requests).toHaveLength(1)
  await clock.advance(45_000)
  await cache.fetch('/image')
  expect(origin.requests.at(-1)?.ifNoneMatch).toBe('"v1"')
})

test('peek() shows a hydrated response at once: for the first paint', async () => {
  const server = harness()
  server.origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  await server.cache.json('/product')
  const { cache } = pageFor(server)
  cache.hydrate(overTheWire(await server.cache.dehydrate()))
  expect(cache.peek('/product')).toMatchObject({ data: { id: 42 }, stale: false })
})

test('all variants come along (RFC 9111 §4.1)', async () => {
  const server = harness()
  server.origin.serves('/hello', ({ headers }) => ({
    cacheControl: 'max-age=60',
    vary: 'Accept-Language',
    json: headers['accept-language'],
  }))
  const languages = ['de', 'en', 'fr']
  for (const language of languages) await server.cache.json('/hello', { headers: { 'accept-language': language } })
  const { cache } = pageFor(server)
  cache.hydrate(overTheWire(await server.cache.dehydrate()))
  for (const language of languages) {
    expect(await cache.json('/hello', { headers: { 'accept-language': language } })).toBe(language)
  }
  expect(server.origin.requests).toHaveLength(3)
})

test.each([
  ['Authorization', {}, { headers: { authorization: 'Bearer canary' } }],
  ["credentials: 'include'", {}, { credentials: 'include' as const }],
  ['Cookie', {}, { headers: { cookie: 'session=canary' } }],
  ['private', { cacheControl: 'private, max-age=60' }, {}],
])('what is one user’s by %s is left out, unless a filter asks for it', async (_, response, init) => {
  const { cache, origin } = harness()
  origin.serves('/me', { cacheControl: 'max-age=60', json: { name: 'canary' }, ...response })
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  await cache.json('/me', init)
  await cache.json('/product')
  const state = await cache.dehydrate()
  expect(state.responses).toHaveLength(1)
  const asked = await cache.dehydrate(({ scoped }) => scoped)
  expect(asked.responses).toHaveLength(1)
  expect(asked.responses[0]?.key[0]).toBe(`${origin.url}/me`)
})

test('everything in a partition is one user’s', async () => {
  const { cache, origin } = harness({ partition: 'ada' })
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  await cache.json('/product')
  expect((await cache.dehydrate()).responses).toEqual([])
  expect((await cache.dehydrate(() => true)).responses).toHaveLength(1)
})

test('Set-Cookie never comes along: a page must not see it (Fetch, forbidden response-header names)', async () => {
  const { cache, origin } = harness()
  const headers = { 'set-cookie': 'session=canary' }
  origin.serves('/product', { cacheControl: 'max-age=60', headers, json: { id: 42 } })
  await cache.json('/product')
  const state = await cache.dehydrate(() => true)
  expect(state.responses).toHaveLength(1)
  expect(JSON.stringify(state)).not.toContain('canary')
})

test('the filter sees the URL and the labels', async () => {
  const { cache, origin } = harness()
  for (const path of ['/a', '/b']) {
    origin.serves(path, { cacheControl: 'max-age=60', tags: [`tag${path}`], json: {} })
    await cache.json(path)
  }
  const seen: unknown[] = []
  await cache.dehydrate((response) => seen.push(response) > 0)
  expect(seen).toEqual([
    { url: `${origin.url}/a`, tags: ['tag/a'], scoped: false },
    { url: `${origin.url}/b`, tags: ['tag/b'], scoped: false },
  ])
})

test('what is newer is never overwritten', async () => {
  const server = harness()
  const { origin, clock } = server
  origin.serves('/price', ({ seq }) => ({ cacheControl: 'max-age=60', json: { seq } }))
  await server.cache.json('/price')
  const state = overTheWire(await server.cache.dehydrate())
  await clock.advance(1_000)
  const { cache } = pageFor(server)
  expect(await cache.json('/price')).toEqual({ seq: 2 })
  cache.hydrate(state)
  await cache.settled()
  expect(await cache.json('/price')).toEqual({ seq: 2 })
})

test('what is newer is not overtaken by an older variant either (RFC 9111 §4.1)', async () => {
  const server = harness()
  const { origin, clock } = server
  origin.serves('/price', { cacheControl: 'max-age=60', vary: 'Accept', json: 'old' })
  await server.cache.json('/price')
  const state = overTheWire(await server.cache.dehydrate())
  await clock.advance(1_000)
  origin.serves('/price', { cacheControl: 'max-age=60', json: 'new' })
  const { cache } = pageFor(server)
  await cache.json('/price')
  cache.hydrate(state)
  expect(await cache.json('/price')).toBe('new')
})

test('what is older is replaced', async () => {
  const server = harness()
  const { origin, clock } = server
  origin.serves('/price', ({ seq }) => ({ cacheControl: 'max-age=60', json: { seq } }))
  const { cache } = pageFor(server)
  await cache.json('/price')
  await clock.advance(1_000)
  await server.cache.json('/price')
  cache.hydrate(overTheWire(await server.cache.dehydrate()))
  expect(await cache.json('/price')).toEqual({ seq: 2 })
  expect((await cache.explain('/price')).candidates).toHaveLength(1)
})

test.each(['soft', 'hard'] as const)('nothing that the page has purged (%s) comes back as fresh', async (mode) => {
  const server = harness()
  const { origin, clock } = server
  origin.serves('/price', { cacheControl: 'max-age=600', tags: ['prices'], json: {} })
  await server.cache.json('/price')
  const state = overTheWire(await server.cache.dehydrate())
  for (const selector of [{ tag: 'prices' }, { url: '/price' }, { pattern: '/pr*' }, { all: true as const }]) {
    const { cache, events } = pageFor(server)
    await cache.purge({ tag: 'other' })
    await clock.advance(1_000)
    await cache.purge(selector, { mode })
    await cache.purge({ tag: 'another' })
    cache.hydrate(state)
    await cache.json('/price')
    expect(causes(events)).toEqual(['purged'])
  }
})

test('what was purged where it was dehydrated does not come along as fresh', async () => {
  const server = harness()
  server.origin.serves('/price', { cacheControl: 'max-age=600', json: {} })
  await server.cache.json('/price')
  await server.cache.purge({ url: '/price' })
  const { cache } = pageFor(server)
  cache.hydrate(overTheWire(await server.cache.dehydrate()))
  await cache.json('/price')
  expect(server.origin.requests).toHaveLength(2)
})

test.each([undefined, null, 42, '{}', [], {}, { v: 2, responses: [] }, { v: 1 }, { v: 1, responses: {} }])(
  'hydrate(%j) throws a CacheError with code state',
  (state) => {
    const { cache } = harness()
    let error: unknown
    try {
      cache.hydrate(state as never)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(CacheError)
    expect(error).toMatchObject({ code: 'state' })
  },
)

/** Replaces one thing, anywhere in a plain value, by another. */
function damaged(value: unknown, at: number, by: unknown): unknown {
  let count = 0
  const walk = (part: unknown): unknown => {
    if (count++ === at) return by
    if (Array.isArray(part)) return part.map(walk)
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, walk(inner)]))
  }
  return walk(value)
}

test('a damaged state never makes a later read fail', async () => {
  const server = harness()
  const headers = { 'no-vary-search': 'params' }
  server.origin.serves('/a?b', { cacheControl: 'max-age=60', vary: 'Accept', etag: '"v1"', headers, json: { id: 42 } })
  await server.cache.json('/a?b')
  const state = overTheWire(await server.cache.dehydrate())
  const junk = fc.constantFrom<unknown>(null, 'x y\n', -1, 1e99, [], {}, true, [['a b', 'c']], [null], '__proto__', 700)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 3, max: 80 }), junk, async (at, by) => {
      const { cache } = pageFor(server)
      const odd = damaged(state, at, by) as Dehydrated
      try {
        cache.hydrate(odd)
      } catch (error) {
        expect(error).toBeInstanceOf(CacheError)
      }
      expect((await cache.fetch('/a?b')).status).toBe(200)
      await cache.settled()
      cache.peek('/a?b')
      await cache.purge({ url: '/a?b' })
      expect(await cache.json('/a?b')).toEqual({ id: 42 })
    }),
    { numRuns: 600, seed: 11 },
  )
}, 30_000)
