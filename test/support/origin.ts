import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { createPurgeHub, type PurgeHub, toNodeHandler } from '../../src/server/index.ts'
import { type Site, startSite } from '../service-worker/site.ts'
import { bundle } from '../size/bundle.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of a server of another origin than the test page's, without a slash at its end. */
    origin: string
  }
}

/** Every request for a path with its query, in order: the method, and the fields that matter to caches. */
const received = new Map<string, Array<{ method: string; headers: Record<string, unknown> }>>()

/** A page of this origin, in which the cache of the test's own server runs: what the test page asks of it by message, it does. */
const frame: RequestListener = (request, response) => {
  const module = new URL(request.url ?? '/', 'http://origin').searchParams.get('module')
  response.setHeader('content-type', 'text/html')
  response.end(`<!doctype html><script type="module">
    import { createCache } from ${JSON.stringify(module)}
    const caches = new Map()
    addEventListener('message', async ({ data: { id, name, store, url, init, close }, source, origin }) => {
      if (!caches.has(name)) caches.set(name, createCache({ name, store }))
      const cache = caches.get(name)
      if (close) {
        await cache.settled()
        await cache.close()
        caches.delete(name)
        return source.postMessage({ id }, origin)
      }
      try {
        const fetched = await cache.fetch(url, init)
        const { status, type, redirected } = fetched
        const answer = { status, type, redirected, url: fetched.url, headers: [...fetched.headers], body: await fetched.text() }
        await cache.settled()
        source.postMessage({ id, answer }, origin)
      } catch (error) {
        source.postMessage({ id, error: String(error) }, origin)
      }
    })
    parent.postMessage('ready', '*')
  </script>`)
}

/** A page whose scripts run in an opaque origin when it is framed with `sandbox`. It reads twice, purges and reads again, and tells the one who frames it how that went. */
const sandboxed: RequestListener = async (_request, response) => {
  const contents = `
    import { createCache } from './src/index.ts'
    const errors = []
    addEventListener('error', ({ message }) => errors.push(message))
    addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))
    const cache = createCache()
    const causes = []
    cache.on((event) => event.type === 'answered' && causes.push(event.cause))
    const url = new URL('/fresh?sandboxed', location.href).href
    const read = async () => (await cache.fetch(url)).text()
    const run = async () => {
      await read()
      await read()
      const { durable } = await cache.purge({ url }, { mode: 'hard' })
      await read()
      await cache.settled()
      return { origin: self.origin, causes, durable, errors }
    }
    run().then((told) => parent.postMessage(told, '*'), (error) => parent.postMessage(String(error), '*'))`
  const { code } = await bundle({ contents }, { format: 'iife' })
  response.setHeader('content-type', 'text/html')
  response.end(`<!doctype html><script>${code}</script>`)
}

/** What runs before everything else on some pages: old polyfills, a wrapped fetch and a Promise of the page's own, as monitoring scripts have them. */
const hostile = `
  for (const target of [Object.prototype, Array.prototype])
    for (const name of ['extend', 'noStore', 'maxAge', 'x-injected'])
      Object.defineProperty(target, name, { value: () => 'polluted', enumerable: true, writable: true, configurable: true })
  const { Promise: RealPromise, fetch: realFetch } = self
  self.Promise = class extends RealPromise {}
  self.fetch = (...given) => new Promise((resolve) => resolve(realFetch(...given)))`

/** A page of this origin, with our production build, that goes the main paths with a disk and tells the one who frames it how that went; with `?hostile` other scripts have been there before. */
const patched: RequestListener = async ({ url = '/' }, response) => {
  const contents = `
    import { createCache } from './src/index.ts'
    const name = location.hash
    const told = []
    const read = async (cache, path, init) => {
      const answer = await cache.fetch(path + '?' + name.slice(1), init)
      const detail = /detail=([a-z-]+)$/.exec(answer.headers.get('cache-status'))[1]
      told.push([answer.status, await answer.text(), detail])
      await cache.settled()
    }
    const run = async () => {
      const first = createCache({ name })
      await read(first, '/fresh')
      await read(first, '/fresh')
      await first.close()
      const cache = createCache({ name })
      await read(cache, '/fresh')
      await read(cache, '/fresh', { headers: { range: 'bytes=0-3' } })
      await read(cache, '/stale')
      await read(cache, '/stale')
      await read(cache, '/fresh', { method: 'POST', body: 'x' })
      await read(cache, '/fresh')
      await read(cache, '/fresh', { cache: 'no-cache' })
      const { durable } = await cache.purge({ all: true }, { mode: 'hard' })
      await read(cache, '/fresh')
      await cache.close()
      return { told, durable }
    }
    run().then((all) => parent.postMessage(all, '*'), (error) => parent.postMessage(String(error), '*'))`
  const { code } = await bundle({ contents }, { format: 'iife' })
  response.setHeader('content-type', 'text/html')
  const before = url.endsWith('hostile') ? hostile : ''
  response.end(`<!doctype html><script>${before}</script><script>${code}</script>`)
}

