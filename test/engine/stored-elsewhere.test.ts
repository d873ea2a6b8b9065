import { describe, expect, test } from 'vitest'
import { gatedStore, hangingStore } from './gated-store.ts'
import { causes, harness, nextPage } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** A durable store, and what lies in it: the last record written for each key. */
function watchedStore() {
  const inner = gatedStore(async () => {})
  const records = new Map<string, unknown>()
  const store: typeof inner = {
    ...inner,
    update: (keys, change, options) =>
      inner.update(
        keys,
        (snapshot) => {
          const writes = change(snapshot)
          for (const write of writes) if (write.kind === 'record') records.set(write.key.join(), write.value)
          return writes
        },
        options,
      ),
  }
  return { store, records }
}

test.each(['etag', 'lastModified'] as const)(
  'variants with the same validator (%s): a 304 confirms the one that was asked for, at the price of one request (RFC 9111 §4.3.4)',
  async (validator) => {
    const { cache, origin, clock } = harness({ earlyExpiry: false })
    origin.serves('/a', ({ headers }) => ({
      cacheControl: 'max-age=60',
      ...(validator === 'etag' ? { etag: 'W/"same"' } : { lastModified: Date.UTC(2025, 0, 1) }),
      vary: 'x-view',
      headers: validator === 'etag' ? {} : { 'last-modified': new Date(Date.UTC(2025, 0, 1)).toUTCString() },
      body: headers['x-view'] ?? '',
    }))
    const read = (view: string) => text(cache.fetch('/a', { headers: { 'x-view': view } }))
    await read('one')
    await clock.advance(1_000)
    await read('other')
    await clock.advance(61_000)
    expect(await read('one')).toBe('one')
    expect(origin.requests).toHaveLength(3)
  },
)

test.each(['GET', 'HEAD'] as const)(
  'what the answer to a later %s says is private leaves the disk (DESIGN §5; RFC 9111 §5.2.2.7)',
  async (method) => {
    const { store, records } = watchedStore()
    const { cache, origin, clock } = harness({ store, earlyExpiry: false })
    origin.serves('/a', { cacheControl: 'max-age=1', etag: '"v1"', body: 'x' })
    await text(cache.fetch('/a'))
    await cache.settled()
    await clock.advance(2_000)
    origin.serves('/a', { cacheControl: 'private, max-age=60', etag: '"v1"', body: 'x' })
    await text(cache.fetch('/a', { method }))
    await cache.settled()
    expect(records.get('https://origin.test/a')).toBeUndefined()
  },
)

test('the network loses against the disk and hangs: it does not keep the key from a healthy origin (R9, F-25)', async () => {
  const { store, hang, wake } = hangingStore()
  const first = harness({ store, earlyExpiry: false })
  const { origin, clock } = first
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'stored' })
  await text(first.cache.fetch('/a'))
  await first.cache.settled()
  hang()
  const { cache } = nextPage(first, { store, earlyExpiry: {} })
  origin.serves('/a', { fault: 'hang' })
  const read = text(cache.fetch('/a'))
  await clock.advance(100)
  wake()
  expect(await read).toBe('stored')
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'new' })
  await clock.advance(600_000)
  expect.soft(origin.requests[1]?.aborted).toBe(true)
  let body = 'pending'
  text(cache.fetch('/a')).then((got) => {
    body = got
  })
  await clock.advance(60_000)
  expect(body).toBe('new')
})

test('a purge of long ago that the disk knows does not cover what a page brings now (hydrate; DESIGN §6)', async () => {
  const store = gatedStore(async () => {})
  const earlier = harness({ store })
  await earlier.cache.purge({ all: true }, { mode: 'hard' })
  await earlier.clock.advance(86_400_000)
  const server = harness()
  await server.clock.advance(86_400_000)
  server.origin.serves('/a', { cacheControl: 'max-age=600', body: 'rendered' })
  await text(server.cache.fetch('/a'))
  const { cache } = nextPage(earlier, { store })
  earlier.origin.serves('/*', { cacheControl: 'max-age=600', body: 'asked again' })
  cache.hydrate(await server.cache.dehydrate())
  await cache.settled()
  await text(cache.fetch('/other'))
  expect(await text(cache.fetch('/a'))).toBe('rendered')
})

