import { expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/scripted-origin.ts'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'

const LAST_MODIFIED = 'Wed, 31 Dec 2025 00:00:00 GMT'

/** A cache that has `/a` stored with these validators, a minute of freshness behind it. */
async function stale(stored: ScriptedResponse = { etag: '"v1"' }, options = {}) {
  const world = harness(options)
  world.origin.serves('/a', { cacheControl: 'max-age=60', body: 'one', ...stored })
  await (await world.cache.fetch('/a')).text()
  await world.clock.advance(60_000)
  return world
}

test('a validation sends both validators byte for byte, and max-age=0 beside them (RFC 9111 §4.3.1)', async () => {
  const { cache, origin } = await stale({ etag: 'W/"odd \\ tag"', lastModified: LAST_MODIFIED })
  expect(causeOf(await cache.fetch('/a'))).toBe('validated')
  expect(origin.requests[1]).toMatchObject({
    ifNoneMatch: 'W/"odd \\ tag"',
    ifModifiedSince: LAST_MODIFIED,
    cacheControl: 'max-age=0',
  })
})

test('Last-Modified alone is sent back as the origin wrote it (RFC 9111 §4.3.1)', async () => {
  const { cache, origin } = await stale({ lastModified: 'Wednesday, 31-Dec-25 00:00:00 GMT' })
  await cache.fetch('/a')
  expect(origin.requests[1]?.ifNoneMatch).toBeUndefined()
  expect(origin.requests[1]?.ifModifiedSince).toBe('Wednesday, 31-Dec-25 00:00:00 GMT')
})

test('a stored response without a validator is fetched anew, without conditions', async () => {
  const { cache, origin } = await stale({})
  expect(causeOf(await cache.fetch('/a'))).toBe('expired')
  expect(Object.keys(origin.requests[1]?.headers ?? {})).not.toContain('if-none-match')
  expect(origin.requests[1]?.cacheControl).toBeUndefined()
})

test('a 304 freshens fields and lifetime, and the caller gets the stored body as a 200 (RFC 9111 §4.3.4, §3.2)', async () => {
  const { cache, origin, clock } = await stale({ etag: '"v1"', headers: { 'x-note': 'old', 'x-kept': 'yes' } })
  origin.serves('/a', {
    etag: '"v1"',
    cacheControl: 'max-age=600',
    body: 'one',
    headers: { 'x-note': 'new', 'x-added': '1', 'content-length': '999', 'content-encoding': 'gzip' },
  })
  const response = await cache.fetch('/a')
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('one')
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'x-note': 'new',
    'x-kept': 'yes',
    'x-added': '1',
    age: '0',
  })
  expect(response.headers.get('content-length')).toBe('3')
  expect(response.headers.get('content-encoding')).toBeNull()
  await clock.advance(599_000)
  expect(causeOf(await cache.fetch('/a'))).toBe('fresh')
  expect(origin.requests).toHaveLength(2)
})

test('the age after a 304 is that of the validation, not of the first fetch (RFC 9111 §4.2.3)', async () => {
  const { cache, origin, clock } = await stale({ etag: '"v1"', headers: { age: '30' } })
  origin.serves('/a', { etag: '"v1"', cacheControl: 'max-age=60', body: 'one' })
  await cache.fetch('/a')
  await clock.advance(7_000)
  const response = await cache.fetch('/a')
  expect(causeOf(response)).toBe('fresh')
  expect(response.headers.get('age')).toBe('7')
})

test('the time that a validation takes counts as age, since the 304 may have been made when it began (RFC 9111 §4.2.3)', async () => {
  const { cache, origin, clock } = await stale({ etag: '"v1"' })
  origin.serves('/a', { etag: '"v1"', cacheControl: 'max-age=60', body: 'one', delayMs: 20_000, date: false })
  const asked = cache.fetch('/a')
  await clock.advance(20_000)
  await asked
  expect((await cache.fetch('/a')).headers.get('age')).toBe('20')
  await clock.advance(40_000)
  expect((await cache.explain('/a')).cause).toBe('expired')
})

test('a 200 to a validation replaces what is stored (RFC 9111 §4.3.3)', async () => {
  const { cache, origin } = await stale()
  origin.serves('/a', { etag: '"v2"', cacheControl: 'max-age=60', body: 'two' })
  expect(await (await cache.fetch('/a')).text()).toBe('two')
  expect(await (await cache.fetch('/a')).text()).toBe('two')
  expect(origin.requests).toHaveLength(2)
})

