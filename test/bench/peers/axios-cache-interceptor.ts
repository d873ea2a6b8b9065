import axios from 'axios'
import { setupCache } from 'axios-cache-interceptor'
import type { Peer } from './peer.ts'

/** With its default storage, in memory, and lifetimes from the headers, as it has them by default. It keeps what it gives as an object, not cloned. */
export const axiosCacheInterceptor: Peer = {
  name: 'axios-cache-interceptor, in memory',
  docs: 'https://axios-cache-interceptor.js.org/guide/getting-started',
  open() {
    const client = setupCache(axios.create({ proxy: false }))
    return { read: async (url) => (await client.get(url)).data }
  },
}
