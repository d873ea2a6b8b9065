import { Agent, cacheStores, fetch, interceptors } from 'undici'
import type { Peer } from './peer.ts'

export const undiciCache: Peer = {
  name: 'undici, cache interceptor',
  docs: 'https://undici.nodejs.org/#/docs/api/Dispatcher?id=cache-interceptor',
  open() {
    const agent = new Agent()
    const store = new cacheStores.MemoryCacheStore({ maxSize: 2 ** 31, maxCount: 2 ** 20 })
    const dispatcher = agent.compose(interceptors.cache({ store, type: 'private' }))
    return { read: async (url) => (await fetch(url, { dispatcher })).json(), close: () => agent.close() }
  },
}
