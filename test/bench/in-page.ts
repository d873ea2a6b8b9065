// Bundled for a page of Chromium and called by `npm run bench`; see in-chromium.ts.
import { createCache, type NearCache } from 'nearcache'
import { measure, timed } from './measure.ts'
import { onlyHits } from './only-hits.ts'
import { axiosCacheInterceptor } from './peers/axios-cache-interceptor.ts'
import { bareMap, plainFetch } from './peers/bare.ts'
import { cacheApi, httpCache } from './peers/browser.ts'
import { cachifiedOnMap } from './peers/cachified.ts'
import { nearcacheFetch, nearcacheJson } from './peers/nearcache.ts'
import { diskPeers } from './peers/on-disk.ts'
import type { Opened, Origin, Peer } from './peers/peer.ts'
import { tanstackQuery } from './peers/tanstack-query.ts'
import { ASKED, pathOf, type Size } from './sample.ts'

const peers = [
  bareMap,
  nearcacheFetch,
  httpCache,
  cacheApi,
  nearcacheJson,
  tanstackQuery,
  cachifiedOnMap,
  axiosCacheInterceptor,
]

/** The page's own origin, as the page reaches it. */
const here: Origin = { url: location.origin, fetch: (...given) => fetch(...given) }

async function withPeers<T>(work: (opened: ReadonlyArray<Opened & { name: string }>) => Promise<T>): Promise<T> {
  // An object of their own: who asks it has a cache of its own.
  const origin = { ...here }
  const opened = await Promise.all(peers.map(async (peer) => ({ ...(await peer.open(origin)), name: peer.name })))
  try {
    return await work(opened)
  } finally {
    for (const one of opened) await one.close?.()
  }
}

const asked = async (): Promise<number> => (await fetch(ASKED, { cache: 'no-store' })).json()

/** Hits of one URL, in microseconds. */
export const hits = (size: Size): Promise<Record<string, number[]>> =>
  withPeers(async (opened) => {
    const url = location.origin + pathOf(size)
    for (const { read } of opened) await read(url)
    return onlyHits(asked, () => measure(opened.map(({ name, read }) => ({ name, run: () => read(url) }))))
  })

/** 100 keys at once, all stored, in microseconds. */
export const hundredAtOnce = (): Promise<Record<string, number[]>> =>
  withPeers(async (opened) => {
    const urls = Array.from({ length: 100 }, (_, index) => location.origin + pathOf(1, `hundred-${index}`))
    const all = (read: Opened['read']) => () => Promise.all(urls.map(read))
    for (const { read } of opened) await all(read)()
    const contenders = opened.map(({ name, read }) => ({ name, run: all(read) }))
    return onlyHits(asked, () => measure(contenders, 11))
  })

/** What one fetch with its JSON takes, in microseconds, call by call. */
export async function fetched(url: string, calls: number): Promise<number[]> {
  const took: number[] = []
  for (let call = 0; call < calls; call++) took.push((await timed(async () => (await fetch(url)).json())) * 1000)
  return took
}

const stored = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${location.origin}/stored/product/${index}`)

export const disk = {
  names: diskPeers.map(({ name }) => name),
  async fill(count: number): Promise<void> {
    for (const { fill } of diskPeers) await fill(stored(count))
  },
  /** The first thing that a page does: one answer, or 100, in milliseconds, and the longest task of the main thread that took 50 ms or more. */
  async first(name: string, count: number, index: number, many: number): Promise<{ took: number; longest: number }> {
    const peer = diskPeers.find((one) => one.name === name)
    if (!peer) throw new RangeError(name)
    const urls = stored(count).slice(index, index + many)
    let longest = 0
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration)
    })
    observer.observe({ type: 'longtask' })
    // A task of its own: not a part of the one that loads the page.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const took = await timed(() => {
      const read = peer.open()
      return Promise.all(urls.map(read))
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    observer.disconnect()
    return { took, longest }
  },
}

/** Who asks for one key with many at once, each set up as its documentation shows: nobody turns the browser's own cache off. */
const herdPeers: readonly Peer[] = [
  plainFetch,
  {
    name: 'nearcache, json()',
    docs: 'README.md',
    open() {
      const { json, close } = createCache({ name: 'herd' })
      return { read: json, close }
    },
  },
  {
    name: 'nearcache, json(), in use for a while',
    docs: 'README.md',
    open() {
      inUse ??= createCache({ name: 'herd in use' })
      return { read: inUse.json }
    },
  },
  // As for one tab: it knows nothing of the others.
  tanstackQuery,
]

let inUse: NearCache | undefined

/** Who was asked last: an application has one cache at a time. */
let herding: Opened | undefined

export const herd = {
  names: herdPeers.map(({ name }) => name),
  /** The time in milliseconds, that to set up the cache included. */
  async ask(name: string, url: string, many: number): Promise<number> {
    const peer = herdPeers.find((one) => one.name === name)
    if (!peer) throw new RangeError(name)
    await herding?.close?.()
    return timed(async () => {
      herding = await peer.open(here)
      const { read } = herding
      await Promise.all(Array.from({ length: many }, () => read(url)))
    })
  },
}
