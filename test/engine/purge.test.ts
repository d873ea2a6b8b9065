import { describe, expect, test } from 'vitest'
import type { NearCache, PurgeSelector, Store } from '../../src/index.ts'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { gatedStore } from './gated-store.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** A cache that has `/a` as version 1, and an origin that counts. */
async function withStored(response: ScriptedResponse = {}) {
  const world = harness({ earlyExpiry: false })
  world.origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', body: `v${seq}`, ...response }))
  await text(world.cache.fetch('/a'))
  return world
}

describe('what a purge does', () => {
  test('soft: stale at once, so it is validated before its next use', async () => {
    const { cache, origin, events } = await withStored({ etag: '"1"' })
    await cache.purge({ url: '/a' })
    expect(await text(cache.fetch('/a'))).toBe('v1')
    expect(origin.requests[1]?.ifNoneMatch).toBe('"1"')
    expect(await text(cache.fetch('/a'))).toBe('v1')
    expect(causes(events)).toEqual(['miss', 'validated', 'fresh'])
    expect(origin.requests).toHaveLength(2)
  })

  test('hard: as if it had never been stored', async () => {
    const { cache, origin, events } = await withStored({ etag: '"1"' })
    await cache.purge({ url: '/a' }, { mode: 'hard' })
    expect(cache.peek('/a')).toBeUndefined()
    expect(await text(cache.fetch('/a'))).toBe('v2')
    expect(origin.requests[1]?.ifNoneMatch).toBeUndefined()
    expect(causes(events)).toEqual(['miss', 'purged'])
  })

  test.each(['soft', 'hard'] as const)('%s: in force from the call on, before the promise resolves', async (mode) => {
    const { cache, origin } = await withStored()
    const purging = cache.purge({ url: '/a' }, { mode })
    expect(await text(cache.fetch('/a'))).toBe('v2')
    await purging
    expect(origin.requests).toHaveLength(2)
  })

  test('force-cache and max-stale ignore age, but neither a hard purge nor an invalidation', async () => {
    const { cache, origin } = await withStored({ cacheControl: 'max-age=1' })
    await cache.purge({ url: '/a' }, { mode: 'hard' })
    expect(await text(cache.fetch('/a', { cache: 'force-cache' }))).toBe('v2')
    origin.serves('POST /a', { status: 204 })
    await cache.fetch('/a', { method: 'POST' })
    expect(await text(cache.fetch('/a', { headers: { 'cache-control': 'max-stale' } }))).toBe('v4')
  })

  test.each<[string, PurgeSelector, string]>([
    ['a URL, whatever its fragment', { url: '/a#part' }, '/a'],
    ['a URL object', { url: new URL('https://origin.test/a') }, '/a'],
    ['a tag', { tag: 'one' }, '/a'],
    ['any of several tags', { tags: ['none', 'two'] }, '/b'],
    ['a pattern', { pattern: '/b*' }, '/b /b?page=2'],
    ['a pattern with a star inside', { pattern: 'https://origin.test/*page=*' }, '/b?page=2'],
    ['everything', { all: true }, '/a /b /b?page=2 /c'],
    ['nothing that is stored', { tag: 'One' }, ''],
  ])('%s covers exactly what it names', async (_, selector, expected) => {
    const { cache, origin } = harness()
    const paths = ['/a', '/b', '/b?page=2', '/c']
    for (const path of paths) {
      const tags = path === '/a' ? ['one'] : path === '/b' ? ['two'] : ['three']
      origin.serves(path, { cacheControl: 'max-age=600', tags, body: path })
      await text(cache.fetch(path))
    }
    await cache.purge(selector, { mode: 'hard' })
    for (const path of paths) await text(cache.fetch(path))
    expect(
      origin.requests
        .slice(4)
        .map(({ path }) => path)
        .join(' '),
    ).toBe(expected)
  })
})

