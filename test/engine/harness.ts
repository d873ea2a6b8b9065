import { createCache } from '../../src/index.development.ts'
import type { CacheEvent, CacheOptions, NearCache } from '../../src/index.ts'
import {
  type ScriptedOrigin,
  scriptedOrigin,
  seededRandom,
  type VirtualClock,
  virtualClock,
} from '../../src/testing/index.ts'

export interface Harness {
  readonly cache: NearCache
  readonly origin: ScriptedOrigin & { readonly url: string }
  readonly clock: VirtualClock
  /** Everything that the cache told, in order. */
  readonly events: CacheEvent[]
}

/** A cache in memory before an origin that a test plays, with time and chance in the test's hand. `options` go before what stands here. */
export function harness(options: CacheOptions = {}): Harness {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  const events: CacheEvent[] = []
  const cache = createCache({
    store: 'memory',
    fetch: origin.fetch,
    clock,
    random: seededRandom(1),
    base: origin.url,
    // The last moments of a lifetime would be another matter for each seed.
    earlyExpiry: { phase: 0 },
    ...options,
  })
  cache.on((event) => events.push(event))
  return { cache, origin, clock, events }
}

/** What comes after a reload: a cache of its own, before the same origin and at the same time, with another chance. `options` say on which store. */
export function nextPage({ origin, clock }: Harness, options: CacheOptions): Pick<Harness, 'cache' | 'events'> {
  return harness({
    fetch: origin.fetch,
    clock,
    random: seededRandom(7),
    base: origin.url,
    earlyExpiry: false,
    ...options,
  })
}

/** Of each request that was answered, in order: why it was answered so. */
export const causes = (events: readonly CacheEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'answered' ? [event.cause] : []))
