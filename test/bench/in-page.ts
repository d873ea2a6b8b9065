// Bundled for a page of Chromium and called by `npm run bench`; see run.ts.
import { createCache } from 'nearcache'
import { type Measured, measure } from './measure.ts'
import { bytes } from './sample.ts'

/** Hits of one URL of this origin, which the origin allows to be kept. */
export async function hits(): Promise<readonly Measured[]> {
  const url = '/product'
  const cache = createCache()
  await (await cache.fetch(url)).json()
  await cache.settled()
  const map = new Map([[url, bytes]])
  const storage = await caches.open('bench')
  await storage.add(url)
  return measure([
    { name: 'Map, new Response(bytes).json()', run: () => new Response(map.get(url)).json() },
    { name: 'cache.fetch(url), response.json()', run: () => cache.fetch(url).then((response) => response.json()) },
    { name: 'cache.json(url)', run: () => cache.json(url) },
    { name: 'Cache API, match(url), json()', run: () => storage.match(url).then((response) => response?.json()) },
    { name: "the browser's HTTP cache, fetch(url), json()", run: () => fetch(url).then((response) => response.json()) },
  ])
}
