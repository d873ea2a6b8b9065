import fc from 'fast-check'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const minute = 60_000

test('at most 16 variants of one URL are kept, the least recently stored goes first (F-75, RFC 9111 §4.1)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', ({ headers }) => ({ cacheControl: 'max-age=60', vary: 'X-Id', json: headers['x-id'] }))
  const read = (id: number) => cache.json('/a', { headers: { 'x-id': String(id) } })
  for (let id = 0; id < 2_000; id++) expect(await read(id)).toBe(String(id))
  const { candidates } = await cache.explain('/a')
  expect(candidates.map(({ nominated }) => nominated)).toEqual(
    Array.from({ length: 16 }, (_, index) => [['x-id', String(1_984 + index)]]),
  )
  const asked = origin.requests.length
  for (let id = 1_984; id < 2_000; id++) expect(await read(id)).toBe(String(id))
  expect(origin.requests).toHaveLength(asked)
}, 20_000)

const token = fc.constantFrom(
  ...['max-age', 'max-age=', 'max-age=60', 'max-age="60"', 'MAX-AGE=9999999999999999', 'max-age=-1', 'max-age=1.5'],
  ...['no-store', 'No-Store', 'no-cache', 'no-cache="a"', 'must-revalidate', 'private', 'public', 'immutable'],
  ...['stale-while-revalidate=60', 'stale-if-error=60', 's-maxage=99', 'proxy-revalidate', 'must-understand'],
  ...['"', '\\', '=', ';', '', ' ', '\t', 'x="', '__proto__=1', 'constructor', 'é', '\u00a0', 'max-age=60 no-store'],
)
const directives = fc.array(token, { maxLength: 6 }).map((parts) => parts.join(', '))
const junk = fc.stringMatching(/^[ -~]{0,40}$/)
const field = fc.oneof(
  junk,
  fc.constantFrom('*', 'Accept, *', '"v1"', 'W/"v1"', 'Thu, 01 Jan 2026 00:00:00 GMT', '0', '-1'),
)
const names = ['vary', 'age', 'expires', 'date', 'etag', 'last-modified', 'cache-tag', 'no-vary-search', 'cache-groups']
const more = ['content-length', 'content-range', 'content-type', 'cache-status', 'pragma', '__proto__']
const headers = fc.array(fc.tuple(fc.constantFrom(...names, ...more), field), { maxLength: 5 })

/**
 * A reader of `Cache-Control` that knows nothing but prohibitions, and is stricter than any: whatever looks like one, is one.
 * Quotes mean nothing to it.
 */
const forbids = (value: string, name: string): boolean =>
  value
    .toLowerCase()
    .split(',')
    .some((part) => part.trim() === name)

test('whatever an origin sends, nothing throws, and no prohibition is overlooked (F-77, R7)', async () => {
  await fc.assert(
    fc.asyncProperty(
      directives,
      headers,
      fc.constantFrom(200, 203, 204, 206, 301, 404, 410, 416, 500, 599),
      async (cacheControl, fields, status) => {
        const { cache, origin, clock } = harness()
        const list: Array<[string, string]> = [['cache-control', cacheControl], ...fields]
        const isAscii = list.every(([, value]) => /^[\t\x20-\x7e\xa0-\xff]*$/.test(value))
        fc.pre(isAscii)
        origin.serves('/a?x=1', { status, headers: list, date: false, body: status === 204 ? '' : 'body' })
        for (const wait of [0, 0, 2 * minute]) {
          await clock.advance(wait)
          const response = await cache.fetch('/a?x=1')
          expect([status, 206]).toContain(response.status)
          await response.text()
          await cache.settled()
        }
        await cache.explain('/a?x=2')
        await cache.purge({ tag: 'x' })
        // Twice at the same moment, and once two minutes later: what is forbidden has to be asked for each time.
        const isForbidden =
          (forbids(cacheControl, 'no-store') &&
            !forbids(cacheControl, 'must-understand') &&
            !/["\\]/.test(cacheControl)) ||
          (forbids(cacheControl, 'no-cache') && !/["\\]/.test(cacheControl)) ||
          fields.some(([name, value]) => name === 'vary' && value.split(',').some((one) => one.trim() === '*'))
        if (isForbidden) expect(origin.requests.length).toBeGreaterThanOrEqual(3)
      },
    ),
    { numRuns: 400, seed: 77 },
  )
}, 60_000)

test('whatever a caller asks for, the answer is fetch’s own or an error of fetch’s own (F-77)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(
          fc.constantFrom('cache-control', 'range', 'if-none-match', 'pragma', 'accept', 'authorization', '__proto__'),
          fc.oneof(
            directives,
            field,
            fc.constantFrom('bytes=0-1', 'bytes=-1', 'bytes=9-', 'only-if-cached', 'max-stale'),
          ),
        ),
        { maxLength: 4 },
      ),
      async (fields) => {
        fc.pre(fields.every(([, value]) => /^[\t\x20-\x7e\xa0-\xff]*$/.test(value)))
        const { cache, origin } = harness()
        origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: 'body' })
        for (let turn = 0; turn < 2; turn++) {
          const response = await cache.fetch('/a', { headers: fields })
          expect([200, 206, 304, 416, 504]).toContain(response.status)
          expect('body').toContain(await response.text())
        }
      },
    ),
    { numRuns: 150, seed: 78 },
  )
}, 60_000)

