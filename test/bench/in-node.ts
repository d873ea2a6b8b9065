// Bundled and run by `npm run bench`; see node.ts.
import CachePolicy from 'http-cache-semantics'
import { type CacheOptions, createCache } from 'nearcache'
import { requestDirectives } from '../../src/http/cache-control.ts'
import { type DecisionContext, decide } from '../../src/http/decide.ts'
import { bare } from '../../src/http/given.ts'
import type { HeaderList, PresentedRequest, RequestDirectives } from '../../src/http/message.ts'
import { emptyLog } from '../../src/http/purge-log.ts'
import { storedResponse } from '../../src/http/stored-response.ts'
import { type Contender, measure, timed } from './measure.ts'
import { onlyHits } from './only-hits.ts'
import { type BenchOrigin, productsAsked, startOrigin } from './origin.ts'
import { axiosCacheInterceptor } from './peers/axios-cache-interceptor.ts'
import { bareMap, plainFetch } from './peers/bare.ts'
import { cachifiedOnMap } from './peers/cachified.ts'
import { makeFetchHappen } from './peers/make-fetch-happen.ts'
import { nearcacheFetch, nearcacheJson } from './peers/nearcache.ts'
import type { Opened, Peer } from './peers/peer.ts'
import { tanstackQuery } from './peers/tanstack-query.ts'
import { undiciCache } from './peers/undici.ts'
import { bytes, headers, pathOf, type Size, sizes, transport } from './sample.ts'
import { type Table, tableOf } from './table.ts'

/** Those that give a body anew at each read, and those that keep its data. */
const peers = [
  bareMap,
  nearcacheFetch,
  undiciCache,
  makeFetchHappen,
  nearcacheJson,
  tanstackQuery,
  cachifiedOnMap,
  axiosCacheInterceptor,
]

/** Does `work` with each peer open, and its cache empty. */
async function withPeers<T>(
  origin: BenchOrigin,
  some: readonly Peer[],
  work: (opened: ReadonlyArray<Opened & { name: string }>) => Promise<T>,
): Promise<T> {
  const at = { url: origin.url, fetch }
  const opened = await Promise.all(some.map(async (peer) => ({ ...(await peer.open(at)), name: peer.name })))
  try {
    return await work(opened)
  } finally {
    for (const one of opened) await one.close?.()
  }
}

/** What is measured of hits, where nothing may go to the origin. */
const measureHits = (origin: BenchOrigin, contenders: readonly Contender[]) =>
  onlyHits(
    () => productsAsked(origin),
    () => measure(contenders),
  )

async function hits(origin: BenchOrigin, opened: ReadonlyArray<Opened & { name: string }>, size: Size): Promise<Table> {
  const url = origin.url + pathOf(size)
  for (const { read } of opened) await read(url)
  const contenders = opened.map(({ name, read }) => ({ name, run: () => read(url) }))
  const samples = await measureHits(origin, contenders)
  return tableOf(`hit-${size}`, `A hit in memory, ${size} KB, Node`, 'µs', samples)
}

/** Many URLs read in turn, as an application reads them: what serves the last one again gains nothing. */
const manyInTurn = (origin: BenchOrigin, count: number): Promise<Table> =>
  withPeers(origin, peers, async (opened) => {
    const urls = Array.from({ length: count }, (_, index) => origin.url + pathOf(1, `many/${count}/${index}`))
    for (const { read } of opened) for (const url of urls) await read(url)
    const contenders = opened.map(({ name, read }) => ({ name, run: inTurn(urls, read) }))
    const samples = await measureHits(origin, contenders)
    const title = `A hit in memory, ${count.toLocaleString('en')} URLs in turn, 1 KB, Node`
    return tableOf(`hit-many-${count}`, title, 'µs', samples)
  })

/** Does something with one after the other, a call each, and begins anew after the last. */
function inTurn<T>(all: readonly T[], work: (one: T) => unknown): () => unknown {
  let next = 0
  return () => {
    const one = all[next] as T
    next = (next + 1) % all.length
    return work(one)
  }
}

const hundredAtOnce = (origin: BenchOrigin): Promise<Table> =>
  withPeers(origin, peers, async (opened) => {
    const urls = Array.from({ length: 100 }, (_, index) => origin.url + pathOf(1, `hundred/${index}`))
    const all = (read: Opened['read']) => () => Promise.all(urls.map(read))
    for (const { read } of opened) await all(read)()
    const contenders = opened.map(({ name, read }) => ({ name, run: all(read) }))
    const samples = await measureHits(origin, contenders)
    return tableOf('hundred', '100 keys at once, all stored, Node', 'µs', samples)
  })

