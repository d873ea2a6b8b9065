import type { Peer } from './peer.ts'

/** What every page has already. */
export const httpCache: Peer = {
  name: 'the browser’s HTTP cache, fetch().json()',
  docs: 'https://developer.mozilla.org/docs/Web/HTTP/Guides/Caching',
  open: () => ({ read: async (url) => (await fetch(url)).json() }),
}

export const cacheApi: Peer = {
  name: 'Cache API, match(), json()',
  docs: 'https://developer.mozilla.org/docs/Web/API/Cache',
  async open() {
    const storage = await caches.open('bench')
    return {
      async read(url) {
        let found = await storage.match(url)
        if (!found) {
          await storage.add(url)
          found = await storage.match(url)
        }
        return found?.json()
      },
      close: () => caches.delete('bench'),
    }
  },
}
