import { afterEach, expect, test, vi } from 'vitest'
import type { CacheEvent } from '../../src/index.ts'
import { harness } from './harness.ts'

const minute = 60_000
const types = (events: readonly CacheEvent[]) => events.map(({ type }) => type)

afterEach(() => {
  vi.unstubAllGlobals()
})

test('each request is told once: what was asked, why it was answered so, and what it saved', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', delayMs: 200, body: '12345' })
  const first = cache.fetch('/product')
  await clock.advance(200)
  await (await first).text()
  await cache.settled()
  await cache.fetch('/product')
  const url = `${origin.url}/product`
  expect(events.filter(({ type }) => type === 'answered')).toMatchObject([
    { url, method: 'GET', cause: 'miss', status: 200, durationMs: 200, bytesSaved: 0, msSaved: 0 },
    { url, method: 'GET', cause: 'fresh', status: 200, durationMs: 0, bytesSaved: 5, msSaved: 200 },
  ])
})

test('storing, freshening and purging are told', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', etag: '"v1"', json: { id: 42 } })
  await cache.json('/product')
  await clock.advance(minute)
  await cache.json('/product')
  const { epoch } = await cache.purge({ url: '/product' })
  const url = `${origin.url}/product`
  expect(events.filter(({ type }) => type !== 'answered')).toEqual([
    { type: 'stored', url, bytes: 9 },
    { type: 'freshened', url },
    { type: 'purged', mode: 'soft', epoch, urls: [url] },
  ])
})

test('a network error is told as one rejected request', async () => {
  const { cache, origin, events } = harness()
  origin.serves('/product', { fault: 'network' })
  const error = await cache.fetch('/product').catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(TypeError)
  expect(events).toEqual([{ type: 'rejected', url: `${origin.url}/product`, error }])
})

test('an abort is told as one rejected request', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/product', { fault: 'hang' })
  const controller = new AbortController()
  const work = cache.fetch('/product', { signal: controller.signal })
  await clock.settle()
  controller.abort()
  await expect(work).rejects.toThrow(controller.signal.reason)
  expect(types(events)).toEqual(['rejected'])
})

test('a json() that rejects after its response came was answered, once', async () => {
  const { cache, origin, events } = harness()
  origin.serves('/page', { body: '<p>' })
  await expect(cache.json('/page')).rejects.toThrow('not JSON')
  await expect(cache.json('/none')).rejects.toThrow('404')
  expect(types(events)).toEqual(['answered', 'answered'])
})

test('a refresh behind that fails is told as failed, the answer as answered (RFC 5861 §3)', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60, stale-while-revalidate=60', json: { id: 42 } })
  await cache.json('/product')
  await clock.advance(minute)
  events.length = 0
  origin.serves('/product', { fault: 'network' })
  await cache.json('/product')
  await cache.settled()
  expect(types(events).sort()).toEqual(['answered', 'failed', 'refreshing'])
})

test.each([{ cacheControl: 'no-store' }, { status: 404, body: '' }, { json: undefined, body: '{"broken"' }])(
  'a refresh behind of which nothing can be stored (%j) is told as failed, so that whoever waits for its end hears of it',
  async (instead) => {
    const { cache, origin, clock, events } = harness()
    origin.serves('/product', { cacheControl: 'max-age=60, stale-while-revalidate=60', json: { id: 42 } })
    await cache.json('/product')
    await clock.advance(minute)
    events.length = 0
    origin.serves('/product', { json: { id: 43 }, ...instead })
    await cache.json('/product')
    await cache.settled()
    expect(types(events).sort()).toEqual(['answered', 'failed', 'refreshing'])
  },
)

test('subscribe() hears of its own key only', async () => {
  const { cache, origin, clock } = harness()
  for (const path of ['/a', '/b']) {
    origin.serves(path, { cacheControl: 'max-age=60', etag: '"v1"', json: { path } })
  }
  const heard: CacheEvent[] = []
  cache.subscribe('/a', (event) => heard.push(event))
  for (const path of ['/a', '/b']) await cache.json(path)
  await clock.advance(minute)
  for (const path of ['/a', '/b']) await cache.json(path)
  for (const path of ['/a', '/b']) cache.update(path, (data) => data)
  for (const path of ['/a', '/b']) await cache.purge({ url: path })
  expect(types(heard)).toEqual(['stored', 'freshened', 'updated', 'purged'])
})

