import { afterEach, expect, test } from 'vitest'
import { causes, harness } from './harness.ts'

const names = ['maxAge', 'staleIfError', 'staleWhileRevalidate', 'immutable'] as const
afterEach(() => {
  for (const name of names) Reflect.deleteProperty(Object.prototype, name)
})

test.each(names)(
  '%s in Object.prototype is no directive: nothing becomes fresh or servable by it (F-80, A-25)',
  async (name) => {
    const { cache, origin, clock, events } = harness({ earlyExpiry: false })
    origin.serves('/a', { cacheControl: 'private', etag: '"1"', body: 'x' })
    Object.defineProperty(Object.prototype, name, { value: 3_600_000, configurable: true })
    await (await cache.fetch('/a')).text()
    await clock.advance(1_000)
    await (await cache.fetch('/a')).text()
    origin.fails('/a', 'network')
    await expect(cache.fetch('/a')).rejects.toThrow(TypeError)
    expect(causes(events)).toEqual(['miss', 'validated'])
  },
)
