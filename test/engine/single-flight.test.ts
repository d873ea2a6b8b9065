import { describe, expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const nameOf = (error: unknown) => (error instanceof Error ? error.name : String(error))

/** What a hundred readers of `/a` get, who all came before the origin answered, and how the origin answered. */
async function hundred(
  response: ScriptedResponse | ((seq: number) => ScriptedResponse),
  init: (index: number) => RequestInit = () => ({}),
  phase: 'head' | 'body' = 'head',
) {
  const world = harness()
  world.origin.serves('/a', ({ seq }) => (typeof response === 'function' ? response(seq) : response))
  const hold = world.origin.hold('/a', phase)
  const reading = Array.from({ length: 100 }, (_, index) => text(world.cache.fetch('/a', init(index))).catch(nameOf))
  await world.clock.settle()
  const waiting = hold.waiting
  hold.release()
  return { ...world, waiting, bodies: await Promise.all(reading) }
}

describe('one key, one request under way (RFC 9111 §4, RFC 9211 collapsed)', () => {
  test('a hundred readers of what is not stored', async () => {
    const { bodies, origin, events } = await hundred((seq) => ({ cacheControl: 'max-age=60', body: `v${seq}` }))
    expect(bodies).toEqual(Array(100).fill('v1'))
    expect(origin.requests).toHaveLength(1)
    expect(causes(events).sort()).toEqual([...Array(99).fill('collapsed'), 'miss'])
  })

  test('readers who come in the middle of the body get it from its beginning', async () => {
    const { bodies, origin } = await hundred({ cacheControl: 'max-age=60', body: 'the whole body' }, undefined, 'body')
    expect(bodies).toEqual(Array(100).fill('the whole body'))
    expect(origin.requests).toHaveLength(1)
  })

  test('a hundred who wait for a validation', async () => {
    const { cache, origin, clock, events } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', etag: '"1"', body: 'v1' })
    await text(cache.fetch('/a'))
    await clock.advance(61_000)
    const reading = Promise.all(Array.from({ length: 100 }, () => text(cache.fetch('/a'))))
    expect(await reading).toEqual(Array(100).fill('v1'))
    expect(origin.requests).toHaveLength(2)
    expect(causes(events).sort()).toEqual([...Array(99).fill('collapsed'), 'miss', 'validated'])
  })

  test('the caller who joined sees in Cache-Status that it did (RFC 9211 §2.7)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'v1' })
    const [first, second] = await Promise.all([cache.fetch('/a'), cache.fetch('/a')])
    expect(first.headers.get('cache-status')).not.toContain('collapsed')
    expect(second.headers.get('cache-status')).toContain('collapsed')
    await Promise.all([first.text(), second.text()])
  })

  test('json() and fetch() share one request', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', json: [1, 2] })
    const [data, response, again] = await Promise.all([cache.json('/a'), cache.fetch('/a'), cache.json('/a')])
    expect(data).toEqual([1, 2])
    expect(again).toBe(data)
    expect(await response.json()).toEqual([1, 2])
    expect(origin.requests).toHaveLength(1)
  })

  test('URLs that differ in their fragment alone share one request (Fetch: fragments are not sent)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'v1' })
    expect(await Promise.all([text(cache.fetch('/a#one')), text(cache.fetch('/a#two'))])).toEqual(['v1', 'v1'])
    expect(origin.requests).toHaveLength(1)
  })
})

