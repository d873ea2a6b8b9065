import { type CacheEntry, cachified } from '@epic-web/cachified'
import type { Peer } from './peer.ts'

export const cachifiedOnMap: Peer = {
  name: 'cachified on a Map',
  docs: 'https://github.com/epicweb-dev/cachified#usage',
  open({ fetch }) {
    const cache = new Map<string, CacheEntry>()
    return {
      read: (key) =>
        cachified({
          key,
          cache,
          ttl: 3_600_000,
          getFreshValue: async () => (await fetch(key)).json() as Promise<unknown>,
        }),
    }
  },
}
