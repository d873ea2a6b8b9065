// Run by `npm run bench`; see run.ts. What a purge costs where much is stored, what a read costs after many purges, and how soon many who follow one hub have applied a purge.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource } from 'eventsource'
import { purgeEffect } from '../../src/http/purge-effect.ts'
import { appendPurge, emptyLog } from '../../src/http/purge-log.ts'
import { createCache } from '../../src/index.ts'
import { followPurgeFeed } from '../../src/purge-feed/index.ts'
import { createPurgeHub, toNodeHandler } from '../../src/server/index.ts'

const STORED = 100_000
const CLIENTS = 1_000
const PURGES = 20

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

async function purgeInMemory(): Promise<void> {
  const headers = { 'cache-control': 'max-age=3600', 'nearcache-tag': 'all' }
  const cache = createCache({
    store: 'memory',
    memory: { maxBytes: 2 ** 30 },
    fetch: async () => new Response('x', { headers }),
  })
  const urls = Array.from({ length: STORED }, (_, index) => `https://shop.example/${index}`)
  for (const url of urls) await (await cache.fetch(url)).text()
  await cache.settled()
  const [fresh, last] = [urls[0] as string, urls.at(-1) as string]
  if ((await cache.explain(fresh)).cause !== 'fresh') throw new Error('not stored')
  const times: number[] = []
  for (let round = 0; round < 21; round++) {
    const start = performance.now()
    await cache.purge({ tag: 'all' })
    const found = cache.peek(last) ?? (await cache.explain(last))
    times.push(performance.now() - start)
    if (!found || (await cache.explain(last)).cause !== 'purged') throw new Error('not purged')
  }
  times.sort((a, b) => a - b)
  process.stdout.write(
    `purge of a tag on ${STORED} stored responses, in memory, until a read sees it: median ${quantile(times, 0.5).toFixed(3)} ms, worst ${(times.at(-1) as number).toFixed(3)} ms\n`,
  )
}

function readsAfterPurges(): void {
  let log = emptyLog('bench')
  for (let index = 0; index < 1000; index++) {
    log = appendPurge(log, { selector: { tags: [`t${index}`] }, mode: 'soft', at: index })
  }
  const stored = { url: 'https://shop.example/', tags: ['a', 'b', 'c'], epoch: { incarnation: 'bench', number: 0 } }
  const started = performance.now()
  purgeEffect(stored, log)
  const first = performance.now() - started
  const reads = 200_000
  const start = performance.now()
  for (let read = 0; read < reads; read++) purgeEffect(stored, log)
  const each = ((performance.now() - start) / reads) * 1000
  process.stdout.write(
    `a read of 3 tags after 1,000 purges by tag: the first ${first.toFixed(3)} ms (it makes the index), each later one ${each.toFixed(3)} µs\n`,
  )
}

async function manyFollow(): Promise<void> {
  const hub = createPurgeHub()
  const server = createServer(toNodeHandler((request) => hub.feed(request)))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', 4096, listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed`
  let [purgedAt, applied] = [0, () => {}]
  const delays: number[] = []
  const feeds = []
  for (let client = 0; client < CLIENTS; client++) {
    const cache = createCache({ store: 'memory' })
    const purge: typeof cache.purge = async (selector, options) => {
      const receipt = await cache.purge(selector, options)
      delays.push(performance.now() - purgedAt)
      if (delays.length % CLIENTS === 0) applied()
      return receipt
    }
    feeds.push(followPurgeFeed({ purge }, url, { EventSource, openChannel: false, locks: false }))
    // A few at a time: what is measured is the purge, not the run on the door.
    if (client % 50 === 49) await Promise.all(feeds.map((feed) => feed.caughtUp()))
  }
  for (let round = 0; round < PURGES; round++) {
    const all = new Promise<void>((resolve) => {
      applied = resolve
    })
    purgedAt = performance.now()
    await hub.purge({ tag: `t${round}` })
    await all
  }
  delays.sort((a, b) => a - b)
  process.stdout.write(
    `${CLIENTS} clients on one hub, all in this one process, ${PURGES} purges, from purge() to applied: median ${quantile(delays, 0.5).toFixed(1)} ms, p99 ${quantile(delays, 0.99).toFixed(1)} ms\n`,
  )
  for (const feed of feeds) feed.close()
  await hub.close()
  server.closeAllConnections()
  server.close()
}

readsAfterPurges()
await purgeInMemory()
await manyFollow()