describe('who is never served by the request of another', () => {
  test('requests with other fields, as what the response varies on is not known yet (RFC 9111 §4.1)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ headers }) => ({
      cacheControl: 'max-age=60',
      vary: 'accept-language',
      body: headers['accept-language'] ?? 'none',
    }))
    const languages = ['de', 'fr', 'de', 'fr']
    const bodies = languages.map((language) => text(cache.fetch('/a', { headers: { 'accept-language': language } })))
    expect(await Promise.all(bodies)).toEqual(languages)
    expect(origin.requests).toHaveLength(2)
  })

  test('reload asks for itself (Fetch Standard, cache mode), and is not joined by a reader', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', body: `v${seq}` }))
    const modes = ['default', 'reload', 'reload', 'default'] as const
    const bodies = await Promise.all(modes.map((mode) => text(cache.fetch('/a', { cache: mode }))))
    expect(bodies).toEqual(['v1', 'v2', 'v3', 'v1'])
    expect(origin.requests).toHaveLength(3)
  })

  test('POST is never joined (RFC 9110 §9.2.2)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ body: `v${seq}` }))
    const bodies = await Promise.all([1, 2, 3].map(() => text(cache.fetch('/a', { method: 'POST', body: 'x' }))))
    expect(bodies).toEqual(['v1', 'v2', 'v3'])
  })

  test('ranges are requests of their own (RFC 9110 §14)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: '0123456789' })
    const ranges = ['bytes=0-1', 'bytes=2-3', undefined]
    await Promise.all(ranges.map((range) => text(cache.fetch('/a', range ? { headers: { range } } : {}))))
    expect(origin.requests).toHaveLength(3)
  })

  test('a request that says no-store asks for itself (RFC 9111 §5.2.1.5)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', body: `v${seq}` }))
    const [one, two] = await Promise.all([text(cache.fetch('/a')), text(cache.fetch('/a', { cache: 'no-store' }))])
    expect([one, two]).toEqual(['v1', 'v2'])
  })

  test('requests with other credentials (RFC 9111 §3.5)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ headers }) => ({ cacheControl: 'max-age=60', body: headers.authorization ?? 'nobody' }))
    const users = ['ann', 'bob']
    const bodies = users.map((authorization) => text(cache.fetch('/a', { headers: { authorization } })))
    expect(await Promise.all([...bodies, text(cache.fetch('/a'))])).toEqual(['ann', 'bob', 'nobody'])
  })
})

describe('those who waited decide again with the response in hand (RFC 9111 §4)', () => {
  test.each([
    ['no-store', { cacheControl: 'no-store' }],
    ['Vary: *', { cacheControl: 'max-age=60', vary: '*' }],
    ['Vary: * among others', { cacheControl: 'max-age=60', vary: 'accept, *' }],
    ['stale from the start', { cacheControl: 'max-age=0' }],
    ['no-cache', { cacheControl: 'no-cache', etag: '"1"' }],
    ['403 that says nothing', { status: 403 }],
  ] as const)('%s: each of them asks for itself, none gets what was not for it', async (_, response) => {
    const { bodies, waiting, origin, cache } = await hundred((seq) => ({ ...response, body: `v${seq}` }))
    expect(waiting).toBe(1)
    expect(new Set(bodies).size).toBe(100)
    expect(origin.requests).toHaveLength(100)
    await cache.settled()
  })

  test('what cannot be shared is remembered for half a minute: nobody queues behind another (hit-for-miss)', async () => {
    const { cache, origin, clock } = await hundred((seq) => ({ cacheControl: 'no-store', body: `v${seq}` }))
    const hold = origin.hold('/a')
    const reading = Array.from({ length: 10 }, () => text(cache.fetch('/a')))
    await clock.settle()
    expect(hold.waiting).toBe(10)
    hold.release()
    expect(new Set(await Promise.all(reading)).size).toBe(10)
    await clock.advance(30_000)
    const later = origin.hold('/a')
    const again = [text(cache.fetch('/a')), text(cache.fetch('/a'))]
    await clock.settle()
    expect(later.waiting).toBe(1)
    later.release()
    await Promise.all(again)
  })

  test('when the response may be stored again, requests are shared again', async () => {
    const { cache, origin, clock } = await hundred((seq) => ({ cacheControl: 'no-store', body: `v${seq}` }))
    origin.serves('/a', { cacheControl: 'max-age=1', body: 'shared' })
    expect(await text(cache.fetch('/a'))).toBe('shared')
    await clock.advance(30_000)
    const asked = origin.requests.length
    await Promise.all(Array.from({ length: 10 }, () => text(cache.fetch('/a'))))
    expect(origin.requests).toHaveLength(asked + 1)
  })

  test("max-age of one who joined is its own: an old response from a cache before the origin isn't for it", async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', headers: { age: '300' }, body: `v${seq}` }))
    const strict = { headers: { 'cache-control': 'max-age=60' } }
    const bodies = await Promise.all([text(cache.fetch('/a', strict)), text(cache.fetch('/a', strict))])
    expect(bodies).toEqual(['v1', 'v2'])
  })

  test('a redirected response is not for those who joined: the hops are unseen, and may say no-store', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { redirect: '/b' })
    origin.serves('/b', ({ seq }) => ({ cacheControl: 'max-age=60', body: `v${seq}` }))
    const bodies = await Promise.all(Array.from({ length: 10 }, () => text(cache.fetch('/a'))))
    expect(new Set(bodies).size).toBe(10)
  })
})

