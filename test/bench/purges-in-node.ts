// Bundled and run by `npm run bench`; see node.ts. What a purge costs where much is stored, what a read costs after many purges, and how soon many who follow one hub have applied a purge.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { QueryClient } from '@tanstack/query-core'
import { EventSource } from 'eventsource'
import { purgeEffect } from '../../src/http/purge-effect.ts'
import { appendPurge, emptyLog } from '../../src/http/purge-log.ts'
import { createCache } from '../../src/index.ts'
import { followPurgeFeed } from '../../src/purge-feed/index.ts'
import { createPurgeHub, toNodeHandler } from '../../src/server/index.ts'
import { measure, timed } from './measure.ts'
import { type Table, tableOf } from './table.ts'

const STORED = 100_000
const CLIENTS = 1_000
const PURGES = 10

const urls = Array.from({ length: STORED }, (_, index) => `https://shop.example/${index}`)

/** A way to purge what many carry. */
interface Way {
  /** Makes the last of them fresh again: what was purged before says nothing of the next purge. */
  renew(): Promise<void>
  /** @throws where a read does not see it */
  purge(): Promise<void>
}

/** What has one label, as its documentation has it: keys that begin alike, https://tanstack.com/query/latest/docs/framework/react/guides/query-invalidation */
function tanstackPurge(): Way {
  const client = new QueryClient({ defaultOptions: { queries: { gcTime: Number.POSITIVE_INFINITY } } })
  for (const url of urls) client.setQueryData(['all', url], 'x')
  const last = ['all', urls.at(-1)]
  return {
    async renew() {
      client.setQueryData(last, 'x')
      if (client.getQueryState(last)?.isInvalidated !== false) throw new Error('not fresh')
    },
    async purge() {
      await client.invalidateQueries({ queryKey: ['all'] })
      if (!client.getQueryState(last)?.isInvalidated) throw new Error('not purged')
    },
  }
}

async function nearcachePurge(): Promise<Way> {
  const headers = { 'cache-control': 'max-age=3600', 'nearcache-tag': 'all' }
  const cache = createCache({
    store: 'memory',
    memory: { maxBytes: 2 ** 30 },
    fetch: async () => Response.json('x', { headers }),
  })
  for (const url of urls) await cache.json(url)
  await cache.settled()
  const last = urls.at(-1) as string
  return {
    async renew() {
      await cache.json(last, { cache: 'reload' })
      await cache.settled()
      if (cache.peek(last)?.stale !== false) throw new Error('not fresh')
    },
    async purge() {
      await cache.purge({ tag: 'all' })
      if (cache.peek(last)?.cause !== 'purged') throw new Error('not purged')
    },
  }
}

/** Until a read sees it. */
async function purgeInMemory(): Promise<Table> {
  const ways = {
    'TanStack Query, invalidateQueries()': tanstackPurge(),
    'nearcache, purge({ tag })': await nearcachePurge(),
  }
  const samples: Record<string, number[]> = {}
  for (let round = 0; round < 21; round++) {
    for (const [name, { renew, purge }] of Object.entries(ways)) {
      await renew()
      samples[name] = [...(samples[name] ?? []), await timed(purge)]
    }
  }
  return tableOf('purge-tag', 'A purge of what 100,000 carry, until a read sees it, Node', 'ms', samples)
}

/** What each read does after 1,000 purges by tag. */
async function readsAfterPurges(): Promise<Table> {
  const logOf = (purges: number) => {
    let log = emptyLog('bench')
    for (let index = 0; index < purges; index++)
      log = appendPurge(log, { selector: { tags: [`t${index}`] }, mode: 'soft', at: index })
    return log
  }
  const stored = { url: 'https://shop.example/', tags: ['a', 'b', 'c'], epoch: { incarnation: 'bench', number: 0 } }
  const contenders = [0, 1, 1_000].map((purges) => {
    const log = logOf(purges)
    return { name: `after ${purges.toLocaleString('en')} purges`, run: () => purgeEffect(stored, log) }
  })
  return tableOf('purge-read', 'Whether a response of 3 tags is purged, Node', 'µs', await measure(contenders))
}

/** From `purge()` until each of many who follow one hub has applied it, all in this one process. */
async function manyFollow(): Promise<Table> {
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
  for (const feed of feeds) feed.close()
  await hub.close()
  server.closeAllConnections()
  server.close()
  return tableOf('purge-follow', '1,000 who follow one hub: from purge() to applied, Node', 'ms', {
    'nearcache, followPurgeFeed()': delays,
  })
}

for (const measured of [purgeInMemory, readsAfterPurges, manyFollow])
  process.stdout.write(`${JSON.stringify(await measured())}\n`)
process.exit(0)
