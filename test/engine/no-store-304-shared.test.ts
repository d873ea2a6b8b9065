import { expect, test } from 'vitest'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('a 304 that says no-store answers the one who asked, and nobody who joined (RFC 9111 §5.2.2.5, §4)', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/a', { cacheControl: 'max-age=5', etag: '"v1"', body: 'v1' })
  await text(cache.fetch('/a'))
  await clock.advance(6_000)
  origin.serves('/a', { cacheControl: 'no-store, max-age=60', etag: '"v1"', body: 'v1' })
  await Promise.all([text(cache.fetch('/a')), text(cache.fetch('/a'))])
  expect(causes(events)).not.toContain('collapsed')
  expect(origin.requests).toHaveLength(3)
})
