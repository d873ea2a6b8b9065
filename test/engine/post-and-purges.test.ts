import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test.each(['hard', 'soft'] as const)(
  'a POST that left before a %s purge is not stored as if it came after it (law 3; RFC 9110 §9.3.3)',
  async (mode) => {
    const { cache, origin, clock } = harness()
    origin.serves('POST /a', {
      cacheControl: 'max-age=600',
      headers: { 'content-location': '/a' },
      body: 'made before the purge',
    })
    origin.serves('GET /a', { cacheControl: 'max-age=600', body: 'made after' })
    const held = origin.hold('POST /a')
    const posting = text(cache.fetch('/a', { method: 'POST', body: 'x' }))
    await clock.settle()
    await cache.purge({ url: '/a' }, { mode })
    held.release()
    expect(await posting).toBe('made before the purge')
    await cache.settled()
    expect(await text(cache.fetch('/a'))).toBe('made after')
  },
)

test('a POST response too large to keep, whose caller goes, gives its connection back (RFC 9110 §9.3.3)', async () => {
  const { cache, origin, clock } = harness({ memory: { maxBytes: 8_000, maxEntryBytes: 1_000 } })
  const endless = () =>
    new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(100)) }, { highWaterMark: 0 })
  origin.serves('/a', () => ({ cacheControl: 'max-age=600', headers: { 'content-location': '/a' }, body: endless() }))
  const response = await cache.fetch('/a', { method: 'POST', body: 'x' })
  await response.body?.cancel()
  await clock.settle()
  expect(origin.requests[0]?.aborted).toBe(true)
})
