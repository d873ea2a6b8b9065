// Bundled and run by `npm run bench`; see run.ts.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CacheEntry, cachified } from '@epic-web/cachified'
import { QueryClient } from '@tanstack/query-core'
import CachePolicy from 'http-cache-semantics'
import { createCache } from 'nearcache'
import { Agent, cacheStores, interceptors, fetch as undiciFetch } from 'undici'
import { decide } from '../../src/http/decide.ts'
import type { PresentedRequest } from '../../src/http/message.ts'
import { emptyLog } from '../../src/http/purge-log.ts'
import { storedResponse } from '../../src/http/stored-response.ts'
import { type Measured, measure } from './measure.ts'
import { bytes, headers, type product, transport } from './sample.ts'

/** What it prints, as JSON. */
export interface InNode {
  readonly hits: readonly Measured[]
  readonly decisions: readonly Measured[]
}

const url = 'https://shop.example/api/product/42'

async function hits() {
  const cache = createCache({ store: 'memory', fetch: transport })
  await (await cache.fetch(url)).json()
  await cache.settled()

  const map = new Map([[url, bytes]])

  const client = new QueryClient()
  const query = {
    queryKey: [url],
    queryFn: async () => (await transport(url)).json() as Promise<typeof product>,
    staleTime: Number.POSITIVE_INFINITY,
  }
  await client.fetchQuery(query)

  const entries = new Map<string, CacheEntry>()
  const cached = () =>
    cachified({
      key: url,
      cache: entries,
      ttl: 3_600_000,
      getFreshValue: async () => (await transport(url)).json() as Promise<typeof product>,
    })
  await cached()

  const server = createServer((_request, response) => response.writeHead(200, headers).end(bytes))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const local = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/product/42`
  const agent = new Agent()
  const dispatcher = agent.compose(interceptors.cache({ type: 'private', store: new cacheStores.MemoryCacheStore() }))
  const viaUndici = async () => (await undiciFetch(local, { dispatcher })).json()
  await viaUndici()

  const measured = await measure([
    { name: 'Map, new Response(bytes).json()', run: () => new Response(map.get(url)).json() },
    { name: 'cache.fetch(url), response.json()', run: () => cache.fetch(url).then((response) => response.json()) },
    { name: 'cache.json(url)', run: () => cache.json(url) },
    { name: 'TanStack Query, fetchQuery, fresh', run: () => client.fetchQuery(query) },
    { name: 'cachified on a Map, fresh', run: cached },
    { name: 'undici, cache interceptor, json()', run: viaUndici },
  ])
  if (cache.stats().requests === 0) throw new Error('nothing was measured')
  await agent.close()
  server.close()
  return measured
}

async function decisions() {
  const now = Date.now()
  const presented: PresentedRequest = {
    method: 'GET',
    url,
    headers: [['accept', 'application/json']],
    cacheMode: 'default',
    directives: {},
  }
  const epoch = { incarnation: 'bench', number: 0 }
  const stored = storedResponse({
    url,
    status: 200,
    statusText: 'OK',
    type: 'basic',
    headers: Object.entries(headers),
    request: presented,
    requestTime: now - 1000,
    responseTime: now - 950,
    epoch,
    context: 'bench',
    sequence: 1,
    delta: 50,
    tags: [],
    body: { id: 'bench', size: bytes.byteLength, bytes },
  })
  const context = { now, log: emptyLog(epoch.incarnation), random: () => 0.5, policy: { beta: 1 } }
  if (decide(presented, [stored], context).kind !== 'reuse') throw new Error('not a hit')

  const request = { method: 'GET', url: '/api/product/42', headers: { accept: 'application/json' } }
  const policy = new CachePolicy(request, { status: 200, headers }, { shared: false })
  if (!policy.satisfiesWithoutRevalidation(request)) throw new Error('not a hit')
  return measure([
    {
      name: 'http-cache-semantics, satisfiesWithoutRevalidation',
      run: () => policy.satisfiesWithoutRevalidation(request),
    },
    { name: 'decide()', run: () => decide(presented, [stored], context) },
  ])
}

const measured: InNode = { hits: await hits(), decisions: await decisions() }
process.stdout.write(JSON.stringify(measured))
