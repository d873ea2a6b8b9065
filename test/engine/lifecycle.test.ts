import { expect, test, vi } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { causes, harness } from './harness.ts'

test('settled() waits for a refresh behind and for what is being stored (RFC 5861 §3)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', ({ seq }) => ({
    cacheControl: 'max-age=60, stale-while-revalidate=60',
    delayMs: seq > 1 ? 500 : 0,
    json: { seq },
  }))
  await cache.json('/a')
  await clock.advance(60_000)
  expect(await cache.json('/a')).toEqual({ seq: 1 })
  let isSettled = false
  const settled = cache.settled().then(() => {
    isSettled = true
  })
  await clock.advance(499)
  expect(isSettled).toBe(false)
  await clock.advance(1)
  await settled
  expect(cache.peek('/a')?.data).toEqual({ seq: 2 })
})

test('settled() resolves at once where nothing is going on', async () => {
  await expect(harness().cache.settled()).resolves.toBeUndefined()
})

test('after settled() no timer is left (R9)', async () => {
  const { cache, origin, clock } = harness({ deadlines: { hardMs: 10_000 } })
  origin.serves('/a', { cacheControl: 'max-age=60, stale-while-revalidate=60', etag: '"v1"', json: {} })
  await cache.json('/a')
  await clock.advance(60_000)
  await cache.json('/a')
  await cache.settled()
  await clock.settle()
  expect(clock.sleeping).toBe(0)
})

test('after close() fetch is plain fetch: nothing is looked up, stored, counted or told', async () => {
  const { cache, origin, events } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: {} })
  await cache.json('/a')
  await cache.close()
  const [told, counted] = [events.length, cache.stats().requests]
  for (let turn = 0; turn < 2; turn++) {
    const response = await cache.fetch(`${origin.url}/a`)
    expect(response.headers.has('cache-status')).toBe(false)
    expect(await response.json()).toEqual({})
  }
  expect(origin.requests).toHaveLength(3)
  expect(events).toHaveLength(told)
  expect(cache.stats().requests).toBe(counted)
})

test('after close() json() asks the origin, each time', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', json: { seq } }))
  expect(await cache.json('/a')).toEqual({ seq: 1 })
  await cache.close()
  expect(await cache.json('/a')).toEqual({ seq: 2 })
  expect(await cache.json('/a')).toEqual({ seq: 3 })
})

test('close() ends background work, and leaves no timer', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60, stale-while-revalidate=60', json: {} })
  await cache.json('/a')
  await clock.advance(60_000)
  origin.serves('/a', { fault: 'hang' })
  await cache.json('/a')
  expect(origin.requests.at(-1)?.aborted).toBe(false)
  await cache.close()
  await clock.settle()
  expect(origin.requests.at(-1)?.aborted).toBe(true)
  expect(clock.sleeping).toBe(0)
})

test('close() gives back the store, once', async () => {
  const close = vi.fn(async () => {})
  const log = { incarnation: 'x', last: 0, floor: 0, purges: [] }
  const read = async () => ({ log, record: () => undefined, body: () => undefined })
  const { cache } = harness({ store: { read, update: async () => log, close } })
  await cache.close()
  await cache.close()
  expect(close).toHaveBeenCalledTimes(1)
})

test('a request under way when close() is called settles (R8)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { fault: 'hang' })
  const settled = Promise.allSettled([cache.fetch('/a'), cache.json('/a')])
  await clock.settle()
  await cache.close()
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('two caches share nothing', async () => {
  const one = harness()
  const other = harness({ fetch: one.origin.fetch, clock: one.clock })
  one.origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', json: { seq } }))
  expect(await one.cache.json('/a')).toEqual({ seq: 1 })
  expect(await other.cache.json('/a')).toEqual({ seq: 2 })
  await one.cache.purge({ all: true }, { mode: 'hard' })
  expect(await other.cache.json('/a')).toEqual({ seq: 2 })
  one.cache.update('/a', () => ({ seq: 9 }))
  expect(other.cache.peek('/a')?.data).toEqual({ seq: 2 })
  expect(other.cache.stats().requests).toBe(2)
  expect(causes(other.events)).toEqual(['miss', 'fresh'])
  await one.cache.close()
  expect(await other.cache.json('/a')).toEqual({ seq: 2 })
})

test('one cache may be another’s transport', async () => {
  const below = harness()
  const above = harness({ fetch: below.cache.fetch, clock: below.clock })
  below.origin.serves('/a', { cacheControl: 'max-age=60', json: { id: 1 } })
  expect(await above.cache.json('/a')).toEqual({ id: 1 })
  await below.clock.advance(60_000)
  expect(await above.cache.json('/a')).toEqual({ id: 1 })
  expect(below.origin.requests).toHaveLength(2)
})

test('all methods are bound', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { id: 1 } })
  const { fetch, json, peek, update, explain, purge, subscribe, on, stats, dehydrate, hydrate, settled, close } = cache
  expect((await fetch('/a')).ok).toBe(true)
  expect(await json('/a')).toEqual({ id: 1 })
  expect(peek('/a')?.data).toEqual({ id: 1 })
  update('/a', (data) => data).rollback()
  expect((await explain('/a')).cause).toBe('fresh')
  subscribe('/a', () => {})()
  on(() => {})()
  hydrate(await dehydrate())
  await purge({ all: true })
  expect(stats().requests).toBe(2)
  await settled()
  await close()
})

test('createCache() touches nothing outside until the first request', () => {
  const touched: string[] = []
  const log = { incarnation: 'x', last: 0, floor: 0, purges: [] }
  createCache({
    base: 'https://origin.test',
    clock: {
      now: () => touched.push('clock'),
      sleep: async () => {
        touched.push('sleep')
      },
    },
    fetch: async () => {
      touched.push('fetch')
      return new Response()
    },
    store: {
      async read() {
        touched.push('read')
        return { log, record: () => undefined, body: () => undefined }
      },
      async update() {
        touched.push('update')
        return log
      },
    },
  })
  expect(touched).toEqual([])
})
