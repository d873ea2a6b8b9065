import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Stats } from '../../src/index.ts'
import { harness } from './harness.ts'

const minute = 60_000

test('nothing has been counted before the first request', () => {
  const { cache } = harness()
  expect(cache.stats()).toEqual({
    requests: 0,
    hits: 0,
    stale: 0,
    validated: 0,
    misses: 0,
    bypassed: 0,
    rejected: 0,
    byCause: {},
    byRule: {},
    requestsSaved: 0,
    bytesSaved: 0,
    msSaved: 0,
    memoryBytes: 0,
  })
})

test('each kind of answer is counted where it belongs', async () => {
  const { cache, origin, clock } = harness({ rules: [{ match: '/product*', name: 'product' }] })
  origin.serves('/product', {
    cacheControl: 'max-age=60, stale-while-revalidate=60',
    etag: '"v1"',
    delayMs: 100,
    body: '12345',
  })
  const read = async (init?: RequestInit) => {
    const response = cache.fetch('/product', init)
    await clock.advance(100)
    await (await response).text()
    await cache.settled()
  }
  await read() // a miss
  await read() // fresh: 5 bytes and 100 ms saved
  await clock.advance(minute)
  await read() // stale while it is validated behind: 5 bytes and 100 ms
  await read({ cache: 'no-cache' }) // validated: 5 bytes
  await read({ method: 'POST' }) // not for the cache
  origin.serves('/product', { fault: 'network' })
  await expect(cache.fetch('/product')).rejects.toThrow(TypeError)
  expect(cache.stats()).toMatchObject({
    requests: 6,
    hits: 1,
    stale: 1,
    validated: 1,
    misses: 1,
    bypassed: 1,
    rejected: 1,
    byCause: { miss: 1, fresh: 1, 'stale-while-revalidate': 1, validated: 1, method: 1 },
    byRule: { product: { requests: 5, saved: 2 } },
    requestsSaved: 2,
    bytesSaved: 15,
    msSaved: 200,
  })
})

test('memoryBytes follows what memory holds', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'x'.repeat(10_000) })
  await (await cache.fetch('/a')).text()
  await cache.settled()
  expect(cache.stats().memoryBytes).toBeGreaterThan(10_000)
})

test('what stats() gave does not change later', async () => {
  const { cache } = harness()
  const before = cache.stats()
  const copy = structuredClone(before)
  await cache.fetch('/none')
  expect(before).toEqual(copy)
})

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0)

/** Law 9: each response has exactly one cause, and the counters add up to the requests. */
function expectToAddUp({ requests, hits, stale, validated, misses, bypassed, rejected, byCause }: Stats): void {
  expect(hits + stale + validated + misses + bypassed + rejected).toBe(requests)
  expect(sum(Object.values(byCause))).toBe(requests - rejected)
}

const step = fc.record({
  path: fc.constantFrom('/a', '/b', '/none'),
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'POST', 'json'),
  cache: fc.constantFrom<RequestCache[]>('default', 'default', 'no-cache', 'reload', 'force-cache', 'no-store'),
  directive: fc.constantFrom('', '', 'only-if-cached', 'max-stale', 'max-age=0'),
  copies: fc.integer({ min: 1, max: 3 }),
  aborts: fc.boolean(),
  waitMs: fc.constantFrom(0, 0, 1_000, 30_000, 120_000),
  origin: fc.constantFrom('well', 'well', 'changed', 'no-store', 'ill', 'dead', 'broken'),
  purge: fc.constantFrom('none', 'none', 'none', 'soft', 'hard'),
})

test('whatever happens, each request is told once and the counters add up (law 9)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const { cache, origin, clock, events } = harness()
      let version = 1
      let asked = 0
      for (const { path, method, cache: mode, directive, copies, aborts, waitMs, origin: state, purge } of steps) {
        if (state === 'changed') version++
        const cacheControl =
          state === 'no-store' ? 'no-store' : 'max-age=60, stale-while-revalidate=60, stale-if-error=600'
        for (const served of ['/a', '/b']) {
          origin.serves(served, {
            cacheControl,
            etag: `"v${version}"`,
            json: { version },
            ...(state === 'ill' && { status: 503 }),
            ...(state === 'dead' && { fault: 'network' as const }),
            ...(state === 'broken' && { fault: 'reset' as const }),
          })
        }
        if (purge !== 'none') await cache.purge({ url: path }, { mode: purge })
        await clock.advance(waitMs)
        const controller = new AbortController()
        const init = {
          cache: mode,
          signal: controller.signal,
          headers: directive ? { 'cache-control': directive } : {},
          ...(method !== 'json' && { method }),
        }
        asked += copies
        const answers = Array.from({ length: copies }, () =>
          method === 'json' ? cache.json(path, init) : cache.fetch(path, init).then((response) => response.text()),
        )
        const settled = Promise.allSettled(answers)
        if (aborts) controller.abort()
        await settled
      }
      await cache.settled()
      const stats = cache.stats()
      expect(stats.requests).toBe(asked)
      expectToAddUp(stats)
      const told = events.filter(({ type }) => type === 'answered' || type === 'rejected')
      expect(told).toHaveLength(asked)
      expect(stats.rejected).toBe(events.filter(({ type }) => type === 'rejected').length)
    }),
    { numRuns: 150, seed: 9 },
  )
}, 30_000)
