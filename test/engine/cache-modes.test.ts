import { describe, expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'
import { pageHarness } from './page-harness.ts'

const FRESH = { cacheControl: 'max-age=60', etag: '"v1"', body: 'one' }

/** A cache with `/a` stored, `age` seconds ago, good for 60. */
async function stored(
  age: number,
  { make = harness, response = FRESH }: { make?: typeof harness; response?: ScriptedResponse } = {},
) {
  const world = make()
  world.origin.serves('/a', response)
  await (await world.cache.fetch('/a')).text()
  await world.clock.advance(age * 1_000)
  return world
}

describe('fetch’s cache modes mean for our store what they mean for a browser’s (Fetch, HTTP-network-or-cache fetch)', () => {
  test.each([
    // mode, age in seconds, cause, requests that the origin got
    ['default', 0, 'fresh', 1],
    ['default', 60, 'validated', 2],
    ['no-store', 0, 'bypass', 2],
    ['no-store', 60, 'bypass', 2],
    ['reload', 0, 'request-directive', 2],
    ['reload', 60, 'request-directive', 2],
    ['no-cache', 0, 'validated', 2],
    ['no-cache', 60, 'validated', 2],
    ['force-cache', 0, 'fresh', 1],
    ['force-cache', 60, 'max-stale', 1],
    ['force-cache', 1e6, 'max-stale', 1],
  ] as const)('%s, %s s after storing: %s, %s requests', async (mode, age, cause, requests) => {
    const { cache, origin } = await stored(age)
    const response = await cache.fetch('/a', { cache: mode })
    expect(await response.text()).toBe('one')
    expect(causeOf(response)).toBe(cause)
    expect(origin.requests).toHaveLength(requests)
  })

  test.each([0, 60, 1e6])('only-if-cached serves what is stored, %s s old', async (age) => {
    const { cache, origin } = await stored(age)
    const response = await cache.fetch('/a', { cache: 'only-if-cached', mode: 'same-origin' })
    expect(await response.text()).toBe('one')
    expect(origin.requests).toHaveLength(1)
  })

  test('only-if-cached with nothing stored is a network error', async () => {
    const { cache, origin } = harness()
    await expect(cache.fetch('/a', { cache: 'only-if-cached', mode: 'same-origin' })).rejects.toThrow(TypeError)
    expect(origin.requests).toHaveLength(0)
  })

  test('only-if-cached without the mode same-origin is refused as by fetch', async () => {
    const { cache, origin } = await stored(0)
    await expect(cache.fetch('/a', { cache: 'only-if-cached' })).rejects.toThrow(TypeError)
    expect(origin.requests).toHaveLength(1)
  })

  test('no-store neither reads nor writes: what was stored stays', async () => {
    const { cache, origin } = await stored(0)
    origin.serves('/a', { ...FRESH, etag: '"v2"', body: 'two' })
    expect(await (await cache.fetch('/a', { cache: 'no-store' })).text()).toBe('two')
    expect(origin.requests[1]).toMatchObject({ cacheMode: 'no-store' })
    expect(origin.requests[1]?.ifNoneMatch).toBeUndefined()
    expect(await (await cache.fetch('/a')).text()).toBe('one')
    expect((await cache.explain('/b', { cache: 'no-store' })).decision).toBe('bypass')
  })

  test('reload asks without conditions, and stores', async () => {
    const { cache, origin } = await stored(0)
    origin.serves('/a', { ...FRESH, body: 'reloaded' })
    expect(await (await cache.fetch('/a', { cache: 'reload' })).text()).toBe('reloaded')
    expect(origin.requests[1]?.ifNoneMatch).toBeUndefined()
    expect(await (await cache.fetch('/a')).text()).toBe('reloaded')
    expect(origin.requests).toHaveLength(2)
  })

  test('no-cache validates, and stores what comes instead', async () => {
    const { cache, origin } = await stored(0)
    origin.serves('/a', { ...FRESH, etag: '"v2"', body: 'two' })
    expect(await (await cache.fetch('/a', { cache: 'no-cache' })).text()).toBe('two')
    expect(origin.requests[1]?.ifNoneMatch).toBe('"v1"')
    expect(await (await cache.fetch('/a')).text()).toBe('two')
    expect(origin.requests).toHaveLength(2)
  })

  test('force-cache asks the origin when nothing is stored, and stores', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', FRESH)
    expect(causeOf(await cache.fetch('/a', { cache: 'force-cache' }))).toBe('miss')
    await cache.settled()
    expect(causeOf(await cache.fetch('/a'))).toBe('fresh')
    expect(origin.requests).toHaveLength(1)
  })

  test.each(['force-cache', 'only-if-cached'] as const)('%s ignores age, never a purge', async (mode) => {
    const { cache, origin } = await stored(0)
    await cache.purge({ url: '/a' }, { mode: 'hard' })
    const asked = cache.fetch('/a', { cache: mode, mode: 'same-origin' })
    if (mode === 'only-if-cached') await expect(asked).rejects.toThrow(TypeError)
    else expect(causeOf(await asked)).toBe('purged')
    expect(origin.requests).toHaveLength(mode === 'only-if-cached' ? 1 : 2)
  })

  test('force-cache never serves what an unsafe method has invalidated (RFC 9111 §4.4)', async () => {
    const { cache, origin } = await stored(0)
    await cache.fetch('/a', { method: 'POST' })
    origin.serves('/a', { ...FRESH, etag: '"v2"', body: 'two' })
    expect(await (await cache.fetch('/a', { cache: 'force-cache' })).text()).toBe('two')
  })

  test('a mode in the Request counts as one in init, and init goes before it', async () => {
    const { cache, origin } = await stored(0)
    const request = new Request('https://origin.test/a', { cache: 'no-cache' })
    expect(causeOf(await cache.fetch(request))).toBe('validated')
    expect(causeOf(await cache.fetch(request, { cache: 'default' }))).toBe('fresh')
    expect(origin.requests).toHaveLength(2)
  })
})

