import { expect, test } from 'vitest'
import { gatedStore } from './gated-store.ts'
import { causes, harness, nextPage } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** `/a` was stored by a page that made many requests, and is stale by a second; the page that comes after it reads it twice. */
async function readTwiceAfterReload(cacheControl: string): Promise<string[]> {
  const store = gatedStore(async () => {})
  const earlier = harness({ store, earlyExpiry: false })
  earlier.origin.serves('/*', { cacheControl, etag: '"v1"', body: 'x' })
  for (let n = 0; n < 10; n++) await text(earlier.cache.fetch(`/other/${n}`))
  await text(earlier.cache.fetch('/a'))
  await earlier.cache.settled()
  await earlier.clock.advance(61_000)

  const { cache, events } = nextPage(earlier, { store })
  for (let reads = 0; reads < 2; reads++) {
    await text(cache.fetch('/a'))
    await cache.settled()
  }
  return causes(events)
}

test('a 304 freshens what an earlier page has stored, however many requests that one made (RFC 9111 §4.3.4)', async () => {
  expect(await readTwiceAfterReload('max-age=60')).toEqual(['validated', 'fresh'])
})

test('a refresh behind freshens what an earlier page has stored (RFC 5861 §3)', async () => {
  expect(await readTwiceAfterReload('max-age=60, stale-while-revalidate=600')).toEqual([
    'stale-while-revalidate',
    'fresh',
  ])
})
