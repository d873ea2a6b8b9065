import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test.each([
  ['cache: no-store', { cache: 'no-store' }],
  ['integrity', { integrity: 'sha256-LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564=' }],
] as ReadonlyArray<readonly [string, RequestInit]>)(
  'a POST that bypasses the cache is not stored, whatever its Content-Location says: %s (Fetch, cache mode)',
  async (_, init) => {
    const { cache, origin } = harness({ fetch: (input, { integrity: __, ...rest } = {}) => origin.fetch(input, rest) })
    origin.serves('/a', ({ method }) => ({
      cacheControl: 'max-age=600',
      headers: { 'content-location': '/a' },
      body: `by ${method}`,
    }))
    await text(cache.fetch('/a', { method: 'POST', body: 'x', ...init }))
    await cache.settled()
    expect(await text(cache.fetch('/a'))).toBe('by GET')
  },
)

test('json() keeps the reference over a 200 with identical bytes, asked for by reload', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
  const before = await cache.json('/a')
  expect(await cache.json('/a', { cache: 'reload' })).toBe(before)
})

test('labels that a caller has given stay when another caller’s read refreshes the response (as they do over a 304)', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=1, stale-while-revalidate=60', body: `v${seq}` }))
  await text(cache.fetch('/a', { nearcache: { tags: ['mine'] } }))
  await clock.advance(2_000)
  await text(cache.fetch('/a'))
  await cache.settled()
  expect((await cache.explain('/a')).candidates.map(({ tags }) => tags)).toEqual([['mine']])
})

test.each([
  ['the label of the first', { tag: 'mine' }],
  ['that of the second', { tag: 'other' }],
  ['one of the origin', { tag: 't999' }],
  ['a URL that means the same', { url: '/a?utm_source=2' }],
])('a response that brings 1,000 tags is purged by all labels that callers gave it: %s', async (_, selector) => {
  const { cache, origin } = harness({ key: { ignore: ['utm_source'] } })
  const many = Array.from({ length: 1000 }, (_, index) => `t${index}`).join(',')
  origin.serves('/a*', { cacheControl: 'max-age=600', headers: { 'cache-tag': many }, body: 'a' })
  for (const tag of ['mine', 'other'])
    await text(cache.fetch('/a?utm_source=1', { cache: 'reload', nearcache: { tags: [tag] } }))
  await cache.settled()
  await cache.purge(selector, { mode: 'hard' })
  expect((await cache.explain('/a?utm_source=1')).cause).toBe('purged')
})
