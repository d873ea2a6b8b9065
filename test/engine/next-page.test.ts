import { expect, test } from 'vitest'
import { createCache } from '../../src/index.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { gatedStore } from './gated-store.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('a 304 freshens what an earlier page has stored, however many requests that one made (RFC 9111 §4.3.4)', async () => {
  const store = gatedStore(async () => {})
  const earlier = harness({ store, earlyExpiry: false })
  const { origin, clock } = earlier
  origin.serves('/*', { cacheControl: 'max-age=60', etag: '"v1"', body: 'x' })
  for (let n = 0; n < 10; n++) await text(earlier.cache.fetch(`/other/${n}`))
  await text(earlier.cache.fetch('/a'))
  await earlier.cache.settled()
  await clock.advance(61_000)

  const cache = createCache({
    store,
    fetch: origin.fetch,
    clock,
    random: seededRandom(7),
    base: origin.url,
    earlyExpiry: false,
  })
  const seen: Parameters<Parameters<typeof cache.on>[0]>[0][] = []
  cache.on((event) => seen.push(event))
  await text(cache.fetch('/a'))
  await cache.settled()
  await text(cache.fetch('/a'))
  expect(causes(seen)).toEqual(['validated', 'fresh'])
})

test('a refresh behind freshens what an earlier page has stored (RFC 5861 §3)', async () => {
  const store = gatedStore(async () => {})
  const earlier = harness({ store, earlyExpiry: false })
  const { origin, clock } = earlier
  origin.serves('/*', { cacheControl: 'max-age=60, stale-while-revalidate=600', etag: '"v1"', body: 'x' })
  for (let n = 0; n < 10; n++) await text(earlier.cache.fetch(`/other/${n}`))
  await text(earlier.cache.fetch('/a'))
  await earlier.cache.settled()
  await clock.advance(61_000)
  const cache = createCache({
    store,
    fetch: origin.fetch,
    clock,
    random: seededRandom(7),
    base: origin.url,
    earlyExpiry: false,
  })
  const seen: Parameters<Parameters<typeof cache.on>[0]>[0][] = []
  cache.on((event) => seen.push(event))
  await text(cache.fetch('/a'))
  await cache.settled()
  await text(cache.fetch('/a'))
  await cache.settled()
  expect(causes(seen)).toEqual(['stale-while-revalidate', 'fresh'])
})