test('a 404 to a validation is the answer, and freshens nothing (RFC 9111 §4.3.3)', async () => {
  const { cache, origin } = await stale()
  origin.serves('/a', { status: 404, body: 'gone', headers: { 'cache-control': 'no-cache' } })
  expect((await cache.fetch('/a')).status).toBe(404)
  origin.serves('/a', { etag: '"v1"', cacheControl: 'max-age=60', body: 'one' })
  await cache.fetch('/a')
  expect(origin.requests).toHaveLength(3)
})

test('a 304 that names another entity tag freshens nothing: one request without conditions follows (RFC 9111 §4.3.4; F-30)', async () => {
  const { cache, origin } = await stale()
  origin.serves('/a', ({ ifNoneMatch }) =>
    ifNoneMatch
      ? { status: 304, etag: '"v2"', cacheControl: 'max-age=600' }
      : { etag: '"v2"', cacheControl: 'max-age=60', body: 'two' },
  )
  const response = await cache.fetch('/a')
  expect(response.status).toBe(200)
  expect(response.headers.get('etag')).toBe('"v2"')
  expect(await response.text()).toBe('two')
  expect(origin.requests.map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([undefined, '"v1"', undefined])
  expect(await (await cache.fetch('/a')).text()).toBe('two')
  expect(origin.requests).toHaveLength(3)
})

test.each([
  ['"v1"', 'W/"v1"', true],
  ['W/"v1"', 'W/"v1"', true],
  ['W/"v1"', '"v1"', false],
  ['"v1"', '"v2"', false],
])('stored %s, 304 with %s: freshened %s (RFC 9111 §4.3.4)', async (stored, named, isFreshened) => {
  const { cache, origin } = await stale({ etag: stored })
  origin.serves('/a', ({ ifNoneMatch }) =>
    ifNoneMatch
      ? { status: 304, etag: named, cacheControl: 'max-age=60' }
      : { etag: named, cacheControl: 'max-age=60', body: 'fetched' },
  )
  expect(await (await cache.fetch('/a')).text()).toBe(isFreshened ? 'one' : 'fetched')
  expect(origin.requests).toHaveLength(isFreshened ? 2 : 3)
})

test('two origin servers that disagree about the tag never mix head and body, at two requests a read (F-30)', async () => {
  const { cache, origin, clock } = harness()
  let served = 0
  origin.serves('/a', ({ ifNoneMatch }) => {
    const node = served++ % 2 === 0 ? 'A' : 'B'
    // Each answers 304 to anything, and names its own tag.
    return ifNoneMatch
      ? { status: 304, etag: `"${node}"`, cacheControl: 'max-age=1' }
      : { etag: `"${node}"`, cacheControl: 'max-age=1', body: node }
  })
  for (let read = 0; read < 20; read++) {
    const before = origin.requests.length
    const response = await cache.fetch('/a')
    expect(response.headers.get('etag')).toBe(`"${await response.text()}"`)
    expect(origin.requests.length - before).toBeLessThanOrEqual(2)
    await clock.advance(1_000)
  }
})

test('a 304 to a request without conditions is an error, never a caller’s empty answer (RFC 9110 §15.4.5; F-29)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { status: 304, cacheControl: 'max-age=60' })
  await expect(cache.fetch('/a')).rejects.toThrow(TypeError)
  expect(origin.requests).toHaveLength(1)
})

test('when the request without conditions is answered 304 too, it ends there (RFC 9111 §4.3.4)', async () => {
  const { cache, origin } = await stale()
  origin.serves('/a', { status: 304, etag: '"v2"' })
  await expect(cache.fetch('/a')).rejects.toThrow('304')
  expect(origin.requests).toHaveLength(3)
})

test('a 304 that came by way of a redirect freshens nothing: another server’s word (Fetch, HTTP-redirect fetch; VA-9)', async () => {
  const { cache, origin } = await stale()
  origin.serves('/a', ({ ifNoneMatch }) =>
    ifNoneMatch ? { redirect: '/b' } : { etag: '"v1"', cacheControl: 'max-age=60', body: 'asked anew' },
  )
  origin.serves('/b', { status: 304, etag: '"v1"', cacheControl: 'max-age=600' })
  expect(await (await cache.fetch('/a')).text()).toBe('asked anew')
  expect(origin.requests.map(({ path, ifNoneMatch }) => [path, ifNoneMatch])).toEqual([
    ['/a', undefined],
    ['/a', '"v1"'],
    ['/b', '"v1"'],
    ['/a', undefined],
  ])
})

