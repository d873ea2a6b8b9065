import { expect, test } from 'vitest'
import { causes, harness } from '../engine/harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const BACKGROUND_MS = 30_000

/** A cache with `/a`, stale for half a minute and within its stale-while-revalidate window for a long time. */
async function refreshing() {
  const world = harness({ earlyExpiry: false })
  world.origin.serves('/a', { cacheControl: 'max-age=60, stale-while-revalidate=6000', body: 'good' })
  await text(world.cache.fetch('/a'))
  await world.clock.advance(90_000)
  return world
}

test.each(['hang', 'stall', 'drip'] as const)(
  'F-25: a refresh whose origin %ss ends after 30 seconds, stores nothing, and the next one is not kept waiting by it (RFC 5861 §3)',
  async (fault) => {
    const { cache, origin, clock, events } = await refreshing()
    const slow = { cacheControl: 'max-age=600', body: 'x'.repeat(1_000), dripMs: 1_000 }
    origin.serves('/a', { ...slow, fault })
    for (let read = 0; read < 10; read++) expect(await text(cache.fetch('/a'))).toBe('good')
    expect(origin.requests).toHaveLength(2)
    await clock.advance(BACKGROUND_MS)
    await cache.settled()
    expect(origin.requests[1]?.aborted).toBe(true)
    expect(clock.sleeping).toBe(0)
    expect(await text(cache.fetch('/a'))).toBe('good')
    await clock.advance(5_000)
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'new' })
    expect(await text(cache.fetch('/a'))).toBe('good')
    await cache.settled()
    expect(await text(cache.fetch('/a'))).toBe('new')
    expect(origin.requests).toHaveLength(3)
    expect(events.filter(({ type }) => type === 'failed')).toHaveLength(1)
    expect(new Set(causes(events).slice(1, -1))).toEqual(new Set(['stale-while-revalidate']))
  },
)

test('F-25: a body that drips reaches its reader byte by byte, whatever the deadlines, which are for heads', async () => {
  const { cache, origin, clock } = harness({ deadlines: { hardMs: 5_000, softMs: 1_000 } })
  origin.serves('/a', { cacheControl: 'max-age=600', body: 'ten bytes.', fault: 'drip', dripMs: 1_000 })
  const reading = text(cache.fetch('/a'))
  await clock.advance(10_000)
  expect(await reading).toBe('ten bytes.')
  expect(await text(cache.fetch('/a'))).toBe('ten bytes.')
  expect(origin.requests).toHaveLength(1)
  expect(clock.sleeping).toBe(0)
})
