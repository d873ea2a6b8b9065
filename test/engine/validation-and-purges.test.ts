import { describe, expect, test } from 'vitest'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

describe('a 304 says nothing of a purge that came after its request had left (laws 2 and 3)', () => {
  test.each([
    ['soft', 'validated'],
    ['hard', 'purged'],
  ] as const)('%s: the next read is %s, not fresh', async (mode, cause) => {
    const { cache, origin, clock, events } = harness({ earlyExpiry: false })
    origin.serves('/a', { cacheControl: 'max-age=60', etag: '"same"', body: 'body' })
    await text(cache.fetch('/a'))
    await clock.advance(61_000)
    const hold = origin.hold('/a')
    const validating = text(cache.fetch('/a'))
    await clock.settle()
    expect(hold.waiting).toBe(1)
    await cache.purge({ url: '/a' }, { mode })
    hold.release()
    expect(await validating).toBe('body')
    await cache.settled()
    await text(cache.fetch('/a'))
    expect(causes(events).at(-1)).toBe(cause)
  })
})
