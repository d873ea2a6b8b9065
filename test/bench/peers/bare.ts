import type { Peer } from './peer.ts'

/** The limit for who wants a `Response` at each read: the bytes lie in a Map. */
export const bareMap: Peer = {
  name: 'Map, new Response(bytes).json()',
  docs: 'https://developer.mozilla.org/docs/Web/API/Response/json',
  open({ fetch }) {
    const map = new Map<string, ArrayBuffer>()
    return {
      async read(url) {
        let bytes = map.get(url)
        if (!bytes) {
          bytes = await (await fetch(url)).arrayBuffer()
          map.set(url, bytes)
        }
        return new Response(bytes).json()
      },
    }
  },
}

/** No cache at all. */
export const plainFetch: Peer = {
  name: 'fetch, json()',
  docs: 'https://developer.mozilla.org/docs/Web/API/Window/fetch',
  open: ({ fetch }) => ({ read: async (url) => (await fetch(url)).json() }),
}