test('a response that is already in the hands of its caller comes to its end though the cache is closed', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'a whole body' })
  const held = origin.hold('/a', 'body')
  const response = await cache.fetch('/a')
  const closing = cache.close()
  held.release()
  expect(await response.text().catch((error: Error) => error.name)).toBe('a whole body')
  await closing
})

test('of two who share a request, each has its labels on what is stored (purge by tag)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', body: `v${seq}` }))
  const held = origin.hold('/a')
  const both = [
    text(cache.fetch('/a', { nearcache: { tags: ['one'] } })),
    text(cache.fetch('/a', { nearcache: { tags: ['other'] } })),
  ]
  await clock.settle()
  held.release()
  await Promise.all(both)
  await cache.settled()
  await cache.purge({ tag: 'other' }, { mode: 'hard' })
  const asked = origin.requests.length
  await text(cache.fetch('/a'))
  expect(origin.requests).toHaveLength(asked + 1)
})

describe('what lies on disk alone is as good as what lies in memory', () => {
  test('json(): the last good data, when the new body is none (RFC 5861 §4)', async () => {
    const { store } = watchedStore()
    const { cache, origin, clock } = harness({ store, memory: { maxBytes: 0 }, disk: { maxBytes: 100_000 } })
    const cacheControl = 'max-age=1, stale-if-error=600'
    origin.serves('/a', { cacheControl, json: { good: true } })
    expect(await cache.json('/a')).toEqual({ good: true })
    await cache.settled()
    await clock.advance(2_000)
    origin.serves('/a', { cacheControl, headers: { 'content-type': 'application/json' }, body: '<html>' })
    expect(await cache.json('/a')).toEqual({ good: true })
  })

  test('a refresh behind that brings nothing to store is not tried again at once (RFC 5861 §3)', async () => {
    const { store } = watchedStore()
    const { cache, origin, clock } = harness({
      store,
      memory: { maxBytes: 0 },
      disk: { maxBytes: 100_000 },
      earlyExpiry: false,
    })
    origin.serves('/a', { cacheControl: 'max-age=1, stale-while-revalidate=600', body: 'x' })
    await text(cache.fetch('/a'))
    await cache.settled()
    await clock.advance(2_000)
    origin.serves('/a', { status: 404, cacheControl: 'no-store', body: 'gone' })
    for (let n = 0; n < 5; n++) {
      await text(cache.fetch('/a'))
      await cache.settled()
    }
    expect(origin.requests).toHaveLength(2)
  })

  test('a stored event is told only of what is stored somewhere', async () => {
    const { store } = watchedStore()
    const { cache, origin, events } = harness({
      store,
      memory: { maxBytes: 8_000, maxEntryBytes: 1_000 },
      disk: { maxBytes: 100_000 },
    })
    origin.serves('/a', { cacheControl: 'private, max-age=60', body: 'x'.repeat(2_000) })
    await text(cache.fetch('/a'))
    await cache.settled()
    expect((await cache.explain('/a')).candidates).toEqual([])
    expect(events.filter(({ type }) => type === 'stored')).toEqual([])
    expect(causes(events)).toEqual(['miss'])
  })
})

test('an update in front of data that a page replaces by hydrate() has had its time', async () => {
  const server = harness()
  await server.clock.advance(10_000)
  server.origin.serves('/a', { cacheControl: 'max-age=600', json: { n: 2 } })
  await server.cache.json('/a')
  const { cache, origin, events } = harness()
  origin.serves('/a', { cacheControl: 'max-age=600', json: { n: 1 } })
  await cache.json('/a')
  const { rollback } = cache.update('/a', () => ({ n: 99 }))
  cache.hydrate(await server.cache.dehydrate())
  await cache.settled()
  expect(cache.peek('/a')?.data).toEqual({ n: 2 })
  const told = events.length
  rollback()
  expect(events).toHaveLength(told)
})
