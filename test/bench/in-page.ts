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

/** What one fetch with its JSON takes, in microseconds: the median of many. */
export async function fetched(url: string): Promise<number> {
  const took: number[] = []
  for (let call = 0; call < 300; call++) {
    const started = performance.now()
    await (await fetch(url)).json()
    took.push((performance.now() - started) * 1000)
  }
  return took.sort((a, b) => a - b)[150] as number
}
