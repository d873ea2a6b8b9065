import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createCache } from '../../src/index.ts'
import { type Handler, toNodeHandler, withHttpCache } from '../../src/server/index.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((closed) => server.close(closed))
  }
})

async function listen(handler: Handler<[]>): Promise<string> {
  const server = createServer(toNodeHandler(handler))
  servers.push(server)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a cached handler behind Node’s http: 200, then 304, and HEAD without content', async () => {
  const origin = await listen(withHttpCache(() => Response.json({ id: 42 }), { maxAge: 60, tags: ['products'] }))
  const first = await fetch(`${origin}/products/42`)
  expect(await first.json()).toEqual({ id: 42 })
  expect([first.headers.get('cache-control'), first.headers.get('content-length')]).toEqual(['max-age=60', '9'])
  const etag = first.headers.get('etag') as string
  const second = await fetch(`${origin}/products/42`, { headers: { 'if-none-match': etag } })
  expect([second.status, await second.text(), second.headers.get('etag')]).toEqual([304, '', etag])
  const head = await fetch(`${origin}/products/42`, { method: 'HEAD' })
  expect([head.status, head.headers.get('content-length'), head.headers.get('etag')]).toEqual([200, '9', etag])
})

test('our own cache validates against it, and purges by its tags', async () => {
  let asked = 0
  const origin = await listen(
    withHttpCache(
      () => {
        asked++
        return Response.json({ id: 42 })
      },
      { maxAge: 60, tags: ['products'] },
    ),
  )
  const cache = createCache({ store: 'memory' })
  const url = `${origin}/products/42`
  await cache.json(url)
  await cache.json(url)
  expect(asked).toBe(1)
  await cache.purge({ tag: 'products' })
  await cache.json(url)
  expect((await cache.explain(url)).cause).toBe('fresh')
  expect([asked, cache.stats().validated]).toEqual([2, 1])
  await cache.close()
})

test('gives the handler method, URL, fields and body as they were sent', async () => {
  const origin = await listen(async (request) =>
    Response.json({
      method: request.method,
      url: new URL(request.url).pathname + new URL(request.url).search,
      type: request.headers.get('content-type'),
      twice: request.headers.get('x-twice'),
      body: await request.text(),
    }),
  )
  const response = await fetch(`${origin}//a?b=%20c`, {
    method: 'POST',
    body: 'hello',
    headers: [
      ['x-twice', '1'],
      ['x-twice', '2'],
    ],
  })
  expect(await response.json()).toEqual({
    method: 'POST',
    url: '//a?b=%20c',
    type: 'text/plain;charset=UTF-8',
    twice: '1, 2',
    body: 'hello',
  })
})

test('sends each cookie as a field of its own', async () => {
  const headers = new Headers([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2, c'],
  ])
  const origin = await listen(() => new Response(null, { status: 204, headers }))
  expect((await fetch(origin)).headers.getSetCookie()).toEqual(['a=1', 'b=2, c'])
})

test('what the handler throws is a 500 without a word about it; the server lives on', async () => {
  const origin = await listen((request) => {
    if (request.url.endsWith('/ill')) throw new Error('secret')
    return new Response('well')
  })
  const ill = await fetch(`${origin}/ill`)
  expect([ill.status, await ill.text()]).toEqual([500, ''])
  expect(await (await fetch(origin)).text()).toBe('well')
})

test('a body that fails half-way ends the connection: nobody takes it for whole', async () => {
  const origin = await listen(
    () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new TextEncoder().encode('half'))
            controller.error(new Error('no'))
          },
        }),
      ),
  )
  await expect(fetch(origin).then((response) => response.text())).rejects.toThrow(TypeError)
})

test('a client that leaves ends the stream, and the handler’s signal says so', async () => {
  const ended = new Promise<string>((resolve) => {
    listen((request) => {
      request.signal.addEventListener('abort', () => resolve('aborted'))
      return new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode('.')) }),
      )
    }).then((origin) => {
      const asked = httpRequest(origin, (response) => response.once('data', () => asked.destroy()))
      asked.on('error', () => {})
      asked.end()
    })
  })
  expect(await ended).toBe('aborted')
})

test('a client that does not read holds the source back', async () => {
  let chunks = 0
  const origin = await listen(
    () =>
      new Response(
        new ReadableStream(
          {
            async pull(controller) {
              chunks++
              controller.enqueue(new Uint8Array(65_536))
              await new Promise((resolve) => setImmediate(resolve))
            },
          },
          { highWaterMark: 0 },
        ),
      ),
  )
  const asked = httpRequest(origin, (response) => response.pause())
  asked.on('error', () => {})
  asked.end()
  // Turns of the event loop until the source has stood still for many of them.
  let [before, still] = [-1, 0]
  while (still < 200) {
    await new Promise((resolve) => setImmediate(resolve))
    still = chunks === before && chunks > 0 ? still + 1 : 0
    before = chunks
  }
  expect(chunks).toBeLessThan(2000)
  asked.destroy()
})

test('the body of an answer to HEAD is let go', async () => {
  let isCancelled = false
  const body = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(10)),
      cancel() {
        isCancelled = true
      },
    })
  const origin = await listen(() => new Response(body(), { headers: { 'x-own': '1' } }))
  const head = await fetch(origin, { method: 'HEAD' })
  expect([head.status, head.headers.get('x-own'), isCancelled]).toEqual([200, '1', true])
})
