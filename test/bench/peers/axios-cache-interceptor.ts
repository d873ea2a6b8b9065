import axios from 'axios'
import { buildMemoryStorage, setupCache } from 'axios-cache-interceptor'
import type { Peer } from './peer.ts'

/** With its default storage, in memory, with room for all that is read, as the others have (1,024 by default), and lifetimes from the headers. It keeps what it gives as an object, not cloned. */
export const axiosCacheInterceptor: Peer = {
  name: 'axios-cache-interceptor, in memory',
  docs: 'https://axios-cache-interceptor.js.org/guide/storages#memory-storage',
  open() {
    const client = setupCache(axios.create({ proxy: false }), { storage: buildMemoryStorage(false, 300_000, 2 ** 20) })
    return { read: async (url) => (await client.get(url)).data }
  },
}