describe('a 304 to a request that was sent before a purge confirms what was, not what is (RFC 9111 §4.3.4, FAULTS F-57)', () => {
  /** A validation under way, overtaken by `change`, that ends with a 304. */
  async function overtaken(change: (cache: NearCache) => Promise<unknown>) {
    const world = await withStored({ etag: '"1"', cacheControl: 'max-age=60' })
    const { cache, origin, clock } = world
    origin.serves('POST /a', { status: 204 })
    await clock.advance(61_000)
    const hold = origin.hold('/a')
    const validating = text(cache.fetch('/a'))
    await clock.settle()
    expect(hold.waiting).toBe(1)
    const changing = change(cache)
    await clock.settle()
    hold.release()
    await changing
    expect(await validating).toBe('v1')
    await cache.settled()
    origin.serves('/a', { cacheControl: 'max-age=60', etag: '"2"', body: 'new' })
    return world
  }

  test('hard: the body does not come back', async () => {
    const { cache, origin } = await overtaken((cache) => cache.purge({ url: '/a' }, { mode: 'hard' }))
    expect(cache.peek('/a')).toBeUndefined()
    expect(await text(cache.fetch('/a'))).toBe('new')
    expect(origin.requests.at(-1)?.ifNoneMatch).toBeUndefined()
  })

  test('soft: it is as stale as before', async () => {
    const { cache, origin } = await overtaken((cache) => cache.purge({ url: '/a' }))
    expect(await text(cache.fetch('/a'))).toBe('new')
    expect(origin.requests.at(-1)?.ifNoneMatch).toBe('"1"')
  })

  test('POST: it is as invalid as before', async () => {
    const { cache } = await overtaken((cache) => cache.fetch('/a', { method: 'POST' }))
    expect(await text(cache.fetch('/a'))).toBe('new')
  })
})

describe('a flight that was overtaken by a purge has no new passengers', () => {
  test.each<[string, PurgeSelector]>([
    ['url', { url: '/a' }],
    ['pattern', { pattern: '/a*' }],
    ['all', { all: true }],
    ['a tag that it may turn out to carry', { tag: 'one' }],
  ])('%s', async (_, selector) => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'max-age=600', tags: ['one'], body: 'old' })
    const hold = origin.hold('/a')
    const before = [text(cache.fetch('/a')), text(cache.fetch('/a'))]
    await clock.settle()
    origin.serves('/a', { cacheControl: 'max-age=600', tags: ['one'], body: 'new' })
    await cache.purge(selector)
    const after = [text(cache.fetch('/a')), text(cache.fetch('/a'))]
    await clock.settle()
    hold.release()
    // Its response is for the one who sent it; who had joined it goes on with the next one.
    expect(await Promise.all(before)).toEqual(['old', 'new'])
    expect(await Promise.all(after)).toEqual(['new', 'new'])
    expect(origin.requests).toHaveLength(2)
    expect(await text(cache.fetch('/a'))).toBe('new')
  })

  test('a hundred who waited when the purge came cost one request more, not a hundred', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', body: `v${seq}` }))
    const hold = origin.hold('/a')
    const reading = Array.from({ length: 100 }, () => text(cache.fetch('/a')))
    await clock.settle()
    await cache.purge({ all: true })
    hold.release()
    expect(await Promise.all(reading)).toEqual(['v1', ...Array(99).fill('v2')])
    expect(origin.requests).toHaveLength(2)
  })

  test('a purge of something else changes nothing for it', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'v1' })
    const hold = origin.hold('/a')
    const before = text(cache.fetch('/a'))
    await clock.settle()
    await cache.purge({ url: '/b' })
    const after = text(cache.fetch('/a'))
    await clock.settle()
    hold.release()
    expect(await Promise.all([before, after])).toEqual(['v1', 'v1'])
    expect(origin.requests).toHaveLength(1)
  })

  test('the late response of an overtaken flight does not take the place of a newer one', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'old' })
    const hold = origin.hold('/a', 'body')
    const before = text(cache.fetch('/a'))
    await clock.settle()
    await cache.purge({ url: '/a' })
    // Another origin in the same place, so that the hold does not concern it.
    origin.serves('/a', { cacheControl: 'max-age=600', status: 200, body: 'n' })
    const after = await cache.fetch('/a')
    hold.release()
    expect(await before).toBe('old')
    expect(await after.text()).toBe('n')
    await cache.settled()
    expect(await text(cache.fetch('/a'))).toBe('n')
    expect(origin.requests).toHaveLength(2)
  })
})

