// @vitest-environment node
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createElement, Suspense } from 'react'
import { renderToPipeableStream } from 'react-dom/server'
import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import type { NearCache } from '../../src/index.ts'
import { CacheProvider, useSuspenseFetch } from '../../src/react/index.ts'
import { scriptedOrigin, virtualClock } from '../../src/testing/index.ts'
import { plainServer } from './ssr/plain-server.tsx'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A server that renders for its users with these caches, before an origin that a test plays. */
async function server(cacheFor: (cookie: string | undefined, made: (user?: string) => NearCache) => NearCache) {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  origin.serves('/api/product', { cacheControl: 'max-age=60', json: { name: 'Cup </script><b>' } })
  origin.serves('/api/reviews', { cacheControl: 'max-age=60', json: ['fine', 'blue'] })
  origin.serves('/api/me', ({ headers }) => ({
    cacheControl: 'private, max-age=60',
    json: { user: headers['x-user'] ?? 'nobody' },
  }))
  /** Passes on who asks, as a server in front of an API does. */
  const made = (user?: string) =>
    createCache({
      store: 'memory',
      clock,
      base: origin.url,
      fetch: (input, init) => origin.fetch(input, { ...init, ...(user && { headers: { 'x-user': user } }) }),
    })
  const http = createServer(plainServer((cookie) => cacheFor(cookie, made), '/client.js'))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  ends.push(() => http.close())
  const get = async (user: string) => {
    const { port } = http.address() as AddressInfo
    return (await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie: user } })).text()
  }
  return { origin, get, made }
}

const userIn = (html: string) => [...html.matchAll(/class="user">(\w+)/g)].map(([, user]) => user)
/** The URLs in the states of a page, in order. */
const stateIn = (html: string) =>
  [...html.matchAll(/nearcache\+json"[^>]*>(.*?)<\/script>/gs)].flatMap(([, text = '']) =>
    (JSON.parse(text) as { responses: { key: string[] }[] }).responses.map(({ key }) => new URL(key[0] ?? '').pathname),
  )

test('the page is whole, and the state of each part that suspended comes before it, also of one inside another', async () => {
  const { get } = await server((user, made) => made(user))
  const html = await get('ada')
  expect(html).toContain('<h1>Cup &lt;/script&gt;&lt;b&gt;</h1>')
  expect(userIn(html)).toEqual(['ada'])
  expect(html).toContain('class="stock">unknown false false')
  expect(html).toContain('<p class="reviews">fine,blue</p>')
  const places = ['src="/client.js"', 'origin.test/api/product"', '<h1>', 'origin.test/api/reviews"', 'class="reviews"']
  expect(places.map((text) => html.indexOf(text))).toEqual(
    places.map((text) => html.indexOf(text)).sort((a, b) => a - b),
  )
  expect(stateIn(html)).toEqual(['/api/product', '/api/reviews'])
})

test('two users interleaved on one process, a cache for each request: no byte crosses (F-85, A-7)', async () => {
  const { origin, get } = await server((user, made) => made(user))
  const held = origin.hold('/api/me')
  const pages = [get('ada'), get('bob'), get('ada'), get('bob')]
  await expect.poll(() => held.waiting).toBe(4)
  held.release()
  const html = await Promise.all(pages)
  expect(html.map(userIn)).toEqual([['ada'], ['bob'], ['ada'], ['bob']])
  html.forEach((one, index) => {
    expect(one).not.toContain(index % 2 === 0 ? 'bob' : 'ada')
    expect(stateIn(one)).not.toContain('/api/me')
  })
})

test('one cache for all, by choice: what is public is asked for once, what is not storable or private is in no state', async () => {
  let shared: NearCache | undefined
  const { origin, get } = await server((_, made) => {
    shared ??= made()
    return shared
  })
  for (const user of ['ada', 'bob']) expect(userIn(await get(user))).toEqual(['nobody'])
  const html = await get('ada')
  expect(origin.requests.filter(({ path }) => path === '/api/product')).toHaveLength(1)
  expect(stateIn(html)).toEqual(['/api/product', '/api/reviews'])
})

test('an API that fails leaves the rest of the page, and the browser tries again', async () => {
  const { origin, get } = await server((user, made) => made(user))
  origin.fails('/api/me', 503)
  const html = await get('ada')
  expect(html).toContain('<h1>Cup')
  expect(userIn(html)).toEqual([])
  expect(html).toContain('…')
})

/** One page for one request, whole: what is read from these paths. */
async function rendered(cache: NearCache, paths: readonly string[], as: 'json' | 'text' = 'json'): Promise<string> {
  const Show = ({ path }: { path: string }) =>
    createElement('i', null, String(useSuspenseFetch(path, { as } as { as: 'text' }).data))
  const all = paths.map((path) =>
    createElement(Suspense, { key: path, fallback: 'failed' }, createElement(Show, { path })),
  )
  const stream = await new Promise<PassThrough>((resolve) => {
    const through = new PassThrough()
    const { pipe } = renderToPipeableStream(createElement(CacheProvider, { cache }, all), {
      onAllReady: () => resolve(pipe(through)),
      onError() {},
    })
  })
  return (await text(stream)).match(/<i>.*?<\/i>|failed/g)?.join('') ?? ''
}

function sharedServer() {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  const cache = createCache({ store: 'memory', clock, base: origin.url, fetch: origin.fetch })
  return { clock, origin, cache }
}

test('a shared cache: what is stale is read anew for each page, and what is fresh is not (RFC 9111 §4.2)', async () => {
  const { clock, origin, cache } = sharedServer()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', json: version }))
  for (const as of ['json', 'text'] as const) {
    version = 1
    const start = origin.requests.length
    await clock.advance(61_000)
    expect(await rendered(cache, ['/n'], as)).toBe('<i>1</i>')
    version = 2
    expect(await rendered(cache, ['/n'], as)).toBe('<i>1</i>')
    await clock.advance(61_000)
    expect(await rendered(cache, ['/n'], as)).toBe('<i>2</i>')
    expect(origin.requests.slice(start)).toHaveLength(2)
  }
})

test('a shared cache: what must not be stored is shown on the page that asked for it, and on no other (RFC 9111 §5.2.2.5)', async () => {
  const { origin, cache } = sharedServer()
  let asked = 0
  origin.serves('/n', () => ({ cacheControl: 'no-store', json: ++asked }))
  const held = origin.hold('/n')
  const both = [rendered(cache, ['/n']), rendered(cache, ['/n'])]
  await expect.poll(() => held.waiting).toBe(1) // the other one waits to see whether it may have that
  held.release()
  expect((await Promise.all(both)).sort()).toEqual(['<i>1</i>', '<i>2</i>'])
  expect(await rendered(cache, ['/n'])).toBe('<i>3</i>')
})

test('a shared cache: a failure is no reason to show what no header allows, and is forgotten with the page', async () => {
  const { clock, origin, cache } = sharedServer()
  origin.serves('/n', { cacheControl: 'max-age=60, must-revalidate', json: 1 })
  expect(await rendered(cache, ['/n'])).toBe('<i>1</i>')
  await clock.advance(61_000)
  origin.fails('/n', 500)
  expect(await rendered(cache, ['/n'])).toBe('failed')
  origin.recovers()
  expect(await rendered(cache, ['/n'])).toBe('<i>1</i>')
})
