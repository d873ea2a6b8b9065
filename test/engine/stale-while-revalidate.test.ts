import { describe, expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** A cache that has `/price` as version 1, and an origin that counts its versions. */
async function withStored(cacheControl: string, more: ScriptedResponse = {}) {
  const world = harness({ earlyExpiry: false })
  world.origin.serves('/price', ({ seq }) => ({ cacheControl, body: `v${seq}`, ...more }))
  await text(world.cache.fetch('/price'))
  await world.cache.settled()
  return world
}

describe('RFC 5861 §3', () => {
  test('fifty reads at once in the window: all answered at once from the store, one request behind them', async () => {
    const { cache, origin, clock, events } = await withStored('max-age=60, stale-while-revalidate=60')
    await clock.advance(90_000)
    const hold = origin.hold('/price')
    const bodies = await Promise.all(Array.from({ length: 50 }, () => text(cache.fetch('/price'))))
    expect(bodies).toEqual(Array(50).fill('v1'))
    await clock.settle()
    expect(hold.waiting).toBe(1)
    hold.release()
    await cache.settled()
    expect(origin.requests).toHaveLength(2)
    expect(causes(events).slice(1)).toEqual(Array(50).fill('stale-while-revalidate'))
    expect(await text(cache.fetch('/price'))).toBe('v2')
    expect(origin.requests).toHaveLength(2)
  })

  test('reads that come while the refresh is under way start no second one', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=600')
    await clock.advance(90_000)
    const hold = origin.hold('/price')
    for (let read = 0; read < 10; read++) {
      expect(await text(cache.fetch('/price'))).toBe('v1')
      await clock.advance(1_000)
    }
    expect(origin.requests).toHaveLength(2)
    hold.release()
    await cache.settled()
  })

  test('the window counts from the end of the lifetime, and its last moment still belongs to it', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=30')
    origin.serves('/price', { fault: 'network' })
    await clock.advance(60_000)
    expect(await text(cache.fetch('/price'))).toBe('v1')
    await clock.advance(30_000)
    expect(await text(cache.fetch('/price'))).toBe('v1')
    await clock.advance(1)
    await expect(cache.fetch('/price')).rejects.toThrow(TypeError)
  })

  test('a response is stale from the moment in which its age reaches its lifetime (RFC 9111 §4.2)', async () => {
    const { cache, origin, clock, events } = await withStored('max-age=60, stale-while-revalidate=30')
    await clock.advance(59_999)
    await text(cache.fetch('/price'))
    expect(origin.requests).toHaveLength(1)
    await clock.advance(1)
    await text(cache.fetch('/price'))
    await cache.settled()
    expect(origin.requests).toHaveLength(2)
    expect(causes(events)).toEqual(['miss', 'fresh', 'stale-while-revalidate'])
  })

  test.each([
    ['must-revalidate', 'max-age=60, stale-while-revalidate=600, must-revalidate'],
    ['no-cache', 'max-age=60, stale-while-revalidate=600, no-cache'],
    ['no window', 'max-age=60'],
  ])('%s: nothing stale is served (RFC 9111 §4.2.4)', async (_, cacheControl) => {
    const { cache, origin, clock } = await withStored(cacheControl)
    await clock.advance(61_000)
    expect(await text(cache.fetch('/price'))).toBe('v2')
    expect(origin.requests).toHaveLength(2)
  })

  test('a refresh that is confirmed by a 304 makes the stored response fresh again (RFC 9111 §4.3.4)', async () => {
    const { cache, origin, clock, events } = await withStored('max-age=60, stale-while-revalidate=60', {
      etag: '"one"',
    })
    await clock.advance(90_000)
    expect(await text(cache.fetch('/price'))).toBe('v1')
    await cache.settled()
    expect(origin.requests[1]?.ifNoneMatch).toBe('"one"')
    expect(await text(cache.fetch('/price'))).toBe('v1')
    expect(causes(events)).toEqual(['miss', 'stale-while-revalidate', 'fresh'])
  })

  test.each([
    ['no connection', { fault: 'network' }],
    ['500', { status: 500, body: 'ill' }],
    ['503', { status: 503, body: 'ill', cacheControl: 'max-age=600' }],
    ['404, which may not be stored', { status: 404, body: 'gone?' }],
    ['501, which may', { status: 501, body: 'ill', cacheControl: 'max-age=600' }],
    ['JSON cut short', { headers: { 'content-type': 'application/json' }, cacheControl: 'max-age=600', body: '{"a":' }],
    ['a body that breaks off', { fault: 'reset', cacheControl: 'max-age=600', body: 'half of it' }],
  ] as const)('a refresh that fails (%s) harms nothing, and is not tried again at once', async (_, failure) => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=600')
    origin.serves('/price', failure)
    await clock.advance(90_000)
    for (let read = 0; read < 20; read++) {
      expect(await text(cache.fetch('/price'))).toBe('v1')
      await cache.settled()
    }
    expect(origin.requests).toHaveLength(2)
    await clock.advance(5_000)
    origin.serves('/price', { cacheControl: 'max-age=60', body: 'well' })
    expect(await text(cache.fetch('/price'))).toBe('v1')
    await cache.settled()
    expect(await text(cache.fetch('/price'))).toBe('well')
    expect(origin.requests).toHaveLength(3)
  })

  test('a failed refresh does not lengthen the window', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=60')
    origin.serves('/price', { fault: 'network' })
    await clock.advance(119_000)
    expect(await text(cache.fetch('/price'))).toBe('v1')
    await cache.settled()
    await clock.advance(1_001)
    await expect(cache.fetch('/price')).rejects.toThrow(TypeError)
  })

  test('a refresh that hangs is given up after half a minute, and the next read starts another one', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=600')
    origin.serves('/price', { fault: 'hang' })
    await clock.advance(90_000)
    await text(cache.fetch('/price'))
    await clock.advance(30_000)
    await cache.settled()
    expect(origin.requests[1]?.aborted).toBe(true)
    await clock.advance(5_000)
    await text(cache.fetch('/price'))
    expect(origin.requests).toHaveLength(3)
    await clock.advance(30_000)
    await cache.settled()
    expect(clock.sleeping).toBe(0)
  })

  test('a refresh whose body hangs is given up too, and the next read starts another one', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=600')
    const hold = origin.hold('/price', 'body')
    await clock.advance(90_000)
    await text(cache.fetch('/price'))
    await clock.settle()
    expect(hold.waiting).toBe(1)
    await clock.advance(30_000)
    await cache.settled()
    hold.release()
    await clock.advance(5_000)
    expect(await text(cache.fetch('/price'))).toBe('v1')
    await cache.settled()
    expect(await text(cache.fetch('/price'))).toBe('v3')
  })

  test('a caller that aborts after its answer does not stop the refresh behind it', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=60')
    await clock.advance(90_000)
    const hold = origin.hold('/price')
    const controller = new AbortController()
    await text(cache.fetch('/price', { signal: controller.signal }))
    controller.abort()
    await clock.settle()
    hold.release()
    await cache.settled()
    expect(origin.requests[1]?.aborted).toBe(false)
    expect(await text(cache.fetch('/price'))).toBe('v2')
  })

  test('a response that must not be stored any more removes the old one (RFC 9111 §5.2.2.5)', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=600')
    origin.serves('/price', ({ seq }) => ({ cacheControl: 'no-store', body: `v${seq}` }))
    await clock.advance(90_000)
    expect(await text(cache.fetch('/price'))).toBe('v1')
    await cache.settled()
    expect(await text(cache.fetch('/price'))).toBe('v3')
  })

  test('max-age in the request is not met by the window that the origin grants (RFC 9111 §5.2.1.1)', async () => {
    const { cache, clock } = await withStored('max-age=60, stale-while-revalidate=600')
    await clock.advance(90_000)
    expect(await text(cache.fetch('/price', { headers: { 'cache-control': 'max-age=80' } }))).toBe('v2')
  })

  test('HEAD in the window starts a refresh by GET (RFC 9110 §9.3.2)', async () => {
    const { cache, origin, clock } = await withStored('max-age=60, stale-while-revalidate=600')
    await clock.advance(90_000)
    const head = await cache.fetch('/price', { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
    await cache.settled()
    expect(origin.requests.map(({ method }) => method)).toEqual(['GET', 'GET'])
    expect(await text(cache.fetch('/price'))).toBe('v2')
  })
})
