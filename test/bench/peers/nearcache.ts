import { createCache, type NearCache } from 'nearcache'
import type { Origin, Peer } from './peer.ts'

const docs = 'README.md'

const caches = new WeakMap<Origin, NearCache>()

/** One cache for all that is asked of an origin, in whatever way, as an application has it. */
function cacheOf(origin: Origin): NearCache {
  const cache =
    caches.get(origin) ?? createCache({ store: 'memory', fetch: origin.fetch, memory: { maxBytes: 2 ** 31 } })
  caches.set(origin, cache)
  return cache
}

/** What most code calls. */
export const nearcacheFetch: Peer = {
  name: 'nearcache, fetch().json()',
  docs,
  open(origin) {
    const cache = cacheOf(origin)
    return { read: async (url) => (await cache.fetch(url)).json(), close: cache.close }
  },
}

export const nearcacheJson: Peer = {
  name: 'nearcache, json()',
  docs,
  open(origin) {
    const cache = cacheOf(origin)
    return { read: (url) => cache.json(url), close: cache.close }
  },
}
