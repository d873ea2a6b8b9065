import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource } from 'eventsource'
import { expect, test } from 'vitest'
import { createCache, trackingParameters } from '../src/index.development.ts'
import type { CacheEvent, CacheOptions, NearCache } from '../src/index.ts'
import { followPurgeFeed, type PurgeFeed } from '../src/purge-feed/index.ts'
import { createPurgeHub, type PurgeHub, toNodeHandler, withHttpCache } from '../src/server/index.ts'
import { seededRandom } from '../src/testing/index.ts'
import { causes, harness } from './engine/harness.ts'
import { secret, webhook } from './server/webhooks.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code as string)

/** The one block that has this text in it. */
function blockWith(text: string): string {
  const found = blocks.filter((code) => code.includes(text))
  expect(found, `blocks of README.md with ${text}`).toHaveLength(1)
  return found[0] as string
}

/** Runs a block as it is written, but for its imports; `names` are what it finds around it. Gives what it has declared as `result`. */
async function run(code: string, names: Readonly<Record<string, unknown>>, result: string): Promise<unknown> {
  const withoutImports = code.replace(/^import .* from .*$/gm, '')
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
  return new AsyncFunction(...Object.keys(names), `${withoutImports}\nreturn ${result}`)(...Object.values(names))
}

/** An origin, and `createCache` as the README calls it, before that origin. */
function surroundings() {
  const { origin, clock } = harness()
  const events: CacheEvent[] = []
  const made: NearCache[] = []
  const create = (options: CacheOptions = {}) => {
    const cache = createCache({
      ...{ store: 'memory', fetch: origin.fetch, clock, random: seededRandom(1), base: origin.url },
      ...options,
    } as CacheOptions)
    cache.on((event) => events.push(event))
    made.push(cache)
    return cache
  }
  return { origin, clock, events, made, createCache: create }
}

test('the blocks of README.md import only what the package exports', async () => {
  const exported: Readonly<Record<string, object>> = {
    nearcache: await import('../src/index.ts'),
    'nearcache/purge-feed': await import('../src/purge-feed/index.ts'),
    'nearcache/server': await import('../src/server/index.ts'),
    'nearcache/service-worker': await import('../src/service-worker/index.ts'),
    'nearcache/register': await import('../src/service-worker/register.ts'),
    'nearcache/testing': await import('../src/testing/index.ts'),
    'node:http': await import('node:http'),
  }
  const imports = blocks.flatMap((code) => [...code.matchAll(/^import \{ (.*) \} from '(.*)'$/gm)])
  expect(imports.length).toBeGreaterThan(0)
  for (const [, names, from] of imports) {
    for (const name of (names as string).split(', ')) expect(exported[from as string]).toHaveProperty(name)
  }
})

test('the first block runs, and each answer comes from where it says', async () => {
  const { origin, clock, events, createCache: create } = surroundings()
  const code = blockWith('import { createCache }')
  const said = /The origin says: Cache-Control: (?<cacheControl>.*?) {2,}ETag: (?<etag>\S+)/.exec(code)?.groups
  const { cacheControl = '', etag = '' } = said ?? {}
  origin.serves('/api/product/42', { cacheControl, etag, json: { id: 42 } })

  // The two comments between the calls are what happens there.
  const later = code
    .replace(/^\/\/ … 61 s later$/m, 'await later()')
    .replace(/^\/\/ … the origin is down.*$/m, 'await down()')
  const reads = later.match(/^await cache\.fetch/gm)
  expect(reads).toHaveLength(4)
  const cache = (await run(
    later.replace(/^await (cache\.fetch\(.*?\))/gm, 'last = await $1; await last.clone().text()'),
    {
      createCache: create,
      last: undefined,
      later: () => clock.advance(61_000),
      async down() {
        await clock.settle()
        origin.serves('/api/product/42', { fault: 'network' })
        await clock.advance((60 + 600) * 1000 + 90_000)
      },
    },
    '{ cache, last }',
  )) as { cache: NearCache; last: Response }
  expect(causes(events)).toEqual(['miss', 'fresh', 'stale-while-revalidate', 'stale-if-error'])
  expect(origin.requests.map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([undefined, etag, etag])
  const written = /Cache-Status: (nearcache;.*)$/m.exec(code)?.[1]?.replace(/ttl=-\d+/, 'ttl=-N')
  expect(cache.last.headers.get('cache-status')?.replace(/ttl=-\d+/, 'ttl=-N')).toBe(written)
})

test('the block on users who sign in runs', async () => {
  const { createCache: create, origin } = surroundings()
  const cache = (await run(blockWith('partition:'), { createCache: create, user: { id: 'ada' } }, 'cache')) as NearCache
  origin.serves('/me', { cacheControl: 'private, max-age=60', json: {} })
  await cache.json('/me')
  expect((await cache.explain('/me')).cause).toBe('fresh')
})

test('the block on the rest of the API runs, and every method in it is there', async () => {
  const { createCache: create, origin } = surroundings()
  const cache = create()
  origin.serves('/api/product/42', { cacheControl: 'max-age=60', tags: ['product-42'], json: { id: 42 } })
  origin.serves('/api/cart', { cacheControl: 'max-age=60', json: { count: 1 } })
  await cache.json('/api/cart')
  let renders = 0
  const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }
  const render = () => renders++
  const result = await run(blockWith('cache.peek('), { cache, schema, render }, '{ product, state }')
  expect(result).toMatchObject({ product: { id: 42 }, state: { v: 1 } })
  expect((await cache.explain('/api/product/42')).cause).toBe('purged')
  expect(cache.peek('/api/cart')?.data).toEqual({ count: 2 })
  await cache.fetch('/api/cart', { method: 'POST' })
  expect(renders).toBeGreaterThan(0)
})

