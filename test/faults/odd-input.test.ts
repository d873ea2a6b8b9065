import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import type { NearCache } from '../../src/index.ts'
import { type RawOrigin, rawHead, rawOrigin } from '../support/raw-origin.ts'

// Each call is made twice, by Node's own fetch and by the cache: both must do the same, on the wire and to the caller.

let origin: RawOrigin
let cache: NearCache
beforeEach(async () => {
  origin = await rawOrigin()
  const own = origin
  onTestFinished(() => own.close())
  cache = createCache({ store: 'memory', base: origin.url })
  for (const path of ['/a', '/a?q=1', '/a?q=%20ä'.replace('ä', '%C3%A4')]) {
    origin.plays(path, async ({ send, end, method }) => {
      await send(rawHead(200, { 'cache-control': 'no-store', 'content-length': '4' }), method === 'HEAD' ? '' : 'body')
      end()
    })
  }
})

/** What came of a call: for the caller, and on the wire. */
async function outcome(
  call: (fetch: typeof globalThis.fetch, url: string) => Promise<Response>,
  fetch: typeof globalThis.fetch,
) {
  const before = origin.requests.length
  const result = await call(fetch, `${origin.url}/a`).then(
    async (response) => ({
      status: response.status,
      type: response.type,
      url: response.url,
      redirected: response.redirected,
      body: await response.text(),
    }),
    (error: Error) => ({ error: error.name, kind: error.constructor.name }),
  )
  const wire = origin.requests.slice(before).map(({ method, path, headers }) => ({ method, path, headers }))
  return { result, wire }
}

const stream = () =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('streamed'))
      controller.close()
    },
  })