/** Answers 304 to the validator that it gives. */
const validated =
  (cacheControl: string): RequestListener =>
  (request, response) => {
    response.setHeader('etag', '"v1"')
    response.setHeader('cache-control', cacheControl)
    if (request.headers['if-none-match'] === '"v1"') {
      response.statusCode = 304
      response.end()
    } else response.end('validated')
  }

/** Made half a minute ago, as its `Date` says: stale for 29 seconds of its minute. The body says which request it answers. */
const aging: RequestListener = ({ url = '' }, response) => {
  response.sendDate = false
  response.setHeader('date', new Date(Date.now() - 30_000).toUTCString())
  response.setHeader('cache-control', 'max-age=1, stale-while-revalidate=60')
  response.end(String(received.get(url)?.length))
}

/** Sites that browser tests visit, with a service worker; `/site/start`, `/site/stop`, `/site/requests`, and `/site/write` for what the command line writes. */
const sites = new Map<string, Site>()
const controlSites: RequestListener = async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://origin')
  const id = searchParams.get('id') ?? String(sites.size)
  response.setHeader('content-type', 'application/json')
  const one = sites.get(id) ?? (await startSite())
  sites.set(id, one)
  if (pathname === '/site/stop') await one.stop()
  if (pathname === '/site/write')
    one.write(JSON.parse(searchParams.get('args') ?? '[]'), JSON.parse(searchParams.get('config') ?? '{}'))
  response.end(
    JSON.stringify(
      pathname === '/site/requests' ? one.requests(searchParams.get('path') ?? undefined) : { id, url: one.url },
    ),
  )
}

/** What the second origin answers, by path. A browser test that needs an answer of its own adds its path here. */
const routes: Readonly<Record<string, RequestListener>> = {
  '/aging': aging,
  '/events': (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: hi\n\n')
  },
  '/frame': frame,
  '/patched': patched,
  '/sandboxed': sandboxed,
  '/site/start': controlSites,
  '/site/stop': controlSites,
  '/site/write': controlSites,
  '/site/requests': controlSites,
  '/stale': validated('max-age=0'),
  '/fresh': validated('max-age=3600'),
  '/exposed': (request, response) => {
    response.setHeader('access-control-expose-headers', 'etag, date, vary, age')
    validated('max-age=0')(request, response)
  },
  '/moved': (request, response) => {
    response.writeHead(302, { location: `/fresh${new URL(request.url ?? '/', 'http://origin').search}` })
    response.end()
  },
  '/empty': (_request, response) => {
    response.writeHead(204, { 'cache-control': 'max-age=3600' })
    response.end()
  },
  '/received': (request, response) => {
    const url = new URL(request.url ?? '/', 'http://origin').searchParams.get('url') ?? ''
    response.end(JSON.stringify(received.get(url) ?? []))
  },
}

const hubs = new Map<string, PurgeHub>()
/** Followers that have come, by hub, and not gone. */
const followers = new Map<string, number>()
const parametersOf = (url: string | undefined) => new URL(url ?? '/', 'http://origin').searchParams
function hubOf(url: string | undefined): { name: string; hub: PurgeHub } {
  const name = parametersOf(url).get('hub') ?? ''
  const hub = hubs.get(name) ?? createPurgeHub()
  hubs.set(name, hub)
  return { name, hub }
}

/** A purge hub for each name that a test gives: its feed, a purge from outside, and how many follow. */
const purgeRoutes: Readonly<Record<string, RequestListener>> = {
  '/purge-feed': (request, response) => {
    const { name, hub } = hubOf(request.url)
    if (!request.headers.accept?.includes('json')) {
      followers.set(name, (followers.get(name) ?? 0) + 1)
      response.on('close', () => followers.set(name, (followers.get(name) ?? 0) - 1))
    }
    toNodeHandler((asked) => hub.feed(asked))(request, response)
  },
  '/purge-now': async (request, response) => {
    const given = parametersOf(request.url)
    const mode = given.get('mode') === 'hard' ? 'hard' : 'soft'
    response.end(JSON.stringify(await hubOf(request.url).hub.purge(JSON.parse(given.get('selector') ?? ''), { mode })))
  },
  '/purge-followers': (request, response) => {
    response.end(JSON.stringify({ count: followers.get(hubOf(request.url).name) ?? 0 }))
  },
}

/** Every path that has no route of its own: says what was asked for. */
const echo: RequestListener = (request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ url: request.url, method: request.method }))
}

/** Starts the second origin for the browser tests; a test reads its address with `inject('origin')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    const { url = '/', method = '', headers } = request
    const path = new URL(url, 'http://origin').pathname
    received.set(url, [...(received.get(url) ?? []), { method, headers }])
    const route = routes[path] ?? purgeRoutes[path] ?? echo
    route(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  project.provide('origin', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return async () => {
    for (const site of sites.values()) await site.stop()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}