test('a 304 with no-store serves this caller, and what is stored is used no more (RFC 9111 §5.2.2.5)', async () => {
  const { cache, origin } = await stale()
  origin.serves('/a', { etag: '"v1"', cacheControl: 'no-store', body: 'one' })
  expect(await (await cache.fetch('/a')).text()).toBe('one')
  expect((await cache.explain('/a')).candidates).toEqual([])
  await cache.fetch('/a')
  expect(origin.requests[2]?.ifNoneMatch).toBeUndefined()
})

test('a 304 without Cache-Control keeps what the stored response said (RFC 9111 §3.2)', async () => {
  const { cache, origin, clock } = await stale()
  origin.serves('/a', { etag: '"v1"', body: 'one' })
  await cache.fetch('/a')
  await clock.advance(59_000)
  expect((await cache.explain('/a')).cause).toBe('fresh')
})

test('what was evicted while its validation was under way is answered whole, once asked (RFC 9111 §4.3.4; F-29)', async () => {
  const { cache, origin, events } = await stale({ etag: '"v1"' }, { memory: { maxBytes: 3_000, maxEntryBytes: 3_000 } })
  const hold = origin.hold('/a')
  const validating = cache.fetch('/a')
  const isEvicted = () => events.some((event) => event.type === 'evicted' && event.key[0]?.endsWith('/a'))
  for (let other = 0; other < 5; other++) {
    origin.serves(`/other${other}`, { cacheControl: 'max-age=60', body: 'x'.repeat(1_500) })
    await (await cache.fetch(`/other${other}`)).text()
  }
  expect(isEvicted()).toBe(true)
  hold.release()
  const response = await validating
  expect(response.status).toBe(200)
  expect(await response.text()).toBe('one')
  await cache.settled()
  expect(await (await cache.fetch('/a')).text()).toBe('one')
  expect(origin.requests.filter(({ path }) => path === '/a')).toHaveLength(2)
})

test('a response that must always be validated is kept, and validated each time (RFC 9111 §5.2.2.4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'no-cache', etag: '"v1"', body: 'one' })
  for (let read = 0; read < 3; read++) expect(await (await cache.fetch('/a')).text()).toBe('one')
  expect(origin.requests.map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([undefined, '"v1"', '"v1"'])
})

test('a validation repeats the nominated fields of its request, and freshens the variant that it names (RFC 9111 §4.3.1)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', ({ headers }) => ({
    cacheControl: 'max-age=60',
    vary: 'accept-language',
    etag: `"${headers['accept-language']}"`,
    body: headers['accept-language'] ?? '',
  }))
  const read = async (language: string) =>
    (await cache.fetch('/a', { headers: { 'accept-language': language } })).text()
  await read('de')
  await read('fr')
  await clock.advance(60_000)
  expect(await read('de')).toBe('de')
  expect(origin.requests[2]).toMatchObject({ ifNoneMatch: '"de"', headers: { 'accept-language': 'de' } })
  expect(await read('fr')).toBe('fr')
  expect(origin.requests[3]).toMatchObject({ ifNoneMatch: '"fr"', headers: { 'accept-language': 'fr' } })
})

test.each([
  ['if-none-match', '"mine"'],
  ['if-modified-since', LAST_MODIFIED],
  ['if-match', '"mine"'],
  ['if-unmodified-since', LAST_MODIFIED],
  ['if-range', '"mine"'],
])(
  'a caller that sets %s itself gets the raw answer, and the store is left alone (Fetch, HTTP-network-or-cache fetch)',
  async (name, value) => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: 'one' })
    await (await cache.fetch('/a')).text()
    origin.serves('/a', { status: 304, etag: '"mine"' })
    const response = await cache.fetch('/a', { headers: { [name]: value } })
    expect(response.status).toBe(304)
    expect(causeOf(response)).toBe('bypass')
    expect(causeOf(await cache.fetch('/a'))).toBe('fresh')
  },
)

test('two hundred validations leave no body open (RFC 9111 §4.3)', async () => {
  let open = 0
  const { cache, origin, clock } = harness({
    async fetch(input, init) {
      const response = await origin.fetch(input, init)
      if (response.status !== 304) return response
      open++
      const body = new ReadableStream({ cancel: () => void open-- })
      return Object.defineProperties(response, { body: { value: body } })
    },
  })
  origin.serves('/a', { cacheControl: 'max-age=1', etag: '"v1"', body: 'one' })
  await (await cache.fetch('/a')).text()
  for (let turn = 0; turn < 200; turn++) {
    await clock.advance(1_000)
    expect(causeOf(await cache.fetch('/a'))).toBe('validated')
  }
  expect(open).toBe(0)
})
