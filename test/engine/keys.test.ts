import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CacheOptions, trackingParameters } from '../../src/index.ts'
import { causes, harness } from './harness.ts'

/** An origin whose every response says which URL was asked for. */
function echoing(options: CacheOptions = {}, headers: Record<string, string> = {}) {
  const asked: string[] = []
  const echo: typeof fetch = async (input, init) => {
    const { url } = new Request(input, init)
    asked.push(url)
    const fields = { 'cache-control': 'max-age=60', 'content-type': 'application/json', ...headers }
    return new Response(JSON.stringify(url), { headers: fields })
  }
  return { ...harness({ fetch: echo, ...options }), asked }
}

const part = fc.stringMatching(/^[a-z0-9"'[\],;:@$!~*()%+&=?/\\. é_-]{0,12}$/)
const url = fc
  .tuple(fc.constantFrom('https://a.test', 'http://a.test', 'https://a.test:8443', 'https://b.test'), part, part)
  .map(([origin, path, query]) => `${origin}/${path}?${query}`)
  .filter((text) => URL.canParse(text))
const init = fc.constantFrom<RequestInit[]>(
  {},
  { credentials: 'omit' },
  { credentials: 'include' },
  { headers: { authorization: 'a' } },
  { headers: { authorization: 'b' } },
  { headers: { authorization: 'omit' } },
)

test('URLs that differ in anything but the fragment never share a response (RFC 9111 §2)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(url, init), { minLength: 2, maxLength: 8 }), async (requests) => {
      const { cache } = echoing()
      for (const [input, options] of [...requests, ...requests]) {
        const { href, hash } = new URL(input)
        expect(await cache.json(input, options)).toBe(href.slice(0, href.length - hash.length))
      }
    }),
    { numRuns: 100, seed: 3 },
  )
}, 30_000)

test('keys are equal only for equal URLs in equal spaces', async () => {
  const { cache } = harness()
  await fc.assert(
    fc.asyncProperty(url, init, url, init, async (oneUrl, oneInit, otherUrl, otherInit) => {
      const [one, other] = [await cache.explain(oneUrl, oneInit), await cache.explain(otherUrl, otherInit)]
      const isSame = one.url === other.url && JSON.stringify(oneInit) === JSON.stringify(otherInit)
      // Values of Authorization are not shown.
      const isAuthorized = oneInit.headers !== undefined && otherInit.headers !== undefined
      if (!isSame && (one.url !== other.url || !isAuthorized)) expect(one.key).not.toEqual(other.key)
      if (isSame) expect(one.key).toEqual(other.key)
    }),
    { numRuns: 300, seed: 4 },
  )
}, 30_000)

test('the fragment is no part of what is asked for (RFC 9110 §4.2.5)', async () => {
  const { cache, asked } = echoing()
  for (const input of ['/a', '/a#top', '/a#']) await cache.json(input)
  expect(asked).toHaveLength(1)
})

test('GET and HEAD share (RFC 9110 §9.3.2)', async () => {
  const { cache, asked } = echoing()
  await cache.json('/a')
  const head = await cache.fetch('/a', { method: 'HEAD' })
  expect(await head.text()).toBe('')
  expect(asked).toHaveLength(1)
})

test('requests without credentials are a space of their own', async () => {
  const { cache, asked } = echoing()
  await cache.json('/a')
  await cache.json('/a', { credentials: 'omit' })
  expect(asked).toHaveLength(2)
})

test.each([
  ['empty and absent', '/a', '/a?'],
  ['order', '/a?x=1&y=2', '/a?y=2&x=1'],
  ['case', '/a?x=a', '/a?x=A'],
  ['encoding', '/a?x=%61', '/a?x=a'],
  ['utm_*', '/a?utm_source=x', '/a'],
  ['trailing slash', '/a/', '/a'],
])('without a rule %s means something', async (_, one, other) => {
  const { cache, asked } = echoing()
  await cache.json(one)
  await cache.json(other)
  expect(asked).toHaveLength(2)
})

test.each([
  ['ignore', { ignore: ['x'] }, ['/a?x=1&y=2', '/a?y=2', '/a?y=2&x=3', '/a?x&y=2'], '/a?y=3'],
  ['ignore with *', { ignore: ['utm_*'] }, ['/a?utm_source=1', '/a', '/a?utm_=2&utm_medium='], '/a?utm=1'],
  ['ignore, as names are written', { ignore: ['é'] }, ['/a?%C3%A9=1', '/a?é=2', '/a'], '/a?e=1'],
  ['allow', { allow: ['page'] }, ['/a?page=1&x=1', '/a?page=1', '/a?y&page=1'], '/a?page=2'],
  ['allow nothing', { allow: [] }, ['/a?page=1', '/a', '/a?x'], '/b'],
  ['sort', { sort: true }, ['/a?x=1&y=2', '/a?y=2&x=1'], '/a?y=1&x=2'],
])('key.%s: those share, and no others', async (_, key, same, other) => {
  for (const options of [{ key }, { rules: [{ match: '/*', key }] }]) {
    const { cache, asked } = echoing(options)
    for (const input of same) await cache.json(input)
    expect(asked).toHaveLength(1)
    await cache.json(other)
    expect(asked).toHaveLength(2)
  }
})