test.each([{ all: true as const }, { pattern: '/a*' }, { tag: 'shelf' }, { tags: ['other', 'shelf'] }, { url: '/a' }])(
  'subscribe() hears of a purge by %o that covers what is stored',
  async (selector) => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', tags: ['shelf'], json: {} })
    await cache.json('/a')
    const heard: CacheEvent[] = []
    cache.subscribe('/a', (event) => heard.push(event))
    await cache.purge({ pattern: '/b*' })
    await cache.purge({ tag: 'none' })
    await cache.purge({ url: '/b' })
    expect(heard).toEqual([])
    await cache.purge(selector)
    expect(types(heard)).toEqual(['purged'])
  },
)

test('subscribe() hears of an invalidation by an unsafe method (RFC 9111 §4.4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/cart', { cacheControl: 'max-age=60', json: {} })
  await cache.json('/cart')
  const heard: CacheEvent[] = []
  cache.subscribe('/cart', (event) => heard.push(event))
  await cache.fetch('/cart', { method: 'DELETE' })
  expect(heard).toMatchObject([{ type: 'purged', mode: 'invalidate' }])
})

test('subscribe() hears of a failure behind a stale answer (RFC 5861 §4)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60, stale-if-error=60', json: {} })
  await cache.json('/a')
  await clock.advance(minute)
  const heard: CacheEvent[] = []
  cache.subscribe('/a', (event) => heard.push(event))
  origin.serves('/a', { status: 503 })
  await cache.json('/a')
  expect(types(heard)).toEqual(['failed'])
})

test('who subscribed before the origin said No-Vary-Search still hears of its URL', async () => {
  const { cache, origin } = harness()
  const headers = { 'no-vary-search': 'params=("page")' }
  for (const page of [1, 2]) origin.serves(`/a?page=${page}`, { cacheControl: 'max-age=60', headers, json: { page } })
  const heard: CacheEvent[] = []
  cache.subscribe('/a?page=1', (event) => heard.push(event))
  await cache.json('/a?page=1')
  await cache.json('/a?page=2', { cache: 'reload' })
  expect(types(heard)).toEqual(['stored', 'stored'])
})

test('a listener given twice is called twice, and each ending ends one', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: {} })
  let calls = 0
  const listener = () => {
    calls++
  }
  for (const listen of [() => cache.on(listener), () => cache.subscribe('/a', listener)]) {
    calls = 0
    const [stop, stopToo] = [listen(), listen()]
    cache.hydrate({ v: 1, responses: [] })
    await cache.json('/a', { cache: 'reload' })
    const both = calls
    stop()
    stop()
    await cache.json('/a', { cache: 'reload' })
    expect(calls - both).toBe(both / 2)
    stopToo()
    calls = 0
    await cache.json('/a', { cache: 'reload' })
    expect(calls).toBe(0)
  }
})

test('a listener that throws harms neither the answer nor the others, and its error is reported', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { id: 1 } })
  const reported: unknown[] = []
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error))
  const heard: string[] = []
  cache.on(() => {
    throw new Error('from on()')
  })
  cache.on(({ type }) => heard.push(type))
  cache.subscribe('/a', () => {
    throw new Error('from subscribe()')
  })
  cache.subscribe('/a', ({ type }) => heard.push(`own ${type}`))
  expect(await cache.json('/a')).toEqual({ id: 1 })
  expect(heard.sort()).toEqual(['answered', 'own stored', 'stored'])
  expect(reported.map(String).sort()).toEqual(['Error: from on()', 'Error: from on()', 'Error: from subscribe()'])
  expect(cache.stats().requests).toBe(1)
})

test('a listener may end itself, and read the cache, while it is called', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { id: 1 } })
  const seen: unknown[] = []
  const stop = cache.subscribe('/a', () => {
    stop()
    seen.push(cache.peek('/a')?.data)
  })
  await cache.json('/a')
  await cache.json('/a', { cache: 'reload' })
  expect(seen).toEqual([{ id: 1 }])
})

test('over a thousand URLs under one path are told, once', async () => {
  const { cache, origin, events } = harness()
  for (let n = 0; n < 1100; n++) {
    origin.serves(`/search?q=${n}`, { cacheControl: 'max-age=60', body: 'x' })
    await (await cache.fetch(`/search?q=${n}`)).text()
  }
  await cache.settled()
  expect(events.filter(({ type }) => type === 'keys-exploded')).toEqual([
    { type: 'keys-exploded', url: `${origin.url}/search`, keys: 1000 },
  ])
})
