import { createCache } from '../../src/index.development.ts'
import type { CacheEvent, CacheOptions } from '../../src/index.ts'
import { scriptedOrigin, seededRandom, virtualClock } from '../../src/testing/index.ts'
import type { Harness } from './harness.ts'

const PAGE = 'https://origin.test/page'

/**
 * The same as `harness()`, for a cache that is made in a page of the origin: other origins are other ones there, CORS hides their fields, and a browser's
 * own HTTP cache lies below. Only where it runs is played; what browsers make of it is tested in browsers.
 */
export function pageHarness(options: CacheOptions = {}): Harness {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock, page: PAGE })
  const events: CacheEvent[] = []
  const location = { origin: new URL(PAGE).origin, href: PAGE }
  Object.defineProperty(globalThis, 'location', { configurable: true, value: location })
  try {
    const early = { earlyExpiry: { phase: 0 } }
    const cache = createCache({
      store: 'memory',
      fetch: origin.fetch,
      clock,
      random: seededRandom(1),
      ...early,
      ...options,
    })
    cache.on((event) => events.push(event))
    return { cache, origin, clock, events }
  } finally {
    Reflect.deleteProperty(globalThis, 'location')
  }
}