/** As `present()` has it: a request without fields has nothing to be parsed. */
const NO_DIRECTIVES: RequestDirectives = bare({})

/**
 * The decision alone, for a request as plain data with its header fields and a response that was stored before. What the request says, what time it is and what else a decision rests on is found out anew by
 * either side each time, as for each call.
 */
async function decisions(id: string, what: string, fields: Readonly<Record<string, string>>): Promise<Table> {
  const url = 'https://shop.example/api/product/42'
  const list = Object.entries(fields)
  const present = (): PresentedRequest => ({
    method: 'GET',
    url,
    headers: list,
    cacheMode: 'default',
    directives: list.length > 0 ? requestDirectives(list) : NO_DIRECTIVES,
  })
  const epoch = { incarnation: '1q2w3e4r5t6z', number: 0 }
  const log = emptyLog(epoch.incarnation)
  const policy = { beta: 1, phase: 0.05 }
  const context = (): DecisionContext => ({
    now: Date.now(),
    log,
    random: Math.random,
    mayRefreshEarly: isWanted.bind(undefined, url),
    implied: NO_FIELDS,
    partitioned: false,
    policy,
  })
  const responseTime = Date.now()
  const candidates = [
    storedResponse({
      url,
      status: 200,
      statusText: 'OK',
      type: 'basic',
      headers: Object.entries(headers),
      request: present(),
      requestTime: responseTime - 50,
      responseTime,
      epoch,
      context: 'bench',
      sequence: 1,
      delta: 50,
      tags: [],
      body: { id: 'bench', size: bytes.byteLength, bytes },
    }),
  ]
  const ours = () => decide(present(), candidates, context())
  if (ours().kind !== 'reuse') throw new Error('not a hit')

  const request = { method: 'GET', url: '/api/product/42', headers: fields }
  // Set up as its README shows for a private cache: https://github.com/kornelski/http-cache-semantics#example-usage
  const stored = new CachePolicy(request, { status: 200, headers }, { shared: false })
  const theirs = () => stored.satisfiesWithoutRevalidation(request)
  if (!theirs()) throw new Error('not a hit')
  const samples = await measure([
    { name: 'http-cache-semantics, satisfiesWithoutRevalidation()', run: theirs },
    { name: 'nearcache, decide()', run: ours },
  ])
  return tableOf(id, `The decision alone, ${what}, Node`, 'µs', samples)
}

const NO_FIELDS: HeaderList = []
const isWanted = (_url: string) => true

/** 1,000 who want one key that nobody has. */
async function stampede(origin: BenchOrigin): Promise<Table> {
  const samples: Record<string, number[]> = {}
  const notes: Record<string, string> = {}
  for (let round = 0; round < 3; round++) {
    await withPeers(origin, [plainFetch, ...peers.filter((one) => one !== bareMap)], async (opened) => {
      for (const { name, read } of opened) {
        const path = pathOf(1, `stampede/${round}/${name.replaceAll(/\W/g, '')}`)
        const took = await timed(() => Promise.all(Array.from({ length: 1_000 }, () => read(origin.url + path))))
        samples[name] = [...(samples[name] ?? []), took]
        notes[name] = `${origin.asked.get(path)} requests`
      }
    })
  }
  return tableOf('stampede', '1,000 readers of one cold key, Node', 'ms', samples, notes)
}

