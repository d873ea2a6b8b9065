import { describe, expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'
import { pageHarness } from './page-harness.ts'

/** A cache that has these paths stored, fresh for a minute; `GET` responses go before what the test lets other methods answer. */
async function stored(paths: readonly string[], response: ScriptedResponse = {}, make = harness) {
  const world = make()
  for (const path of paths) {
    world.origin.serves(`GET ${path}`, {
      cacheControl: 'max-age=60, stale-while-revalidate=60',
      body: path,
      ...response,
    })
    await (await world.cache.fetch(path)).text()
  }
  return world
}

const causeFor = async ({ cache }: Awaited<ReturnType<typeof stored>>, path: string) =>
  (await cache.explain(path)).cause

describe('a successful unsafe method invalidates (RFC 9111 §4.4)', () => {
  test.each([
    ['POST', 200],
    ['PUT', 201],
    ['PATCH', 204],
    ['DELETE', 204],
    ['BREW', 200],
    ['post', 200],
    ['POST', 304],
    ['POST', 399],
  ])('%s answered %s: validated before its next use, though fresh', async (method, status) => {
    const world = await stored(['/a'])
    world.origin.serves(`${method === 'post' ? 'POST' : method} /a`, { status })
    await world.cache.fetch('/a', { method })
    expect(await causeFor(world, '/a')).toBe('invalidated')
    expect(causeOf(await world.cache.fetch('/a'))).toBe('invalidated')
    await world.cache.settled()
    expect(causeOf(await world.cache.fetch('/a'))).toBe('fresh')
  })

  test.each([400, 403, 404, 409, 412, 422, 429, 500, 503])('%s to a POST invalidates nothing', async (status) => {
    const world = await stored(['/a', '/b'])
    world.origin.serves('POST /a', {
      status,
      headers: { location: '/b', 'content-location': '/b', 'cache-group-invalidation': '"g"' },
    })
    await world.cache.fetch('/a', { method: 'POST' })
    expect(await causeFor(world, '/a')).toBe('fresh')
    expect(await causeFor(world, '/b')).toBe('fresh')
  })

  test('a POST that fails on the way invalidates nothing', async () => {
    const world = await stored(['/a'])
    world.origin.serves('POST /a', { fault: 'network' })
    await expect(world.cache.fetch('/a', { method: 'POST' })).rejects.toThrow(TypeError)
    expect(await causeFor(world, '/a')).toBe('fresh')
  })

  test.each(['OPTIONS', 'QUERY'])('%s is safe and invalidates nothing (RFC 9110 §9.2.1, RFC 10008)', async (method) => {
    const world = await stored(['/a'])
    world.origin.serves(`${method} /a`, { headers: { 'cache-group-invalidation': '"g"', location: '/a' } })
    await world.cache.fetch('/a', { method })
    expect(await causeFor(world, '/a')).toBe('fresh')
  })

  test('all variants, and not one other URL', async () => {
    const world = await stored(['/a', '/a?x', '/b'], { vary: 'accept-language' })
    await (await world.cache.fetch('/a', { headers: { 'accept-language': 'de' } })).text()
    world.origin.serves('POST /a', {})
    await world.cache.fetch('/a#part', { method: 'POST' })
    expect(await causeFor(world, '/a')).toBe('invalidated')
    expect((await world.cache.explain('/a', { headers: { 'accept-language': 'de' } })).cause).toBe('invalidated')
    expect(await causeFor(world, '/a?x')).toBe('fresh')
    expect(await causeFor(world, '/b')).toBe('fresh')
  })

  test('Location and Content-Location of the same origin, relative or absolute', async () => {
    const world = await stored(['/a', '/b', '/c', '/d'])
    world.origin.serves('POST /a', {
      status: 201,
      headers: { location: 'b', 'content-location': 'https://origin.test/c' },
    })
    await world.cache.fetch('/a', { method: 'POST' })
    expect(await Promise.all(['/a', '/b', '/c', '/d'].map((path) => causeFor(world, path)))).toEqual([
      'invalidated',
      'invalidated',
      'invalidated',
      'fresh',
    ])
  })

  test.each([
    'https://other.test/a',
    'http://origin.test/a',
    'https://origin.test:8443/a',
    'https://origin.test.evil.test/a',
    '//other.test/a',
  ])('never %s: another origin’s (RFC 9111 §4.4)', async (location) => {
    const { cache, origin } = harness()
    const absolute = new URL(location, origin.url).href
    origin.serves(`GET ${absolute}`, { cacheControl: 'max-age=60', body: 'theirs' })
    await (await cache.fetch(absolute)).text()
    origin.serves('POST /form', { status: 201, headers: { location, 'content-location': location } })
    await cache.fetch('/form', { method: 'POST' })
    expect((await cache.explain(absolute)).cause).toBe('fresh')
  })

  test('before its response is handed over: whoever reads then asks the origin', async () => {
    const world = await stored(['/a'])
    world.origin.serves('POST /a', {})
    const causes: Array<string | undefined> = []
    await world.cache.fetch('/a', { method: 'POST' }).then(() => {
      causes.push(world.cache.peek('/a')?.cause)
      return causeFor(world, '/a').then((cause) => causes.push(cause))
    })
    expect(causes).toEqual([undefined, 'invalidated'])
  })

  test('what was asked for before the POST and comes after it is not fresh either', async () => {
    const world = await stored([])
    world.origin.serves('GET /a', { cacheControl: 'max-age=60', body: 'before' })
    world.origin.serves('POST /a', {})
    const hold = world.origin.hold('GET /a')
    const early = world.cache.fetch('/a')
    await world.cache.fetch('/a', { method: 'POST' })
    hold.release()
    expect(await (await early).text()).toBe('before')
    await world.cache.settled()
    expect(await causeFor(world, '/a')).toBe('invalidated')
  })

  test('invalidated is stricter than stale: no window allows it, no error revives it', async () => {
    const world = await stored(['/a'], { cacheControl: 'max-age=60, stale-while-revalidate=600, stale-if-error=600' })
    world.origin.serves('POST /a', {})
    await world.cache.fetch('/a', { method: 'POST' })
    world.origin.serves('GET /a', { status: 503 })
    expect((await world.cache.fetch('/a', { headers: { 'cache-control': 'max-stale' } })).status).toBe(503)
  })

  test('an invalidated response keeps its validator: a 304 makes it good again', async () => {
    const world = await stored(['/a'], { etag: '"v1"' })
    world.origin.serves('POST /a', {})
    await world.cache.fetch('/a', { method: 'POST' })
    const response = await world.cache.fetch('/a')
    expect(causeOf(response)).toBe('validated')
    expect(await response.text()).toBe('/a')
    expect(await causeFor(world, '/a')).toBe('fresh')
  })
})

describe('groups (RFC 9875)', () => {
  test('Cache-Group-Invalidation of an unsafe method invalidates the members, of the same origin and the same case', async () => {
    const world = await stored(['/in'], { headers: { 'cache-groups': '"shoes", "all"' } })
    for (const [path, groups] of [['/other', '"Shoes"'] as const, ['https://other.test/in', '"shoes"'] as const]) {
      world.origin.serves(`GET ${path}`, { cacheControl: 'max-age=60', body: 'x', headers: { 'cache-groups': groups } })
      await (await world.cache.fetch(path)).text()
    }
    world.origin.serves('POST /form', { headers: { 'cache-group-invalidation': '"shoes"' } })
    await world.cache.fetch('/form', { method: 'POST' })
    expect(await causeFor(world, '/in')).toBe('invalidated')
    expect(await causeFor(world, '/other')).toBe('fresh')
    expect(await causeFor(world, 'https://other.test/in')).toBe('fresh')
  })

  test('is ignored on responses to safe methods (RFC 9875 §3)', async () => {
    const world = await stored(['/in'], { headers: { 'cache-groups': '"g"' } })
    world.origin.serves('GET /reader', { headers: { 'cache-group-invalidation': '"g"' } })
    await world.cache.fetch('/reader')
    await world.cache.fetch('/reader', { method: 'HEAD' })
    expect(await causeFor(world, '/in')).toBe('fresh')
  })

  test('thirty-two groups of thirty-two characters are all heeded (RFC 9875 §2, §3)', async () => {
    const names = Array.from({ length: 32 }, (_, index) => String(index).padStart(32, 'g'))
    const world = await stored([], {})
    for (const name of names) {
      world.origin.serves(`GET /${name}`, {
        cacheControl: 'max-age=60',
        headers: { 'cache-groups': `"${name}"` },
        body: 'x',
      })
      await (await world.cache.fetch(`/${name}`)).text()
    }
    const list = names.map((name) => `"${name}"`).join(', ')
    world.origin.serves('POST /form', { headers: { 'cache-group-invalidation': list } })
    await world.cache.fetch('/form', { method: 'POST' })
    for (const name of names) expect(await causeFor(world, `/${name}`)).toBe('invalidated')
  })
})

describe('unsafe methods on their way', () => {
  test('two POSTs at once are two requests, with their own bodies', async () => {
    const { cache, origin } = harness()
    origin.serves('POST /a', ({ body }) => ({ body: body ?? '' }))
    const answers = await Promise.all(['1', '2'].map((body) => cache.fetch('/a', { method: 'POST', body })))
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['1', '2'])
    expect(origin.requests).toHaveLength(2)
    expect(causeOf(answers[0] as Response)).toBe('method')
  })

  test('a response to an unsafe method is never replayed (RFC 9111 §4)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'x' })
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'BREW']) {
      await (await cache.fetch('/a', { method })).text()
      await (await cache.fetch('/a', { method })).text()
    }
    expect(origin.requests).toHaveLength(12)
    expect((await cache.explain('/a')).candidates).toEqual([])
  })

  test('a POST that says by Content-Location what a GET would give is stored for that (RFC 9110 §9.3.3)', async () => {
    const { cache, origin } = harness()
    origin.serves('POST /a', { cacheControl: 'max-age=60', headers: { 'content-location': '/a' }, body: 'posted' })
    expect(await (await cache.fetch('/a', { method: 'POST', body: 'x' })).text()).toBe('posted')
    await cache.settled()
    const response = await cache.fetch('/a')
    expect(await response.text()).toBe('posted')
    expect(causeOf(response)).toBe('fresh')
    expect(origin.requests).toHaveLength(1)
  })

  test.each([
    ['another Content-Location', { cacheControl: 'max-age=60', headers: { 'content-location': '/b' } }],
    ['no explicit lifetime', { lastModified: 0, headers: { 'content-location': '/a' } }],
    ['no-store', { cacheControl: 'max-age=60, no-store', headers: { 'content-location': '/a' } }],
    ['no Content-Location', { cacheControl: 'max-age=60' }],
    ['an error', { status: 404, cacheControl: 'max-age=60', headers: { 'content-location': '/a' } }],
  ])('a POST with %s is not (RFC 9110 §9.3.3)', async (_, response: ScriptedResponse) => {
    const { cache, origin } = harness()
    origin.serves('POST /a', { ...response, body: 'posted' })
    await (await cache.fetch('/a', { method: 'POST' })).text()
    await cache.settled()
    expect((await cache.explain('/a')).candidates).toEqual([])
    expect((await cache.explain('/b')).candidates).toEqual([])
  })

  test('across origins a POST costs no field of ours', async () => {
    const { cache, origin } = pageHarness()
    origin.serves('POST https://other.test/a', {})
    await cache.fetch('https://other.test/a', { method: 'POST', headers: { accept: 'x/y' } })
    expect(Object.keys(origin.requests[0]?.headers ?? {})).toEqual(['accept'])
  })
})