describe('failures are shared, so that a hundred do not become a herd', () => {
  test.each([
    ['no connection', { fault: 'network' }, 'TypeError'],
    ['500', { status: 500, body: 'ill' }, 'ill'],
    ['502', { status: 502, body: 'ill' }, 'ill'],
    ['503', { status: 503, body: 'ill' }, 'ill'],
    ['504', { status: 504, body: 'ill' }, 'ill'],
    ['503 without a body', { status: 503 }, ''],
  ] as const)('%s', async (_, response, expected) => {
    const { bodies, origin, cache } = await hundred(response)
    expect(bodies).toEqual(Array(100).fill(expected))
    expect(origin.requests).toHaveLength(1)
    await cache.settled()
  })

  test('an error in the middle of the body reaches every reader, and nothing is stored (RFC 9111 §3.3)', async () => {
    const { bodies, origin, cache } = await hundred({ cacheControl: 'max-age=60', body: 'half', fault: 'reset' })
    expect(bodies).toEqual(Array(100).fill('TypeError'))
    expect(origin.requests).toHaveLength(1)
    await cache.settled()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'well' })
    expect(await text(cache.fetch('/a'))).toBe('well')
  })

  test('an error in the middle of the new body leaves the old response for later errors', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60, stale-if-error=600', body: 'old' })
    await text(cache.fetch('/a'))
    await clock.advance(61_000)
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'half', fault: 'reset' })
    const bodies = Array.from({ length: 10 }, () => text(cache.fetch('/a')).catch(nameOf))
    expect(await Promise.all(bodies)).toEqual(Array(10).fill('TypeError'))
    origin.serves('/a', { fault: 'network' })
    expect(await text(cache.fetch('/a'))).toBe('old')
  })

  test('the next request after a failure asks anew', async () => {
    const { cache, origin } = await hundred({ fault: 'network' })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'well' })
    expect(await text(cache.fetch('/a'))).toBe('well')
    expect(origin.requests).toHaveLength(2)
  })
})

describe('re-entrance', () => {
  test('a listener that fetches the same URL inside an event does not lock anything up', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'v1' })
    const inner: Array<Promise<string>> = []
    const stop = cache.on((event) => {
      if (event.type === 'stored' || (event.type === 'answered' && inner.length < 5))
        inner.push(text(cache.fetch('/a')))
    })
    expect(await text(cache.fetch('/a'))).toBe('v1')
    await cache.settled()
    stop()
    expect(inner.length).toBeGreaterThan(1)
    expect(new Set(await Promise.all(inner))).toEqual(new Set(['v1']))
    expect(origin.requests).toHaveLength(1)
  })

  test('a transport that asks the same cache for something else gets it', async () => {
    const inside = harness()
    inside.origin.serves('/a', { cacheControl: 'max-age=60', body: 'inner' })
    const outside = harness({ fetch: inside.cache.fetch })
    const bodies = [1, 2, 3].map(() => text(outside.cache.fetch('/a')))
    expect(await Promise.all(bodies)).toEqual(['inner', 'inner', 'inner'])
    expect(inside.origin.requests).toHaveLength(1)
  })

  test('a purge inside the event of storing is in force for the next read', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', body: `v${seq}` }))
    const purges: Array<Promise<unknown>> = []
    const stop = cache.on(({ type }) => {
      if (type === 'stored') purges.push(cache.purge({ all: true }, { mode: 'hard' }))
    })
    expect(await text(cache.fetch('/a'))).toBe('v1')
    stop()
    await Promise.all(purges)
    expect(purges).toHaveLength(1)
    expect(await text(cache.fetch('/a'))).toBe('v2')
  })
})