describe('request directives (RFC 9111 §5.2.1)', () => {
  test.each([
    ['max-age=30', 29, 'fresh'],
    ['max-age=30', 31, 'validated'],
    ['max-age=0', 1, 'validated'],
    ['min-fresh=30', 29, 'fresh'],
    ['min-fresh=30', 31, 'validated'],
    ['max-stale=10', 69, 'max-stale'],
    ['max-stale=10', 71, 'validated'],
    ['max-stale', 1e6, 'max-stale'],
    ['no-cache', 0, 'validated'],
    ['only-if-cached', 59, 'fresh'],
    ['only-if-cached, max-stale=10', 65, 'max-stale'],
    ['no-transform', 0, 'fresh'],
  ])('%s, %s s after storing: %s', async (directive, age, cause) => {
    const { cache } = await stored(age)
    const response = await cache.fetch('/a', { headers: { 'cache-control': directive } })
    expect(causeOf(response)).toBe(cause)
    expect(await response.text()).toBe('one')
  })

  test('only-if-cached with nothing to serve is a 504, without Cache-Status: no response of a store (RFC 9111 §5.2.1.7, RFC 9211 §2)', async () => {
    const { cache, origin, events } = await stored(60)
    const response = await cache.fetch('/a', { headers: { 'cache-control': 'only-if-cached' } })
    expect(response.status).toBe(504)
    expect(response.headers.get('cache-status')).toBeNull()
    expect(events.at(-1)).toMatchObject({ type: 'answered', cause: 'only-if-cached', status: 504 })
    expect(origin.requests).toHaveLength(1)
  })

  test('no-store keeps the response out of the store (RFC 9111 §5.2.1.5)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', FRESH)
    for (let read = 0; read < 2; read++) {
      await (await cache.fetch('/a', { headers: { 'cache-control': 'no-store' } })).text()
    }
    expect(origin.requests).toHaveLength(2)
    expect((await cache.explain('/a')).candidates).toEqual([])
  })

  test('Pragma: no-cache counts where there is no Cache-Control (RFC 9111 §5.4)', async () => {
    const { cache } = await stored(0)
    expect(causeOf(await cache.fetch('/a', { headers: { pragma: 'no-cache' } }))).toBe('validated')
    expect(causeOf(await cache.fetch('/a', { headers: { pragma: 'no-cache', 'cache-control': 'max-age=9' } }))).toBe(
      'fresh',
    )
  })

  test.each([{ headers: { 'cache-control': 'max-stale' } }, { nearcache: { maxStaleMs: 1e9 } }])(
    '%j does not revive what must be validated (RFC 9111 §5.2.2.2)',
    async (init) => {
      const { cache } = await stored(61, { response: { ...FRESH, cacheControl: 'max-age=60, must-revalidate' } })
      expect(causeOf(await cache.fetch('/a', init))).toBe('validated')
    },
  )

  test('maxStaleMs accepts staleness as max-stale does, without a field on the wire', async () => {
    const { cache, origin, clock } = await stored(65)
    expect(causeOf(await cache.fetch('/a', { nearcache: { maxStaleMs: 10_000 } }))).toBe('max-stale')
    await clock.advance(10_000)
    expect(causeOf(await cache.fetch('/a', { nearcache: { maxStaleMs: 10_000 } }))).toBe('validated')
    expect(origin.requests[1]?.cacheControl).toBe('max-age=0')
  })

  test('the directives that a caller sets go to the origin as they are', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', FRESH)
    await cache.fetch('/a', { headers: { 'cache-control': 'max-age=5, x=y' } })
    expect(origin.requests[0]?.cacheControl).toBe('max-age=5, x=y')
  })
})

