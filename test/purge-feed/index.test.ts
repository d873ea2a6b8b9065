import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { EventSource } from 'eventsource'
import { afterEach, describe, expect, test } from 'vitest'
import { createCache } from '../../src/index.ts'
import { followPurgeFeed, type PurgeFeed } from '../../src/purge-feed/index.ts'
import { createPurgeHub, type PurgeHub, toNodeHandler, withHttpCache } from '../../src/server/index.ts'

const servers: Server[] = []
const feeds: PurgeFeed[] = []
const hubs: PurgeHub[] = []
afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.close()
  for (const hub of hubs.splice(0)) await hub.close()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
})

/** An origin with a feed, behind Node's own http. */
async function origin() {
  const hub = createPurgeHub()
  hubs.push(hub)
  let price = 10
  const product = withHttpCache(() => Response.json({ price }), { maxAge: 3600, tags: ['product-42'] })
  const sockets = new Set<Socket>()
  const server = createServer(
    toNodeHandler((request) => (new URL(request.url).pathname === '/feed' ? hub.feed(request) : product(request))),
  )
  server.on('connection', (socket) => sockets.add(socket))
  servers.push(server)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    hub,
    url,
    setPrice(next: number) {
      price = next
    },
    cut() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

const purged = (cache: ReturnType<typeof createCache>) =>
  new Promise<void>((resolve) => {
    const end = cache.on((event) => {
      if (event.type !== 'purged') return
      end()
      resolve()
    })
  })

describe('over real HTTP', () => {
  test('a purge at the hub reaches the cache, and the next read has the new price', async () => {
    const { hub, url, setPrice } = await origin()
    const cache = createCache({ store: 'memory' })
    const feed = followPurgeFeed(cache, `${url}/feed`, { EventSource })
    feeds.push(feed)
    await feed.caughtUp()
    expect(await cache.json(`${url}/product`)).toEqual({ price: 10 })
    setPrice(12)
    const told = purged(cache)
    await hub.purge({ tag: 'product-42' }, { mode: 'hard' })
    await told
    expect(await cache.json(`${url}/product`)).toEqual({ price: 12 })
    expect(feed.number()).toBe(1)
  })

  test('what is subscribed to is read anew at once, nothing else', async () => {
    const { hub, url, setPrice } = await origin()
    const cache = createCache({ store: 'memory' })
    feeds.push(followPurgeFeed(cache, `${url}/feed`, { EventSource }))
    await cache.json(`${url}/product`)
    await cache.json(`${url}/product?other`)
    const stored = new Promise<void>((resolve) => {
      cache.subscribe(`${url}/product`, ({ type }) => type === 'stored' && resolve())
    })
    setPrice(12)
    await hub.purge({ tag: 'product-42' })
    await stored
    expect(cache.peek(`${url}/product`)).toMatchObject({ data: { price: 12 }, stale: false })
    expect(cache.peek(`${url}/product?other`)).toMatchObject({ data: { price: 10 }, stale: true })
  })

  test('a connection that breaks is made again, and what was missed is caught up on', async () => {
    const { hub, url, cut } = await origin()
    const cache = createCache({ store: 'memory' })
    // Every pause is of no length.
    const feed = followPurgeFeed(cache, `${url}/feed`, { EventSource, random: () => 0 })
    feeds.push(feed)
    await feed.caughtUp()
    await cache.json(`${url}/product`)
    const told = purged(cache)
    cut()
    await hub.purge({ pattern: '/prod*' })
    await told
    expect((await cache.explain(`${url}/product`)).cause).toBe('purged')
  })

  test('without an EventSource the log is asked once', async () => {
    const { hub, url } = await origin()
    const cache = createCache({ store: 'memory' })
    await cache.json(`${url}/product`)
    await hub.purge({ url: '/product' })
    const feed = followPurgeFeed(cache, `${url}/feed`, { once: true })
    feeds.push(feed)
    await feed.caughtUp()
    expect((await cache.explain(`${url}/product`)).cause).toBe('purged')
  })

  test('a feed that cannot be reached, or is none, breaks nothing and is told of', async () => {
    const errors: unknown[] = []
    const cache = createCache({ store: 'memory' })
    const { url } = await origin()
    for (const address of ['http://127.0.0.1:1/feed', `${url}/product`]) {
      const feed = followPurgeFeed(cache, address, {
        once: true,
        random: () => 0,
        onError: (error) => errors.push(error),
      })
      feeds.push(feed)
      await feed.caughtUp()
      expect(feed.number()).toBeUndefined()
    }
    expect(errors).toHaveLength(6)
  })
})

test.each(['/feed', 'no url', 'http://'])('%s is no feed where there is no page', (url) => {
  expect(() => followPurgeFeed(createCache({ store: 'memory' }), url)).toThrow(
    expect.objectContaining({ code: 'option', path: 'url' }),
  )
})