const calls: Record<string, (fetch: typeof globalThis.fetch, url: string) => Promise<Response>> = {
  'a string': (fetch, url) => fetch(url),
  'a URL': (fetch, url) => fetch(new URL(url)),
  'an object with toString()': (fetch, url) => fetch({ toString: () => url } as unknown as URL),
  'a Request': (fetch, url) => fetch(new Request(url)),
  'a Request and init': (fetch, url) => fetch(new Request(url, { headers: { a: '1' } }), { headers: { b: '2' } }),
  'a fragment': (fetch, url) => fetch(`${url}#part`),
  'a query': (fetch, url) => fetch(`${url}?q=1`),
  'a query to be escaped': (fetch, url) => fetch(`${url}?q= ä`),
  'tabs and newlines in the URL': (fetch, url) => fetch(` ${url.slice(0, -1)}\n\ta `),
  'no URL': (fetch) => fetch('http://[half'),
  'a scheme of no network': (fetch) => fetch('ftp://127.0.0.1/a'),
  'a data: URL': (fetch) => fetch('data:text/plain,hello'),
  'credentials in the URL': (fetch, url) => fetch(url.replace('//', '//user:secret@')),
  'headers as an object': (fetch, url) => fetch(url, { headers: { 'X-A': ' 1 ' } }),
  'headers as pairs': (fetch, url) =>
    fetch(url, {
      headers: [
        ['x-a', '1'],
        ['X-A', '2'],
      ],
    }),
  'headers as Headers': (fetch, url) => fetch(url, { headers: new Headers({ 'x-a': '1' }) }),
  'headers as an iterable': (fetch, url) => fetch(url, { headers: new Map([['x-a', '1']]) as unknown as Headers }),
  'a field name that is none': (fetch, url) => fetch(url, { headers: { 'no name': '1' } }),
  'a field value that is none': (fetch, url) => fetch(url, { headers: { 'x-a': 'a\nb' } }),
  'headers undefined': (fetch, url) => fetch(url, { headers: undefined } as never),
  'init null': (fetch, url) => fetch(url, null as never),
  'a method in lower case': (fetch, url) => fetch(url, { method: 'get' }),
  'a method that is an object': (fetch, url) => fetch(url, { method: { toString: () => 'get' } as never }),
  'a method that is a symbol': (fetch, url) => fetch(url, { method: Symbol('get') as never }),
  'a method that is forbidden': (fetch, url) => fetch(url, { method: 'TRACE' }),
  'a method that is none': (fetch, url) => fetch(url, { method: 'NO METHOD' }),
  'a method of one’s own': (fetch, url) => fetch(url, { method: 'brew' }),
  HEAD: (fetch, url) => fetch(url, { method: 'HEAD' }),
  'GET with a body': (fetch, url) => fetch(url, { body: 'x' }),
  'POST with a text': (fetch, url) => fetch(url, { method: 'POST', body: 'x' }),
  'POST with form data': (fetch, url) => fetch(url, { method: 'POST', body: new URLSearchParams({ a: '1' }) }),
  'POST with a stream': (fetch, url) => fetch(url, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit),
  'POST with a stream, without duplex': (fetch, url) => fetch(url, { method: 'POST', body: stream() }),
  'a POST Request': (fetch, url) => fetch(new Request(url, { method: 'POST', body: 'x' })),
  'a POST Request made a GET': (fetch, url) => fetch(new Request(url, { method: 'POST' }), { method: 'GET' }),
  'a Request whose body is used': async (fetch, url) => {
    const request = new Request(url, { method: 'POST', body: 'x' })
    await request.text()
    return fetch(request)
  },
  'a signal that has aborted': (fetch, url) => fetch(url, { signal: AbortSignal.abort() }),
  'a signal that has aborted for a reason': (fetch, url) =>
    fetch(url, { signal: AbortSignal.abort(new RangeError('mine')) }),
  'a Request whose signal has aborted': (fetch, url) => fetch(new Request(url, { signal: AbortSignal.abort() })),
  'signal null over a Request’s': (fetch, url) =>
    fetch(new Request(url, { signal: AbortSignal.abort() }), { signal: null }),
  'a signal that is none': (fetch, url) => fetch(url, { signal: {} as AbortSignal }),
  keepalive: (fetch, url) => fetch(url, { keepalive: true }),
  priority: (fetch, url) => fetch(url, { priority: 'high' }),
  'integrity that does not match': (fetch, url) =>
    fetch(url, { integrity: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' }),
  'integrity of a Request': (fetch, url) =>
    fetch(new Request(url, { integrity: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' })),
  'window null': (fetch, url) => fetch(url, { window: null }),
  'window that is not null': (fetch, url) => fetch(url, { window: {} as never }),
  'a referrer': (fetch, url) => fetch(url, { referrer: '', referrerPolicy: 'no-referrer' }),
  'a referrer that is none': (fetch, url) => fetch(url, { referrer: 'http://[half' }),
  'a referrer policy that is none': (fetch, url) => fetch(url, { referrerPolicy: 'nonsense' as never }),
  'mode navigate': (fetch, url) => fetch(url, { mode: 'navigate' }),
  'mode no-cors': (fetch, url) => fetch(url, { mode: 'no-cors' }),
  'a mode that is none': (fetch, url) => fetch(url, { mode: 'nonsense' as never }),
  'a cache mode that is none': (fetch, url) => fetch(url, { cache: 'nonsense' as never }),
  'credentials that are none': (fetch, url) => fetch(url, { credentials: 'nonsense' as never }),
  'a redirect mode that is none': (fetch, url) => fetch(url, { redirect: 'nonsense' as never }),
}

describe('F-82: odd input does what it does with bare fetch (Fetch, fetch method)', () => {
  test.each(Object.entries(calls))('%s', async (_, call) => {
    expect(await outcome(call, cache.fetch as typeof globalThis.fetch)).toEqual(await outcome(call, globalThis.fetch))
  })

  test('credentials that are none are refused, though what would go without them is stored (Fetch, RequestCredentials)', async () => {
    origin.plays('/a', async ({ send, end }) => {
      await send(rawHead(200, { 'cache-control': 'max-age=60', 'content-length': '4' }), 'body')
      end()
    })
    await (await cache.fetch('/a', { credentials: 'omit' })).text()
    await expect(cache.fetch('/a', { credentials: 'nonsense' as never })).rejects.toThrow(TypeError)
    await expect(cache.fetch('/a', { credentials: 'omit', referrerPolicy: 'nonsense' as never })).rejects.toThrow(
      TypeError,
    )
  })

  test('and once more where the response could be stored: input that fetch refuses is refused, and what was stored is not served for it', async () => {
    origin.plays('/a', async ({ send, end }) => {
      await send(rawHead(200, { 'cache-control': 'max-age=60', 'content-length': '4' }), 'body')
      end()
    })
    await (await cache.fetch('/a')).text()
    const differing: string[] = []
    for (const [name, call] of Object.entries(calls)) {
      const ours = (await outcome(call, cache.fetch as typeof globalThis.fetch)).result
      const bare = (await outcome(call, globalThis.fetch)).result
      if (JSON.stringify(ours) !== JSON.stringify(bare)) differing.push(`${name}: ${JSON.stringify([ours, bare])}`)
    }
    expect(differing).toEqual([])
  })
})

test('F-82: relative URLs start from base; bare fetch in Node knows none (Fetch, Request constructor)', async () => {
  expect((await cache.fetch('a')).url).toBe(`${origin.url}/a`)
  expect((await cache.fetch('?q=1')).status).toBe(404)
  expect((await cache.fetch(new URL('/a', origin.url))).status).toBe(200)
})

test('F-82: cache.fetch is bound: it can be passed where a fetch fits', async () => {
  const { fetch } = cache
  expect(await (await fetch('/a')).text()).toBe('body')
})