test('sorting keeps the order of parameters of one name', async () => {
  const { cache, asked } = echoing({ key: { sort: true } })
  await cache.json('/a?x=1&x=2')
  await cache.json('/a?x=2&x=1')
  expect(asked).toHaveLength(2)
})

test('the origin is asked for the URL as it was given', async () => {
  const { cache, asked } = echoing({ key: { ignore: trackingParameters, sort: true } })
  await cache.json('/a?b=1&utm_source=mail&a=2')
  expect(asked).toEqual(['https://origin.test/a?b=1&utm_source=mail&a=2'])
})

test('trackingParameters mean nothing where they are ignored', async () => {
  const { cache, asked } = echoing({ key: { ignore: trackingParameters } })
  for (const name of ['utm_source', 'utm_campaign', 'fbclid', 'gclid', 'msclkid']) await cache.json(`/a?${name}=1&id=7`)
  expect(asked).toHaveLength(1)
})

test('No-Vary-Search: equivalent URLs share from the first response on', async () => {
  const { cache, asked } = echoing({}, { 'no-vary-search': 'params=("session")' })
  await cache.json('/a?id=1&session=x')
  await cache.json('/a?id=1&session=x')
  await cache.json('/a?id=1&session=y')
  await cache.json('/a?id=1')
  expect(asked).toHaveLength(1)
  await cache.json('/a?id=2')
  expect(asked).toHaveLength(2)
})

test.each(['params=("page"', 'params=1', 'params=("a"), except=("b")', 'key-order=?0', 'x'])(
  'No-Vary-Search: %s is none',
  async (value) => {
    const { cache, asked } = echoing({}, { 'no-vary-search': value })
    await cache.json('/a?page=1')
    await cache.json('/a?page=2')
    expect(asked).toHaveLength(2)
  },
)

test('No-Vary-Search says something of its own path only', async () => {
  const { cache, asked } = echoing({}, { 'no-vary-search': 'params' })
  await cache.json('/a?x=1')
  await cache.json('/b?x=1')
  await cache.json('/a/b?x=1')
  expect(asked).toHaveLength(3)
})

const equivalents: ReadonlyArray<[string, CacheOptions, Record<string, string>]> = [
  ['a key rule', { key: { ignore: ['session'] } }, {}],
  ['a rule of the route', { rules: [{ match: '/a*', key: { ignore: ['session'] } }] }, {}],
  ['No-Vary-Search', {}, { 'no-vary-search': 'params=("session")' }],
]

test.each(equivalents)(
  'an unsafe method invalidates what is equivalent by %s (RFC 9111 §4.4)',
  async (_, options, headers) => {
    const { cache, asked, events } = echoing(options, headers)
    await cache.json('/a?id=1&session=x')
    await cache.json('/a?id=2&session=x')
    await cache.fetch('/a?session=y&id=1', { method: 'DELETE' })
    await cache.json('/a?id=1')
    await cache.json('/a?id=2')
    expect(causes(events)).toEqual(['miss', 'miss', 'method', 'invalidated', 'fresh'])
    expect(asked).toHaveLength(4)
  },
)

test.each(equivalents)('a purge of a URL covers what is equivalent by %s', async (_, options, headers) => {
  const { cache, events } = echoing(options, headers)
  await cache.json('/a?id=1&session=x')
  await cache.purge({ url: '/a?id=1&session=z' })
  await cache.json('/a?id=1&session=y')
  expect(causes(events)).toEqual(['miss', 'purged'])
})

test('hostile URLs and queries cost a bounded memory and never fail (F-76)', async () => {
  const { cache } = echoing({ memory: { maxBytes: 200_000 } }, { 'no-vary-search': `params=("${'x'.repeat(60_000)}")` })
  await fc.assert(
    fc.asyncProperty(fc.webUrl({ withQueryParameters: true }), fc.nat({ max: 65_536 }), async (text, length) => {
      await cache.json(`${text}${text.includes('?') ? '&' : '?'}q=${'y'.repeat(length)}`)
      expect(cache.stats().memoryBytes).toBeLessThan(200_000)
    }),
    { numRuns: 100, seed: 5 },
  )
}, 30_000)
