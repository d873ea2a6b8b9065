import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

/** Three responses: two in the group `basket`, the third in `basket` of another origin and in `Basket` of ours. */
async function stored() {
  const world = harness()
  const { cache, origin } = world
  const fresh = { cacheControl: 'max-age=600, stale-while-revalidate=600, stale-if-error=600', etag: '"v1"', body: 'x' }
  origin.serves('GET /a', { ...fresh, headers: { 'cache-groups': '"basket", "other"' } })
  origin.serves('GET /b', { ...fresh, headers: { 'cache-groups': '"basket";x=1' } })
  origin.serves('GET /c', { ...fresh, headers: { 'cache-groups': '"other", "Basket"' } })
  origin.serves('GET https://else.test/d', { ...fresh, headers: { 'cache-groups': '"basket"' } })
  const urls = ['/a', '/b', '/c', 'https://else.test/d']
  for (const url of urls) await (await cache.fetch(url)).text()
  await cache.settled()
  const causes = async () => (await Promise.all(urls.map((url) => cache.explain(url)))).map(({ cause }) => cause)
  return { ...world, causes }
}
const all = ['fresh', 'fresh', 'fresh', 'fresh']

describe('Cache-Group-Invalidation (RFC 9875 §3)', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'BUY'])(
    'on a response to %s invalidates the members of that group of that origin',
    async (method) => {
      const { cache, origin, causes } = await stored()
      origin.serves(`${method} /write`, { headers: { 'cache-group-invalidation': '"basket"' } })
      await cache.fetch('/write', { method })
      expect(await causes()).toEqual(['invalidated', 'invalidated', 'fresh', 'fresh'])
    },
  )

  test.each(['GET', 'HEAD', 'OPTIONS', 'QUERY'])(
    'on a response to a safe method, %s, is ignored (§3: MUST)',
    async (method) => {
      const { cache, origin, causes } = await stored()
      origin.serves(`${method} /write`, { headers: { 'cache-group-invalidation': '"basket"' } })
      await cache.fetch('/write', { method })
      expect(await causes()).toEqual(all)
    },
  )

  test.each([400, 404, 500, 503])(
    'on a response that failed, %i, invalidates nothing (RFC 9111 §4.4)',
    async (status) => {
      const { cache, origin, causes } = await stored()
      origin.serves('POST /write', { status, headers: { 'cache-group-invalidation': '"basket"' } })
      await cache.fetch('/write', { method: 'POST' })
      expect(await causes()).toEqual(all)
    },
  )

  test.each(['basket', '"basket', '"basket", 1', '("basket")', '"Basket "'])(
    '%s names no such group: Strings, compared character by character (§2.1)',
    async (value) => {
      const { cache, origin, causes } = await stored()
      origin.serves('POST /write', { headers: { 'cache-group-invalidation': value } })
      await cache.fetch('/write', { method: 'POST' })
      expect(await causes()).toEqual(all)
    },
  )

  test('of another origin is about groups of that origin alone (§2.1)', async () => {
    const { cache, origin, causes } = await stored()
    origin.serves('POST https://else.test/write', { headers: { 'cache-group-invalidation': '"basket"' } })
    await cache.fetch('https://else.test/write', { method: 'POST' })
    expect(await causes()).toEqual(['fresh', 'fresh', 'fresh', 'invalidated'])
  })

  test('does not cascade: what shares another group with an invalidated response stays (§2.2.1)', async () => {
    const { cache, origin, causes } = await stored()
    origin.serves('POST /write', { headers: { 'cache-group-invalidation': '"Basket"' } })
    await cache.fetch('/write', { method: 'POST' })
    expect(await causes()).toEqual(['fresh', 'fresh', 'invalidated', 'fresh'])
  })

  test('with 32 groups of 32 characters and more is read whole (§2, §3)', async () => {
    const { cache, origin, causes } = await stored()
    const others = Array.from({ length: 99 }, (_, index) => `"${String(index).padStart(64, 'x')}"`)
    origin.serves('POST /write', { headers: { 'cache-group-invalidation': [...others, '"basket"'].join(', ') } })
    await cache.fetch('/write', { method: 'POST' })
    expect(await causes()).toEqual(['invalidated', 'invalidated', 'fresh', 'fresh'])
  })
})