/** Heap and buffers that one stored response of 1 KB takes, its body included. */
async function heap(): Promise<Table> {
  const count = 5_000
  const used = () => {
    globalThis.gc?.()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const samples: Record<string, number[]> = {}
  const own: typeof fetch = async (_input, _init) => new Response(bytes.slice(), { headers })
  for (let round = 0; round < 3; round++) {
    for (const peer of [bareMap, nearcacheFetch, nearcacheJson, tanstackQuery, cachifiedOnMap]) {
      const { read, close } = await peer.open({ url: '', fetch: own })
      await read('https://shop.example/warm')
      const before = used()
      for (let index = 0; index < count; index++) await read(`https://shop.example/${index}`)
      samples[peer.name] = [...(samples[peer.name] ?? []), (used() - before) / count]
      await read('https://shop.example/0')
      await close?.()
    }
  }
  return tableOf(
    'heap',
    `Heap for each of ${count} stored responses of ${bytes.byteLength} bytes, Node`,
    'bytes',
    samples,
  )
}

/** The same cost with ever more stored. */
async function growth(): Promise<readonly Table[]> {
  const counts = [10, 1_000, 100_000] as const
  const options: CacheOptions = { store: 'memory', memory: { maxBytes: 2 ** 31 }, fetch: transport }
  const tagged = { ...headers, 'nearcache-tag': 'all' }
  const caches = []
  for (const count of counts) {
    const small: typeof fetch = async () => new Response('{"a":1}', { headers: { ...tagged, 'content-length': '7' } })
    const cache = createCache({ ...options, fetch: small })
    for (let index = 0; index < count; index++) await cache.json(`https://shop.example/${index}`)
    await cache.settled()
    caches.push({ name: `${count.toLocaleString('en')} stored`, count, cache, next: count })
  }
  // As many everywhere, as far as there are as many, and spread over all that is stored: what grows is what is stored, not what is read.
  const read = caches.map(({ name, cache, count }) => {
    const many = Math.min(500, count)
    const urls = Array.from(
      { length: many },
      (_, index) => `https://shop.example/${Math.floor((index * count) / many)}`,
    )
    return { name, many, run: inTurn(urls, cache.json) }
  })
  const hit = await measure(read)
  for (const { cache, count } of caches) if (cache.stats().misses !== count) throw new Error('not all were hits')
  const readOf = Object.fromEntries(read.map(({ name, many }) => [name, `${many} URLs in turn`]))
  const write = await measure(
    caches.map((one) => ({
      name: one.name,
      // In the place of one that is there, so that as many stay stored.
      run: () =>
        one.cache.fetch(`https://shop.example/${one.next++ % 10}`, { cache: 'reload' }).then((all) => all.text()),
    })),
  )
  const written: Record<string, number[]> = Object.fromEntries(caches.map(({ name }) => [name, []]))
  // Few, since each makes one more: so the least has grown by as many as the most.
  for (let round = 0; round < 41; round++) {
    for (const { name, cache } of caches) {
      const took = await timed(async () => {
        for (let index = 0; index < 5; index++)
          await (await cache.fetch(`https://shop.example/new/${round}/${index}`)).text()
      })
      written[name]?.push((took * 1000) / 5)
    }
  }
  const purge: Record<string, number[]> = Object.fromEntries(caches.map(({ name }) => [name, []]))
  for (let round = 0; round < 51; round++) {
    for (const { name, cache, count } of caches) {
      const last = `https://shop.example/${count - 1}`
      // Fresh again: what was purged before says nothing of this purge.
      await cache.json(last, { cache: 'reload' })
      await cache.settled()
      if (cache.peek(last)?.stale !== false) throw new Error('not fresh')
      let isStale: boolean | undefined
      const took = await timed(async () => {
        await cache.purge({ tag: 'all' })
        isStale = cache.peek(last)?.stale
      })
      purge[name]?.push(took * 1000)
      if (!isStale) throw new Error('not purged')
    }
  }
  return [
    tableOf('growth-hit', 'A hit, with more and more stored, Node', 'µs', hit, readOf),
    tableOf('growth-write', 'A write in the place of another, with more and more stored, Node', 'µs', write),
    tableOf(
      'growth-write-new',
      'A write of what is new, with more and more stored (and 205 more), Node',
      'µs',
      written,
    ),
    tableOf('growth-purge', 'A purge of a tag that all carry, until a read sees it, Node', 'µs', purge),
  ]
}

/** One table on a line, as soon as it is measured. */
const print = (table: Table) => process.stdout.write(`${JSON.stringify(table)}\n`)

const origin = await startOrigin()
// As in an application: one cache of each kind, for whatever is asked.
await withPeers(origin, peers, async (opened) => {
  for (const size of sizes) print(await hits(origin, opened, size))
})
for (const count of [500, 2_000]) print(await manyInTurn(origin, count))
print(await hundredAtOnce(origin))
print(await decisions('decide', 'a request without fields', {}))
print(await decisions('decide-accept', 'one with Accept', { accept: 'application/json' }))
print(await decisions('decide-max-age', 'one with Cache-Control: max-age=60', { 'cache-control': 'max-age=60' }))
print(await stampede(origin))
print(await heap())
for (const table of await growth()) print(table)
origin.close()
process.exit(0)
