import { expect, test } from 'vitest'
import type { CacheEvent } from '../../src/index.ts'
import { gatedStore } from '../engine/gated-store.ts'
import { type Harness, harness } from '../engine/harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** Uses the cache in every way, once, from inside an event of this kind; gives what that came to. */
function useInside({ cache }: Harness, type: CacheEvent['type']): Array<Promise<unknown>> {
  const inner: Array<Promise<unknown>> = []
  const stop = cache.on((event) => {
    if (event.type !== type || inner.length > 0) return
    stop()
    cache.stats()
    cache.peek('/0')
    cache.update('/0', (data) => data).rollback()
    const state = cache.dehydrate().then((all) => cache.hydrate(all))
    inner.push(state, cache.explain('/0'), cache.purge({ url: '/other' }), text(cache.fetch('/0')))
  })
  return inner
}

const served = (path: string) => JSON.stringify({ path })

/** What makes each kind of event happen, beside those of the everyday paths. */
const provoke: Readonly<
  Record<'evicted' | 'updated' | 'failed' | 'store-failed' | 'keys-exploded', (world: Harness) => Promise<unknown>>
> = {
  async evicted({ cache }) {
    for (let n = 0; n < 30; n++) await text(cache.fetch(`/${n}`))
  },
  async updated({ cache }) {
    cache.update('/0', (data) => data)
  },
  async failed({ cache, origin, clock }) {
    await clock.advance(90_000)
    origin.fails('/0', 'network', 1)
    await text(cache.fetch('/0'))
    await cache.settled()
  },
  async 'store-failed'({ cache, clock }) {
    await clock.advance(61_000) // each kind of failure is told once a minute
    await text(cache.fetch('/1'))
    await cache.settled()
  },
  async 'keys-exploded'({ cache }) {
    for (let n = 0; n < 1_001; n++) await text(cache.fetch(`/many?${n}`))
  },
}

test.each(Object.entries(provoke))(
  'F-47: the cache is used from inside the event %s: no deadlock, and nothing breaks',
  async (kind, happen) => {
    const type = kind as CacheEvent['type']
    const store = type === 'store-failed' ? gatedStore(() => Promise.reject(new Error('The disk is ill'))) : 'memory'
    const maxBytes = 20_000
    const world = harness({ store, ...(type === 'evicted' && { memory: { maxBytes, maxEntryBytes: maxBytes } }) })
    const { cache, origin, events } = world
    origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60, stale-while-revalidate=600', body: served(path) }))
    await text(cache.fetch('/0'))
    await cache.settled()
    const inner = useInside(world, type)
    await happen(world)
    expect(events.map((event) => event.type)).toContain(type)
    await cache.settled()
    expect(inner).toHaveLength(4)
    expect(await inner[3]).toBe(served('/0'))
    await Promise.all(inner)
    expect(await text(cache.fetch('/0'))).toBe(served('/0'))
    if (type === 'evicted') expect(cache.stats().memoryBytes).toBeLessThanOrEqual(maxBytes)
  },
)

test('F-47: hydrating, purging and reading from inside every eviction keeps the budget', async () => {
  const maxBytes = 10_000
  const { cache, origin } = harness({ memory: { maxBytes, maxEntryBytes: maxBytes } })
  origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60', body: path.padEnd(500) }))
  for (let n = 0; n < 4; n++) await text(cache.fetch(`/${n}`))
  const state = await cache.dehydrate()
  const inner: Array<Promise<unknown>> = []
  cache.on(({ type }) => {
    if (type !== 'evicted' || inner.length > 100) return
    inner.push(cache.purge({ url: '/1' }), text(cache.fetch('/2')))
    cache.hydrate(state)
  })
  for (let n = 0; n < 60; n++) expect((await text(cache.fetch(`/next${n}`))).trim()).toBe(`/next${n}`)
  await cache.settled()
  await Promise.all(inner)
  expect(inner.length).toBeGreaterThan(100)
  expect(cache.stats().memoryBytes).toBeLessThanOrEqual(maxBytes)
  expect(cache.stats().memoryBytes).toBeGreaterThan(0)
})
