import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import type { NearCache } from '../../src/index.ts'
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
const stateIn = (html: string) =>
  JSON.parse(/nearcache\+json"[^>]*>(.*?)<\/script>/s.exec(html)?.[1] ?? 'null') as { responses: { key: string[] }[] }

test('the page is whole: what suspended, the state, and the script that takes over, in this order', async () => {
  const { get } = await server((user, made) => made(user))
  const html = await get('ada')
  expect(html).toContain('<h1>Cup &lt;/script&gt;&lt;b&gt;</h1>')
  expect(userIn(html)).toEqual(['ada'])
  expect(html).toContain('class="stock">unknown false false')
  expect(html.indexOf('nearcache+json')).toBeLessThan(html.indexOf('src="/client.js"'))
  expect(stateIn(html).responses.map(({ key }) => key[0])).toEqual(['https://origin.test/api/product'])
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
    expect(stateIn(one).responses.map(({ key }) => key[0])).not.toContain('https://origin.test/api/me')
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
  expect(stateIn(html).responses).toHaveLength(1)
})

test('an API that fails leaves the rest of the page, and the browser tries again', async () => {
  const { origin, get } = await server((user, made) => made(user))
  origin.fails('/api/me', 503)
  const html = await get('ada')
  expect(html).toContain('<h1>Cup')
  expect(userIn(html)).toEqual([])
  expect(html).toContain('…')
})
