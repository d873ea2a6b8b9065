import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, test } from 'vitest'
import { hangingStore } from './gated-store.ts'
import { harness, nextPage } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const schemaOf = <T>(
  validate: StandardSchemaV1<unknown, T>['~standard']['validate'],
): StandardSchemaV1<unknown, T> => ({
  '~standard': { version: 1, vendor: 'test', validate },
})

test('a 304 gives no new life to another response under the key that was hard purged (law 2; a part with the same strong validator)', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/a', ({ headers }) =>
    headers.range
      ? {
          status: 206,
          cacheControl: 'max-age=60',
          etag: '"v1"',
          tags: ['secret'],
          headers: { 'content-range': 'bytes 0-3/10' },
          body: '0123',
        }
      : { cacheControl: 'max-age=60', etag: '"v1"', body: '0123456789', headers: { 'content-encoding': 'x-none' } },
  )
  const range = { headers: { range: 'bytes=0-3' } }
  await text(cache.fetch('/a', range))
  await text(cache.fetch('/a', { cache: 'reload' }))
  await cache.purge({ tag: 'secret' }, { mode: 'hard' })
  await clock.advance(61_000)
  await text(cache.fetch('/a'))
  await cache.settled()
  const asked = origin.requests.length
  await text(cache.fetch('/a', range))
  expect(origin.requests).toHaveLength(asked + 1)
})

test('an abort ends json() also while a schema takes its time (R8; Fetch, abort a fetch() call)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
  const controller = new AbortController()
  let end: unknown = 'pending'
  cache
    .json('/a', { schema: schemaOf(() => new Promise<never>(() => {})), signal: controller.signal })
    .catch((error: Error) => {
      end = error.name
    })
  await clock.settle()
  controller.abort()
  await clock.advance(60_000)
  expect(end).toBe('AbortError')
})

test('a late answer of the disk in its stale-while-revalidate window does not throw away the response that refreshes it (RFC 5861 §3)', async () => {
  const { store, hang, wake } = hangingStore()
  const first = harness({ store, earlyExpiry: false })
  const { origin, clock } = first
  origin.serves('/a', { cacheControl: 'max-age=1, stale-while-revalidate=600', body: 'stored' })
  await text(first.cache.fetch('/a'))
  await first.cache.settled()
  await clock.advance(2_000)
  hang()
  const { cache } = nextPage(first, { store })
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'new and not short' })
  const held = origin.hold('/a')
  const read = text(cache.fetch('/a'))
  await clock.advance(100)
  wake()
  expect(await read).toBe('stored')
  held.release()
  await clock.settle()
  await cache.settled()
  expect(await text(cache.fetch('/a'))).toBe('new and not short')
  expect(origin.requests).toHaveLength(2)
})
