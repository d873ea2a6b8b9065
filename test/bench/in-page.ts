// Bundled for a page of Chromium and called by `npm run bench`; see in-chromium.ts.
import { measure, timed } from './measure.ts'
import { axiosCacheInterceptor } from './peers/axios-cache-interceptor.ts'
import { bareMap } from './peers/bare.ts'
import { cacheApi, httpCache } from './peers/browser.ts'
import { cachifiedOnMap } from './peers/cachified.ts'
import { nearcacheFetch, nearcacheJson } from './peers/nearcache.ts'
import { diskPeers } from './peers/on-disk.ts'
import type { Opened } from './peers/peer.ts'
import { tanstackQuery } from './peers/tanstack-query.ts'
import { pathOf, type Size } from './sample.ts'

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

async function withPeers<T>(work: (opened: ReadonlyArray<Opened & { name: string }>) => Promise<T>): Promise<T> {
  const origin = { url: location.origin, fetch: (...given: Parameters<typeof fetch>) => fetch(...given) }
  const opened = await Promise.all(peers.map(async (peer) => ({ ...(await peer.open(origin)), name: peer.name })))
  try {
    return await work(opened)
  } finally {
    for (const one of opened) await one.close?.()
  }
}

/** Hits of one URL, in microseconds. */
export const hits = (size: Size): Promise<Record<string, number[]>> =>
  withPeers(async (opened) => {
    const url = location.origin + pathOf(size)
    for (const { read } of opened) await read(url)
    return measure(opened.map(({ name, read }) => ({ name, run: () => read(url) })))
  })

/** 100 keys at once, all stored, in microseconds. */
export const hundredAtOnce = (): Promise<Record<string, number[]>> =>
  withPeers(async (opened) => {
    const urls = Array.from({ length: 100 }, (_, index) => location.origin + pathOf(1, `hundred-${index}`))
    const all = (read: Opened['read']) => () => Promise.all(urls.map(read))
    for (const { read } of opened) await all(read)()
    return measure(
      opened.map(({ name, read }) => ({ name, run: all(read) })),
      11,
    )
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

/** Asks for one key with many at once, by one peer: the time in milliseconds. */
export async function herd(which: 'fetch' | 'nearcache' | 'tanstack', url: string, many: number): Promise<number> {
  const read = await herdReaders[which]()
  return timed(() => Promise.all(Array.from({ length: many }, () => read(url))))
}

const herdReaders = {
  fetch: async () => async (url: string) => (await fetch(url, { cache: 'no-store' })).json(),
  async nearcache() {
    const { createCache } = await import('nearcache')
    return createCache({ name: 'herd' }).json
  },
  tanstack: async () =>
    (await tanstackQuery.open({ url: location.origin, fetch: (input) => fetch(input, { cache: 'no-store' }) })).read,
}
