import type { Peer } from './peer.ts'

/** The limit for who wants a `Response` at each read: the bytes lie in a Map. */
export const bareMap: Peer = {
  name: 'Map, new Response(bytes).json()',
  docs: 'https://developer.mozilla.org/docs/Web/API/Response/json',
  open({ fetch }) {
    const map = new Map<string, ArrayBuffer>()
    return {
      async read(url) {
        if (!map.has(url)) map.set(url, await (await fetch(url)).arrayBuffer())
        return new Response(map.get(url)).json()
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