describe('a soft purge only ever shortens (RFC 5861 §3)', () => {
  const served = async ({ cache, clock }: Awaited<ReturnType<typeof withStored>>, ms: number) => {
    await clock.advance(ms)
    const body = await text(cache.fetch('/a')).catch((error: Error) => error.name)
    await cache.settled()
    return body
  }
  const dying = async (cacheControl: string) => {
    const world = await withStored({ cacheControl })
    world.origin.serves('/a', { fault: 'network' })
    return world
  }

  test.each(['stale-while-revalidate', 'stale-if-error'])(
    '%s: a fresh response has its window from the purge on',
    async (window) => {
      const world = await dying(`max-age=60, ${window}=60`)
      await world.clock.advance(30_000)
      await world.cache.purge({ url: '/a' })
      expect(await served(world, 60_000)).toBe('v1')
      expect(await served(world, 1)).toBe('TypeError')
    },
  )

  test.each(['stale-while-revalidate', 'stale-if-error'])(
    '%s: what is stale already keeps the end of its window',
    async (window) => {
      const world = await dying(`max-age=60, ${window}=60`)
      await world.clock.advance(100_000)
      await world.cache.purge({ url: '/a' })
      expect(await served(world, 20_000)).toBe('v1')
      expect(await served(world, 1)).toBe('TypeError')
    },
  )

  test.each(['stale-while-revalidate', 'stale-if-error'])(
    '%s: purged twice, the first purge counts',
    async (window) => {
      const world = await dying(`max-age=60, ${window}=60`)
      await world.clock.advance(30_000)
      await world.cache.purge({ url: '/a' })
      await world.clock.advance(50_000)
      await world.cache.purge({ url: '/a' })
      expect(await served(world, 10_000)).toBe('v1')
      expect(await served(world, 1)).toBe('TypeError')
    },
  )

  test('what is out of its window does not come back into it', async () => {
    const world = await dying('max-age=60, stale-while-revalidate=60, stale-if-error=60')
    await world.clock.advance(120_001)
    await world.cache.purge({ url: '/a' })
    expect(await served(world, 0)).toBe('TypeError')
  })

  test('must-revalidate and no-cache stand (RFC 9111 §4.2.4)', async () => {
    for (const prohibition of ['must-revalidate', 'no-cache']) {
      const world = await dying(`max-age=60, stale-while-revalidate=60, stale-if-error=60, ${prohibition}`)
      await world.cache.purge({ url: '/a' })
      expect(await served(world, 0)).toBe('TypeError')
    }
  })
})

describe('what a purge costs', () => {
  /** How often the store was asked, and what a purge gave it to do. */
  function counting() {
    const inner = gatedStore(() => Promise.resolve())
    const operations: string[] = []
    const store: Store = {
      read(keys) {
        operations.push(`read ${keys.length}`)
        return inner.read(keys)
      },
      update(keys, change, options) {
        return inner.update(
          keys,
          (snapshot) => {
            const writes = change(snapshot)
            operations.push(`update ${keys.length}: ${writes.map(({ kind }) => kind)}, ${options.durability}`)
            return writes
          },
          options,
        )
      },
    }
    return { store, operations }
  }

  test.each([1, 10, 100])('one write, strict and awaited, with %i responses that carry the tag', async (responses) => {
    const { store, operations } = counting()
    const { cache, origin } = harness({ store })
    origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=600', tags: ['shelf'], body: path }))
    for (let index = 0; index < responses; index++) await text(cache.fetch(`/${index}`))
    await cache.settled()
    operations.length = 0
    const receipt = await cache.purge({ tag: 'shelf' }, { mode: 'hard' })
    expect(receipt.durable).toBe(true)
    expect(operations).toEqual(['update 0: purge, strict'])
    await cache.settled()
    expect(operations).toHaveLength(1)
    const asked = origin.requests.length
    for (let index = 0; index < responses; index++) await text(cache.fetch(`/${index}`))
    expect(origin.requests).toHaveLength(asked + responses)
  })

  test('a purge that the store does not take is in force here, and says so', async () => {
    let isIll = false
    const store = gatedStore(() => (isIll ? Promise.reject(new Error('ill')) : Promise.resolve()))
    const { cache, origin, events } = harness({ store })
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', body: `v${seq}` }))
    await text(cache.fetch('/a'))
    await cache.settled()
    isIll = true
    const receipt = await cache.purge({ url: '/a' }, { mode: 'hard' })
    expect(receipt.durable).toBe(false)
    expect(await text(cache.fetch('/a'))).toBe('v2')
    expect(events).toContainEqual(expect.objectContaining({ type: 'store-failed', operation: 'purge' }))
    isIll = false
    expect((await cache.purge({ url: '/b' })).durable).toBe(true)
    await cache.settled()
    const later = harness({ store, fetch: origin.fetch })
    expect(await text(later.cache.fetch('/a'))).not.toBe('v1')
  })
})