test('what becomes stale by time takes nothing with it (§2.2.1 is about invalidation)', async () => {
  const { cache, origin, clock, causes } = await stored()
  origin.serves('GET /short', { cacheControl: 'max-age=1', body: 'x', headers: { 'cache-groups': '"basket"' } })
  await (await cache.fetch('/short')).text()
  await clock.advance(5_000)
  await (await cache.fetch('/short')).text()
  expect(await causes()).toEqual(all)
})

test('a caller purges a group by its name, as a tag', async () => {
  const { cache, causes } = await stored()
  await cache.purge({ tag: 'basket' }, { mode: 'hard' })
  expect(await causes()).toEqual(['purged', 'purged', 'fresh', 'purged'])
})

describe('a 304', () => {
  const tagged = async (headers: Record<string, string>) => {
    const { cache, origin } = harness()
    const serve = (more: Record<string, string>) =>
      origin.serves('/a', { cacheControl: 'max-age=600', etag: '"v1"', body: 'x', headers: more })
    serve({ 'nearcache-tag': 'old, both' })
    await (await cache.fetch('/a')).text()
    serve(headers)
    await cache.fetch('/a', { cache: 'no-cache' })
    await cache.settled()
    return (await cache.explain('/a')).candidates[0]?.tags
  }

  test('that carries tags replaces them; they are judged anew from then on (F-60)', async () => {
    expect(await tagged({ 'nearcache-tag': 'new, both' })).toEqual(['new', 'both'])
  })

  test('that carries none keeps them', async () => {
    expect(await tagged({})).toEqual(['old', 'both'])
  })

  test.each(['old', 'new'])('under way while %s is purged: judged by old and new tags (F-60)', async (tag) => {
    const { cache, origin, clock } = harness()
    const serve = (tags: string) =>
      origin.serves('/a', { cacheControl: 'max-age=600', etag: '"v1"', body: 'x', headers: { 'cache-tag': tags } })
    serve('old')
    await (await cache.fetch('/a')).text()
    serve('new')
    const hold = origin.hold('/a')
    const validating = cache.fetch('/a', { cache: 'no-cache' })
    await clock.settle()
    await cache.purge({ tag }, { mode: 'hard' })
    hold.release()
    await (await validating).text()
    await cache.settled()
    expect((await cache.explain('/a')).decision).toBe('forward')
  })
})

test('a project’s own field is read by its name, in any case', async () => {
  const { cache, origin } = harness({ tagField: 'Shop-Tags' })
  origin.serves('/a', {
    cacheControl: 'max-age=600',
    body: 'x',
    headers: { 'shop-tags': 'a, b', 'nearcache-tag': 'c' },
  })
  await (await cache.fetch('/a')).text()
  await cache.settled()
  expect((await cache.explain('/a')).candidates[0]?.tags).toEqual(['a', 'b'])
  await cache.purge({ tag: 'b' })
  expect((await cache.explain('/a')).cause).toBe('purged')
})

test('a tag field that is no field name is refused', () => {
  expect(() => harness({ tagField: 'a b' })).toThrow(
    expect.objectContaining({
      code: 'option',
      path: 'tagField',
      message: expect.stringContaining('the name of a field'),
    }),
  )
})

test('1,000 tags, 16 KiB fields and odd names are kept within limits, and purge what they should (F-78)', async () => {
  const { cache, origin } = harness()
  const names = ['__proto__', 'constructor', 'toString', 'é', '😀']
  for (const [index, name] of names.entries()) {
    const encoded = [...new TextEncoder().encode(name)].map((byte) => String.fromCharCode(byte)).join('')
    origin.serves(`/${index}`, { cacheControl: 'max-age=600', body: 'x', headers: { 'cache-tag': encoded } })
    await (await cache.fetch(`/${index}`)).text()
  }
  const many = Array.from({ length: 2000 }, (_, index) => `t${index}`)
  origin.serves('/many', { cacheControl: 'max-age=600', body: 'x', headers: { 'cache-tag': many.join() } })
  await (await cache.fetch('/many')).text()
  await cache.settled()
  expect((await cache.explain('/many')).candidates[0]?.tags).toEqual(many.slice(0, 1000))
  await cache.purge({ tags: ['__proto__', 't999'] })
  const causes = await Promise.all(['/0', '/1', '/2', '/many'].map(async (url) => (await cache.explain(url)).cause))
  expect(causes).toEqual(['purged', 'fresh', 'fresh', 'purged'])
})
