import { createCache } from 'nearcache'
import type { Peer } from './peer.ts'

const docs = 'README.md'

/** What most code calls. */
export const nearcacheFetch: Peer = {
  name: 'nearcache, fetch().json()',
  docs,
  open({ fetch }) {
    const cache = createCache({ store: 'memory', fetch, memory: { maxBytes: 2 ** 31 } })
    return { read: async (url) => (await cache.fetch(url)).json(), close: cache.close }
  },
}

export const nearcacheJson: Peer = {
  name: 'nearcache, json()',
  docs,
  open({ fetch }) {
    const cache = createCache({ store: 'memory', fetch, memory: { maxBytes: 2 ** 31 } })
    return { read: (url) => cache.json(url), close: cache.close }
  },
}