describe('the mode for the browser’s own cache below, which must not undo what we promise (Fetch, HTTP-network-or-cache fetch)', () => {
  const modesOf = ({ origin }: ReturnType<typeof harness>) => origin.requests.map(({ cacheMode }) => cacheMode)

  test('default for a first response while nothing was ever purged', async () => {
    expect(modesOf(await stored(0, { make: pageHarness }))).toEqual(['default'])
  })

  test('no-cache for a first response once something was purged: the browser may hold what the purge meant', async () => {
    const world = pageHarness()
    world.origin.serves('/a', FRESH)
    await world.cache.purge({ url: '/other' })
    await (await world.cache.fetch('/a')).text()
    expect(modesOf(world)).toEqual(['no-cache'])
  })

  test('reload after a hard purge of that URL', async () => {
    const world = await stored(0, { make: pageHarness })
    await world.cache.purge({ url: '/a' }, { mode: 'hard' })
    await (await world.cache.fetch('/a')).text()
    expect(modesOf(world)).toEqual(['default', 'reload'])
  })

  test('no-store with our own validator', async () => {
    const world = await stored(60, { make: pageHarness })
    expect(causeOf(await world.cache.fetch('/a'))).toBe('validated')
    expect(modesOf(world)).toEqual(['default', 'no-store'])
    expect(world.origin.requests[1]).toMatchObject({ ifNoneMatch: '"v1"', cacheControl: 'max-age=0' })
  })

  test('no-cache for what is stale and has no validator', async () => {
    const world = await stored(60, { make: pageHarness, response: { cacheControl: 'max-age=60', body: 'one' } })
    await (await world.cache.fetch('/a')).text()
    expect(modesOf(world)).toEqual(['default', 'no-cache'])
  })

  test.each(['reload', 'force-cache', 'no-store', 'no-cache'] as const)(
    'a caller’s explicit %s goes down as it is',
    async (cacheMode) => {
      const world = pageHarness()
      world.origin.serves('/a', FRESH)
      await (await world.cache.fetch('/a', { cache: cacheMode })).text()
      expect(modesOf(world)).toEqual([cacheMode])
    },
  )

  test.each([
    ['what was hard-purged', '/a', 'reload'],
    ['anything that may have been, since something was', '/b', 'no-cache'],
  ])(
    'force-cache ignores age, never a purge: the browser’s copy of %s is not believed (law 2)',
    async (_, path, mode) => {
      const world = await stored(0, { make: pageHarness })
      world.origin.serves('/b', FRESH)
      await world.cache.purge({ url: '/a' }, { mode: 'hard' })
      await (await world.cache.fetch(path, { cache: 'force-cache' })).text()
      expect(modesOf(world)).toEqual(['default', mode])
    },
  )

  test('nor in a partition, where the copy may be of who was signed in before (law 5)', async () => {
    const world = pageHarness({ partition: 'anna' })
    world.origin.serves('/a', FRESH)
    await (await world.cache.fetch('/a', { cache: 'force-cache' })).text()
    expect(modesOf(world)).toEqual(['no-cache'])
  })

  test('what force-cache brings is not stored: it may be an older copy of the browser’s', async () => {
    const world = pageHarness()
    world.origin.serves('/a', FRESH)
    await (await world.cache.fetch('/a', { cache: 'force-cache' })).text()
    expect((await world.cache.explain('/a')).candidates).toEqual([])
  })

  test('where no browser lies below, no mode is given but the caller’s', async () => {
    const seen: Array<RequestCache | undefined> = []
    const { cache, origin } = harness({
      fetch: (input, init) => {
        seen.push(init?.cache)
        return origin.fetch(input, init)
      },
    })
    origin.serves('/a', FRESH)
    await (await cache.fetch('/a')).text()
    expect(seen).toEqual([undefined])
  })
})
