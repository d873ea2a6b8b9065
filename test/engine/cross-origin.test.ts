import { describe, expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causeOf } from './cause-of.ts'
import { pageHarness } from './page-harness.ts'

const THEIRS = 'https://other.test/a'
const EXPOSED = { 'access-control-expose-headers': 'etag, age, date, vary' }
const FRESH = { cacheControl: 'max-age=60', etag: '"v1"', vary: 'accept-language', body: 'one' }

/** A page of one origin that has a response of another one stored. */
async function stored(response: ScriptedResponse = FRESH) {
  const world = pageHarness()
  world.origin.serves(THEIRS, response)
  await (await world.cache.fetch(THEIRS)).text()
  return world
}

describe('across origins no field is ever added: each would cost a preflight (Fetch, CORS-preflight fetch)', () => {
  test.each<[string, RequestInit]>([
    ['a miss', {}],
    ['a validation', { cache: 'no-cache' }],
    ['a reload', { cache: 'reload' }],
    ['HEAD', { method: 'HEAD', cache: 'no-cache' }],
    ['POST', { method: 'POST' }],
  ])('%s', async (_, init) => {
    const { cache, origin } = await stored({ ...FRESH, headers: EXPOSED, lastModified: 0 })
    await cache.fetch(THEIRS, init)
    for (const { headers } of origin.requests) expect(headers).toEqual({})
  })

  test('what is stale is validated by the browser’s cache, in mode no-cache', async () => {
    const { cache, origin, clock } = await stored({ ...FRESH, headers: EXPOSED })
    await clock.advance(60_000)
    await cache.fetch(THEIRS)
    expect(origin.requests.map(({ cacheMode, headers }) => [cacheMode, headers])).toEqual([
      ['no-cache', {}],
      ['no-cache', {}],
    ])
  })

  test('so is a refresh in the stale-while-revalidate window', async () => {
    const { cache, origin, clock } = await stored({
      ...FRESH,
      cacheControl: 'max-age=60, stale-while-revalidate=60',
      headers: EXPOSED,
    })
    await clock.advance(60_000)
    await cache.fetch(THEIRS)
    await cache.settled()
    expect(origin.requests[1]).toMatchObject({ cacheMode: 'no-cache', headers: {} })
  })

  test('a beginning that is stored is not completed by a range of ours', async () => {
    const { cache, origin } = await stored({
      ...FRESH,
      status: 206,
      headers: { 'access-control-expose-headers': '*', 'content-range': 'bytes 0-2/6' },
    })
    origin.serves(THEIRS, { ...FRESH, body: 'onetwo' })
    expect(await (await cache.fetch(THEIRS)).text()).toBe('onetwo')
    for (const { headers } of origin.requests) expect(headers).toEqual({})
  })

  test('the fields that a caller sets go along, and only they', async () => {
    const { cache, origin } = pageHarness()
    origin.serves(THEIRS, FRESH)
    await cache.fetch(THEIRS, { headers: { 'x-mine': '1' } })
    expect(origin.requests[0]?.headers).toEqual({ 'x-mine': '1' })
  })
})

describe('what CORS hides is unknown, not absent (Fetch, CORS-safelisted response-header name)', () => {
  test('a hidden Vary may name anything that script has set: all of it takes part', async () => {
    const { cache, origin } = pageHarness()
    origin.serves(THEIRS, ({ headers }) => ({ cacheControl: 'max-age=60', body: headers['accept-language'] ?? '' }))
    const read = async (language: string) =>
      (await cache.fetch(THEIRS, { headers: { 'accept-language': language } })).text()
    expect(await read('de')).toBe('de')
    expect(await read('fr')).toBe('fr')
    expect(await read('de')).toBe('de')
    expect(origin.requests).toHaveLength(2)
    expect((await cache.explain(THEIRS)).candidates.map(({ vary }) => vary)).toEqual(['unknown', 'unknown'])
    expect((await cache.explain(THEIRS)).cause).toBe('vary-miss')
  })

  test('a visible Vary names what it names', async () => {
    const { cache, origin } = await stored({ ...FRESH, headers: EXPOSED })
    await (await cache.fetch(THEIRS, { headers: { accept: 'x/y' } })).text()
    expect(origin.requests).toHaveLength(1)
    await (await cache.fetch(THEIRS, { headers: { 'accept-language': 'de' } })).text()
    expect(origin.requests).toHaveLength(2)
  })

  test('a hidden Date and Age: it is as old as its stay here, counted from the request', async () => {
    const { cache, clock } = await stored({ ...FRESH, headers: { age: '30' }, date: 0 })
    expect((await cache.explain(THEIRS)).numbers?.ageMs).toBe(0)
    await clock.advance(59_000)
    expect(causeOf(await cache.fetch(THEIRS))).toBe('fresh')
  })

  test('a visible Age counts (RFC 9111 §4.2.3)', async () => {
    const { cache } = await stored({ ...FRESH, headers: { ...EXPOSED, age: '30' } })
    expect((await cache.explain(THEIRS)).numbers?.ageMs).toBe(30_000)
  })

  test('the length of a coded body is no length to check by: its coding is hidden (RFC 9110 §8.6)', async () => {
    const { cache } = await stored({ ...FRESH, headers: { 'content-encoding': 'gzip', 'content-length': '999' } })
    expect((await cache.explain(THEIRS)).cause).toBe('fresh')
  })
})