test('a thousand labels, and labels that look like names of objects, are labels (F-78)', async () => {
  const { cache, origin } = harness()
  const tags = ['__proto__', 'constructor', 'hasOwnProperty', ...Array.from({ length: 1_000 }, (_, n) => `t${n}`)]
  origin.serves('/a', { cacheControl: 'max-age=60', tags, json: {} })
  origin.serves('/b', { cacheControl: 'max-age=60', tags: ['b'], json: {} })
  for (const path of ['/a', '/b']) await cache.json(path)
  for (const tag of ['toString', 'valueOf', 't1000', '']) await cache.purge({ tag })
  expect((await cache.explain('/a')).cause).toBe('fresh')
  await cache.purge({ tag: '__proto__' })
  expect((await cache.explain('/a')).cause).toBe('purged')
  expect((await cache.explain('/b')).cause).toBe('fresh')
})

test('one label on very many responses costs one purge (F-78)', async () => {
  const { cache, origin } = harness()
  for (let n = 0; n < 300; n++) {
    origin.serves(`/p/${n}`, { cacheControl: 'max-age=60', tags: ['all'], body: 'x' })
    await (await cache.fetch(`/p/${n}`)).text()
  }
  await cache.settled()
  const { epoch } = await cache.purge({ tag: 'all' })
  expect(epoch.number).toBe(1)
  for (const n of [0, 150, 299]) expect((await cache.explain(`/p/${n}`)).cause).toBe('purged')
}, 20_000)

test.each([
  ['a key called __proto__', '{"__proto__":{"admin":true},"a":1}'],
  ['duplicate keys', '{"a":1,"a":2}'],
  ['a lone surrogate', '{"a":"\\ud800"}'],
  ['a byte order mark', '\ufeff{"a":1}'],
  ['nothing but a number', '1e999'],
  ['null', 'null'],
])('JSON with %s gives what Response.json() gives (F-79)', async (_, body) => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', headers: { 'content-type': 'application/json' }, body })
  const expected = await new Response(body).json()
  for (let turn = 0; turn < 2; turn++) {
    const data = await cache.json<Record<string, unknown>>('/a')
    expect(data).toEqual(expected)
    expect((data as { admin?: unknown } | null)?.admin).toBeUndefined()
  }
  expect(({} as { admin?: unknown }).admin).toBeUndefined()
  expect(origin.requests).toHaveLength(1)
})

test('JSON that is nested a hundred thousand times is parsed, and frozen (F-79)', async () => {
  const { cache, origin } = harness()
  const depth = 100_000
  origin.serves('/deep', { cacheControl: 'max-age=60', body: '['.repeat(depth) + ']'.repeat(depth) })
  const data = await cache.json('/deep').catch((error: Error) => error.message)
  let reached = 0
  for (let part = data; Array.isArray(part); part = part[0]) reached++
  expect(reached).toBe(depth)
})

test('bytes that are not UTF-8 are kept as they are (F-79)', async () => {
  const { cache, origin } = harness()
  const body = new Uint8Array([0xff, 0xfe, 0x00, 0xc3, 0x28])
  origin.serves('/a', { cacheControl: 'max-age=60', body })
  for (let turn = 0; turn < 2; turn++) {
    expect(new Uint8Array(await (await cache.fetch('/a')).arrayBuffer())).toEqual(body)
  }
})

test.each([
  '😀',
  '\0',
  '\0https://origin.test/a',
  'https://origin.test\0group',
  'a, b',
  ' ',
  '*',
  '\ud800',
  '__proto__',
  'é'.repeat(10_000),
])(
  'a caller’s own label %j is a label like any other: a purge of it covers what carries it, and what is under way with it (F-78)',
  async (tag) => {
    const { cache, origin, clock } = harness()
    const init = { nearcache: { tags: [tag] } }
    const read = (path: string) => cache.fetch(path, init).then((response) => response.text())
    origin.serves('/*', { cacheControl: 'max-age=60', body: 'old' })
    await read('/stored')
    await (await cache.fetch('/without')).text()
    const hold = origin.hold('/under-way')
    const early = read('/under-way')
    await clock.settle()
    origin.serves('/*', { cacheControl: 'max-age=60', body: 'new' })
    await cache.purge({ tag })
    const late = read('/under-way')
    await clock.settle()
    hold.release()
    expect([await early, await late]).toEqual(['old', 'new'])
    expect([await read('/stored'), await read('/under-way')]).toEqual(['new', 'new'])
    expect((await cache.explain('/without')).cause).toBe('fresh')
  },
)

test('JSON that is too large to keep is parsed whole for its caller, and nothing of it is held (F-79)', async () => {
  const { cache, origin } = harness({ memory: { maxBytes: 100_000, maxEntryBytes: 50_000 } })
  const data = Array.from({ length: 100_000 }, (_, index) => ({ index }))
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', json: data }))
  for (let turn = 1; turn <= 2; turn++) {
    expect(await cache.json('/a')).toEqual(data)
    expect(origin.requests).toHaveLength(turn)
    expect(cache.stats().memoryBytes).toBe(0)
  }
})