test('the block on rules gives options that are allowed and do what they say', async () => {
  const { createCache: create, origin, made, events } = surroundings()
  await run(blockWith('rules: ['), { createCache: create, trackingParameters }, 'undefined')
  const [cache] = made as [NearCache]
  origin.serves('/api/news/1', { json: {} })
  origin.serves('/api/news/1?utm_source=mail', { json: {} })
  await cache.json('/api/news/1')
  await cache.json('/api/news/1?utm_source=mail')
  expect(causes(events)).toEqual(['miss', 'fresh'])
  expect(cache.stats().byRule).toEqual({ news: { requests: 2, saved: 1 } })
})

test('the blocks on the service worker run: a worker that listens, and a page that works without one', async () => {
  const { installCache } = await import('../src/service-worker/index.ts')
  const { registerServiceWorker } = await import('../src/service-worker/register.ts')
  const heard: string[] = []
  const self = {
    location: { origin: 'https://shop.test', href: 'https://shop.test/sw.js' },
    addEventListener: (type: string) => heard.push(type),
  }
  await run(blockWith('installCache(self)'), { installCache, self }, 'undefined')
  expect(heard).toContain('fetch')
  const cache = surroundings().createCache()
  const page = blockWith('registerServiceWorker(')
  expect(await run(page, { registerServiceWorker, cache, offerReload: () => {} }, 'worker')).toMatchObject({
    registration: undefined,
  })
})

test('every block of README.md is run here, but for the one that shows what it replaces', () => {
  const known = [
    "from 'nearcache/server'",
    "from 'nearcache/purge-feed'",
    'import { createCache }',
    'partition:',
    'installCache(self)',
    'registerServiceWorker(',
    'cache.peek(',
    'rules: [',
    'lookUpSomewhere',
  ]
  expect(known.map(blockWith)).toHaveLength(blocks.length)
})

test('the documents that README.md links to are there', () => {
  const files = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path as string)
  expect(files.length).toBeGreaterThan(0)
  for (const path of files) expect(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'), path).not.toBe('')
})

test('the scripts that README.md names are there', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const named = [...readme.matchAll(/npm (?:run )?(demo|test|[a-z]+)(?= {2,}#)/g)].map(([, name]) => name)
  expect(named).toContain('demo')
  for (const name of named) expect(scripts).toHaveProperty(name as string)
})

test('the blocks from the CMS to the browser run: a signed webhook at the origin purges in the page', async () => {
  const server = createServer()
  const listening = (listener: RequestListener) => ({
    listen: () => server.on('request', listener).listen(0, '127.0.0.1'),
  })
  const names = {
    createServer: listening,
    createPurgeHub,
    toNodeHandler,
    withHttpCache,
    process: { env: { PURGE_SECRET: secret } },
  }
  const hub = (await run(blockWith("from 'nearcache/server'"), names, 'hub')) as PurgeHub
  await new Promise((ready) => server.once('listening', ready))
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`

  const cache = createCache({ store: 'memory' })
  const purged = new Promise<void>((resolve) => cache.on(({ type }) => type === 'purged' && resolve()))
  const follow = (given: NearCache, path: string) => followPurgeFeed(given, origin + path, { EventSource })
  const page = blockWith("from 'nearcache/purge-feed'").replace('followPurgeFeed(', 'const feed = followPurgeFeed(')
  const feed = (await run(page, { followPurgeFeed: follow, cache }, 'feed')) as PurgeFeed
  await feed.caughtUp()
  const url = `${origin}/api/product/42`
  expect(await cache.json(url)).toEqual({ price: 10 })
  await cache.settled()

  const sent = webhook({ selector: { tag: 'product-42' } }, { at: Date.now() })
  const { status } = await fetch(`${origin}/purge`, { method: 'POST', headers: sent.headers, body: await sent.text() })
  expect(status).toBe(200)
  await purged
  expect((await cache.explain(url)).purge).toMatchObject({ mode: 'soft' })
  feed.close()
  await hub.close()
  await cache.close()
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
})