describe('the browser’s own validation', () => {
  test('the same validator again: confirmed below, and said so (Fetch, HTTP-network-or-cache fetch)', async () => {
    const { cache, clock } = await stored({ ...FRESH, headers: EXPOSED })
    await clock.advance(60_000)
    const response = await cache.fetch(THEIRS)
    expect(causeOf(response)).toBe('browser-validated')
    expect(await response.text()).toBe('one')
    expect(causeOf(await cache.fetch(THEIRS))).toBe('fresh')
  })

  test('another validator: a new response', async () => {
    const { cache, origin, clock } = await stored({ ...FRESH, headers: EXPOSED })
    await clock.advance(60_000)
    origin.serves(THEIRS, { ...FRESH, etag: '"v2"', headers: EXPOSED, body: 'two' })
    const response = await cache.fetch(THEIRS)
    expect(causeOf(response)).toBe('expired')
    expect(await response.text()).toBe('two')
  })

  test('a hidden validator confirms nothing', async () => {
    const { cache, clock } = await stored()
    await clock.advance(60_000)
    expect(causeOf(await cache.fetch(THEIRS))).toBe('expired')
  })
})

describe('what script may not see', () => {
  test('an opaque response is handed back itself, and never stored (Fetch, opaque filtered response; F-38)', async () => {
    const { cache, origin } = pageHarness()
    origin.serves(THEIRS, FRESH)
    for (let read = 0; read < 2; read++) {
      const response = await cache.fetch(THEIRS, { mode: 'no-cors' })
      expect([response.type, response.status, response.url]).toEqual(['opaque', 0, ''])
    }
    expect(origin.requests).toHaveLength(2)
    expect((await cache.explain(THEIRS)).candidates).toEqual([])
  })

  test('F-31, F-39: a failure is fetch’s TypeError, whatever lies behind it: asked once, and nothing remembered against the origin', async () => {
    const { cache, origin } = pageHarness()
    origin.serves(THEIRS, FRESH)
    origin.fails(THEIRS, 'network', 1)
    await expect(cache.fetch(THEIRS)).rejects.toThrow(TypeError)
    expect(origin.requests).toHaveLength(1)
    expect(await (await cache.fetch(THEIRS)).text()).toBe('one')
    expect(origin.requests).toHaveLength(2)
  })

  test('F-31: an origin that refuses is never served stale without end (RFC 5861 §4)', async () => {
    const { cache, origin, clock } = await stored({
      ...FRESH,
      cacheControl: 'max-age=60, stale-if-error=60',
      headers: EXPOSED,
    })
    origin.fails(THEIRS, 'network')
    await clock.advance(90_000)
    expect(causeOf(await cache.fetch(THEIRS))).toBe('stale-if-error')
    await clock.advance(31_000)
    await expect(cache.fetch(THEIRS)).rejects.toThrow(TypeError)
  })

  test('credentials make a space of their own: what came without them is not served with them, nor the other way round (Fetch, credentials mode)', async () => {
    const { cache, origin } = pageHarness()
    origin.serves(THEIRS, ({ credentials }) => ({ ...FRESH, body: credentials }))
    const read = async (credentials: RequestCredentials) => (await cache.fetch(THEIRS, { credentials })).text()
    expect(await read('omit')).toBe('omit')
    expect(await read('include')).toBe('include')
    expect(await read('same-origin')).toBe('omit') // none are sent there either
    expect(origin.requests).toHaveLength(2)
  })
})
