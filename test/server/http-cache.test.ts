import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { type HttpCachePolicy, withHttpCache } from '../../src/server/index.ts'
import { virtualClock } from '../../src/testing/index.ts'

const url = 'https://shop.example/products/42'
const clock = virtualClock()
const json = () => Response.json({ id: 42 })
const serve = (handler: () => Response | Promise<Response> = json, policy: HttpCachePolicy = { maxAge: 60 }) => {
  const handle = withHttpCache(handler, policy, { clock })
  return (headers: Record<string, string> = {}, method = 'GET') => handle(new Request(url, { headers, method }))
}
/** A body that says how much of it was read, and whether it was let go. */
function counted(chunks: number, size = 1000) {
  const told = { read: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (told.read === chunks) return controller.close()
        told.read++
        controller.enqueue(new Uint8Array(size).fill(told.read))
      },
      cancel() {
        told.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { told, body }
}

describe('a successful answer', () => {
  test('gets Cache-Control, a strong ETag of its bytes, Date and Content-Length', async () => {
    const response = await serve()()
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('max-age=60')
    expect(response.headers.get('etag')).toMatch(/^"[\w-]{24}"$/)
    expect(response.headers.get('date')).toBe('Thu, 01 Jan 2026 00:00:00 GMT')
    expect(response.headers.get('content-length')).toBe('9')
    expect(await response.json()).toEqual({ id: 42 })
  })

  test('keeps what its handler says itself', async () => {
    const said = {
      etag: 'W/"mine"',
      'cache-control': 'no-cache',
      date: 'Fri, 02 Jan 2026 00:00:00 GMT',
      'cache-tag': 'own',
    }
    const { headers } = await serve(() => new Response('x', { headers: said }), { maxAge: 60, tags: ['a'] })()
    for (const [name, value] of Object.entries(said)) expect(headers.get(name)).toBe(value)
    expect(headers.get('nearcache-tag')).toBe('a')
  })

  test('joins the Vary of handler and policy, each field once', async () => {
    const handler = () => new Response('x', { headers: { vary: 'Accept, accept-language' } })
    const { headers } = await serve(handler, { vary: ['Accept-Language', 'Accept-Encoding'] })()
    expect(headers.get('vary')).toBe('Accept, accept-language, Accept-Encoding')
    expect((await serve(json, { vary: 'Accept, Cookie' })()).headers.get('vary')).toBe('Accept, Cookie')
    expect(
      (await serve(() => new Response('x', { headers: { vary: '*' } }), { vary: 'Accept' })()).headers.get('vary'),
    ).toBe('*')
  })

  test('carries its tags in Cache-Tag for the CDN and in a field that reaches the browser', async () => {
    const { headers } = await serve(json, { tags: ['products', 'product-42', 'products'] })()
    expect(headers.get('cache-tag')).toBe('products,product-42')
    expect(headers.get('nearcache-tag')).toBe('products,product-42')
    const own = await serve(json, { tags: (request) => [new URL(request.url).pathname], tagField: 'shop-tags' })()
    expect(own.headers.get('shop-tags')).toBe('/products/42')
    expect(own.headers.get('access-control-expose-headers')).toContain('shop-tags')
  })

  test('is exposed across origins, beside what the handler exposes; Timing-Allow-Origin is nobody’s business here', async () => {
    const handler = () =>
      new Response('x', {
        headers: { 'access-control-expose-headers': 'X-Page, etag', 'timing-allow-origin': 'https://a.example' },
      })
    const { headers } = await serve(handler)()
    const names = headers.get('access-control-expose-headers')?.split(', ')
    expect(names?.slice(0, 2)).toEqual(['X-Page', 'etag'])
    expect(names).toEqual(
      expect.arrayContaining(['Age', 'Date', 'Vary', 'Cache-Status', 'Cache-Groups', 'nearcache-tag']),
    )
    expect(names).not.toContain('ETag')
    expect(headers.get('timing-allow-origin')).toBe('https://a.example')
    expect((await serve()()).headers.has('timing-allow-origin')).toBe(false)
  })

  test('that sets a cookie is no shared cache’s', async () => {
    const handler = () => new Response('x', { headers: { 'set-cookie': 'a=1' } })
    const { headers } = await serve(handler, { public: true, maxAge: 60, sMaxage: 600 })()
    expect(headers.get('cache-control')).toBe('private, max-age=60')
    expect(headers.getSetCookie()).toEqual(['a=1'])
    const understood = await serve(handler, { noStore: true, mustUnderstand: true, maxAge: 60, public: true })()
    expect(understood.headers.get('cache-control')).toBe('private, no-store, must-understand, max-age=60')
  })

  test('without content has no tag', async () => {
    const { headers, status } = await serve(() => new Response(null, { status: 204 }))()
    expect([status, headers.get('etag'), headers.get('cache-control')]).toEqual([204, null, 'max-age=60'])
  })
})

describe('an error is never made cacheable', () => {
  test.each([400, 401, 404, 410, 429, 500, 503])(
    '%i without Cache-Control gets no-store, no tag and no labels',
    async (status) => {
      const { headers } = await serve(() => new Response('x', { status }), { maxAge: 60, tags: ['a'] })({
        'if-none-match': '*',
      })
      expect([headers.get('cache-control'), headers.get('etag'), headers.get('nearcache-tag')]).toEqual([
        'no-store',
        null,
        null,
      ])
    },
  )

  test('what it says itself stands', async () => {
    const handler = () => new Response('x', { status: 404, headers: { 'cache-control': 'max-age=10' } })
    expect((await serve(handler)()).headers.get('cache-control')).toBe('max-age=10')
  })

  test('a redirect keeps its silence', async () => {
    const response = await serve(() => Response.redirect('https://shop.example/login', 302))()
    expect([response.status, response.headers.get('cache-control'), response.headers.get('location')]).toEqual([
      302,
      null,
      'https://shop.example/login',
    ])
  })

  test('what the handler throws is thrown', async () => {
    await expect(
      serve(() => {
        throw new Error('no')
      })(),
    ).rejects.toThrow('no')
  })

  test('a network error is handed on', async () => {
    expect((await serve(() => Response.error())()).type).toBe('error')
  })
})

describe('304 (RFC 9110 §15.4.5)', () => {
  test('answers the tag that was given, with what a cache updates and without what describes content', async () => {
    const handler = () =>
      new Response('hi', {
        headers: {
          'content-type': 'text/plain',
          'content-language': 'en',
          'content-location': '/products/42.en',
          expires: 'Thu, 01 Jan 2026 01:00:00 GMT',
          'last-modified': 'Wed, 31 Dec 2025 00:00:00 GMT',
          'access-control-allow-origin': '*',
        },
      })
    const get = serve(handler, { maxAge: 60, vary: 'Accept-Language', tags: ['a'] })
    const etag = (await get()).headers.get('etag') as string
    const response = await get({ 'if-none-match': etag })
    expect(response.status).toBe(304)
    expect(response.body).toBeNull()
    const { 'access-control-expose-headers': _, ...headers } = Object.fromEntries(response.headers)
    expect(headers).toEqual({
      'access-control-allow-origin': '*',
      'cache-control': 'max-age=60',
      'cache-tag': 'a',
      'content-location': '/products/42.en',
      date: 'Thu, 01 Jan 2026 00:00:00 GMT',
      etag,
      expires: 'Thu, 01 Jan 2026 01:00:00 GMT',
      'nearcache-tag': 'a',
      vary: 'Accept-Language',
    })
  })

  test.each([
    ['If-Modified-Since alone, of that moment', { 'if-modified-since': 'Wed, 31 Dec 2025 00:00:00 GMT' }, 304],
    ['of a later moment', { 'if-modified-since': 'Wed, 31 Dec 2025 00:00:01 GMT' }, 304],
    ['of an earlier moment', { 'if-modified-since': 'Tue, 30 Dec 2025 23:59:59 GMT' }, 200],
    ['that is no date', { 'if-modified-since': '2025-12-31' }, 200],
    [
      'beside If-None-Match, which decides alone (§13.1.3)',
      { 'if-modified-since': 'Wed, 31 Dec 2025 00:00:00 GMT', 'if-none-match': '"other"' },
      200,
    ],
    ['If-None-Match: * ', { 'if-none-match': '*' }, 304],
    ['a weak tag', { 'if-none-match': 'W/"v1"' }, 304],
    ['one tag of a list', { 'if-none-match': '"v0", "v1"' }, 304],
  ])('%s: %j gives %i', async (_sentence, asked, status) => {
    const handler = () =>
      new Response('x', { headers: { etag: '"v1"', 'last-modified': 'Wed, 31 Dec 2025 00:00:00 GMT' } })
    expect((await serve(handler)(asked)).status).toBe(status)
  })

  test('lets go of the body that is not sent', async () => {
    const { told, body } = counted(3)
    expect(
      (await serve(() => new Response(body, { headers: { etag: '"v1"' } }))({ 'if-none-match': '"v1"' })).status,
    ).toBe(304)
    expect(told.cancelled).toBe(true)
  })

  test('of the handler gets the fields of the policy, too', async () => {
    const { headers, status } = await serve(() => new Response(null, { status: 304, headers: { etag: '"v1"' } }))()
    expect([status, headers.get('cache-control'), headers.get('etag')]).toEqual([304, 'max-age=60', '"v1"'])
  })

  test('is never an answer to an unsafe method', async () => {
    const { status, headers } = await serve(() => new Response('x', { headers: { etag: '"v1"' } }))(
      { 'if-none-match': '"v1"' },
      'POST',
    )
    expect([status, headers.get('cache-control')]).toEqual([200, null])
  })
})

test.each([
  [{}, /^\*$/],
  [{ 'access-control-allow-credentials': 'true' }, /^\*, Age, .*ETag/],
])('what * exposes is everything, save with credentials (Fetch, CORS protocol): %j', async (more, expected) => {
  const handler = () => new Response('x', { headers: { 'access-control-expose-headers': '*', ...more } })
  expect((await serve(handler)()).headers.get('access-control-expose-headers')).toMatch(expected)
})

test('HEAD has the fields of GET, and no content (RFC 9110 §9.3.2)', async () => {
  const methods: string[] = []
  const handle = withHttpCache(
    (request) => {
      methods.push(request.method)
      return json()
    },
    { maxAge: 60 },
    { clock },
  )
  const [get, head] = [await handle(new Request(url)), await handle(new Request(url, { method: 'HEAD' }))]
  expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers))
  expect(head.body).toBeNull()
  expect(methods).toEqual(['GET', 'GET'])
})

test('HEAD knows no ranges: its handler is asked for the whole (RFC 9110 §14.2)', async () => {
  const handle = withHttpCache(
    ({ headers }) => {
      const isPart = headers.has('range') || headers.has('if-range')
      return new Response('abc', { status: isPart ? 206 : 200, headers: { etag: '"1"' } })
    },
    { maxAge: 60 },
    { clock },
  )
  const headers = { range: 'bytes=0-0', 'if-range': '"1"' }
  expect((await handle(new Request(url, { method: 'HEAD', headers }))).status).toBe(200)
  expect((await handle(new Request(url, { headers }))).status).toBe(206)
})

describe('a handler that answers ranges itself', () => {
  const modified = 'Wed, 31 Dec 2025 00:00:00 GMT'
  const text = 'hello'
  /** Heeds `Range`, and no condition at all. */
  function ranged({ etag = '"v1"', lastModified = modified }: { etag?: string; lastModified?: string } = {}) {
    const asked: (string | null)[] = []
    const bodies: ReturnType<typeof counted>[] = []
    const handle = withHttpCache(
      ({ headers }) => {
        const range = headers.get('range')
        asked.push(range)
        const fields = { ...(etag && { etag }), ...(lastModified && { 'last-modified': lastModified }) }
        if (range === null) return new Response(text, { headers: fields })
        if (range !== 'bytes=0-1') return new Response(null, { status: 416, headers: { 'content-range': 'bytes */5' } })
        const one = counted(1, 2)
        bodies.push(one)
        return new Response(one.body, { status: 206, headers: { ...fields, 'content-range': 'bytes 0-1/5' } })
      },
      { maxAge: 60 },
      { clock },
    )
    const get = (headers: Record<string, string>) => handle(new Request(url, { headers }))
    return { asked, bodies, get }
  }
  const range = { range: 'bytes=0-1' }

  test('has its 206 passed on, with the fields of the policy', async () => {
    const response = await ranged().get(range)
    expect([response.status, response.headers.get('content-range'), response.headers.get('cache-control')]).toEqual([
      206,
      'bytes 0-1/5',
      'max-age=60',
    ])
  })

  test.each([
    ['If-None-Match names what it has', { 'if-none-match': 'W/"v1"' }],
    ['If-None-Match is *', { 'if-none-match': '*' }],
    ['it is not modified since', { 'if-modified-since': modified }],
    ['If-Range would not match either', { 'if-none-match': '"v1"', 'if-range': '"v0"' }],
  ])('gives 304 where %s: conditions come before ranges (RFC 9110 §13.2.2)', async (_sentence, asked) => {
    const { get, bodies } = ranged()
    const response = await get({ ...range, ...asked })
    expect([response.status, response.body, response.headers.get('content-range')]).toEqual([304, null, null])
    for (const { told } of bodies) expect(told.cancelled).toBe(true)
  })

  test.each([
    ['the tag that it has', {}, '"v1"', 206],
    ['another tag', {}, '"v0"', 200],
    ['a weak tag: the comparison is strong', {}, 'W/"v1"', 200],
    ['the tag of one that has a weak one', { etag: 'W/"v1"' }, 'W/"v1"', 200],
    ['a tag where it has none', { etag: '' }, '"v1"', 200],
    ['the moment of its modification, exactly', {}, modified, 206],
    ['a later moment', {}, 'Wed, 31 Dec 2025 00:00:01 GMT', 200],
    ['a moment where it knows none', { lastModified: '' }, modified, 200],
    ['neither a tag nor a date', {}, 'v1', 200],
  ])('gives the part or the whole: If-Range with %s (RFC 9110 §13.1.5)', async (_sentence, has, ifRange, status) => {
    const { get, asked, bodies } = ranged(has)
    const response = await get({ ...range, 'if-range': ifRange })
    expect(response.status).toBe(status)
    expect(asked).toEqual(status === 206 ? ['bytes=0-1'] : ['bytes=0-1', null])
    if (status === 206) return
    expect(await response.text()).toBe(text)
    expect(bodies[0]?.told.cancelled).toBe(true)
  })

  test('gives the whole instead of 416 where If-Range is there, and 416 where it is not (RFC 9110 §13.2.2, step 5)', async () => {
    const beyond = { range: 'bytes=9-' }
    expect((await ranged().get({ ...beyond, 'if-range': '"v1"' })).status).toBe(200)
    expect((await ranged().get(beyond)).status).toBe(416)
    // What would be an error without conditions is one with them (§13.2.1).
    expect((await ranged().get({ ...beyond, 'if-none-match': '"v1"' })).status).toBe(416)
  })

  test('is asked for the whole where a condition names a tag and its part has none: the whole gets one (RFC 9110 §14.2)', async () => {
    const { get, asked } = ranged({ etag: '' })
    const etag = (await get({})).headers.get('etag') as string
    expect((await get({ ...range, 'if-none-match': etag })).status).toBe(304)
    expect((await get({ ...range, 'if-none-match': '"v0"' })).status).toBe(200)
    expect((await get({ ...range, 'if-match': '"v0"' })).status).toBe(412)
    expect(asked.filter((one) => one === null)).toHaveLength(4)
  })

  test('If-Range without Range says nothing (RFC 9110 §13.1.5)', async () => {
    const { get, asked } = ranged()
    expect((await get({ 'if-range': '"v0"' })).status).toBe(200)
    expect(asked).toEqual([null])
  })
})

describe('412 (RFC 9110 §15.5.13)', () => {
  const modified = 'Wed, 31 Dec 2025 00:00:00 GMT'
  const earlier = 'Tue, 30 Dec 2025 23:59:59 GMT'
  test.each([
    ['If-Match names another tag', { 'if-match': '"v0"' }, 412],
    ['If-Match names a weak tag: the comparison is strong (§13.1.1)', { 'if-match': 'W/"v1"' }, 412],
    ['If-Match names the tag', { 'if-match': '"v0", "v1"' }, 200],
    ['If-Match is *', { 'if-match': '*' }, 200],
    ['it was modified since (§13.1.4)', { 'if-unmodified-since': earlier }, 412],
    ['it was not modified since', { 'if-unmodified-since': modified }, 200],
    ['the moment is no date', { 'if-unmodified-since': '2025-12-31' }, 200],
    ['If-Match decides alone (§13.1.4)', { 'if-match': '"v1"', 'if-unmodified-since': earlier }, 200],
    ['If-Match comes before If-None-Match (§13.2.2)', { 'if-match': '"v0"', 'if-none-match': '"v1"' }, 412],
    ['then If-None-Match is asked', { 'if-match': '"v1"', 'if-none-match': '"v1"' }, 304],
  ])('%s: %j gives %i', async (_sentence, asked, status) => {
    const { told, body } = counted(2)
    const headers = { etag: '"v1"', 'last-modified': modified, 'access-control-allow-origin': '*' }
    const response = await serve(() => new Response(body, { headers }))(asked)
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([status, '*'])
    if (status === 412) expect([response.headers.get('cache-control'), response.body]).toEqual(['no-store', null])
    expect(told.cancelled).toBe(status !== 200)
  })

  test('is none where there is no date to compare with, or no success to begin with (§13.1.4, §13.2.1)', async () => {
    expect((await serve()({ 'if-unmodified-since': earlier })).status).toBe(200)
    expect((await serve(() => new Response('x', { status: 404 }))({ 'if-match': '"v1"' })).status).toBe(404)
  })
})

describe('a body', () => {
  test('that is larger than is read for its tag streams on, whole, without one', async () => {
    const { told, body } = counted(10)
    const response = await serve(() => new Response(body), { maxAge: 60, maxTaggedBytes: 2500 })()
    expect(response.headers.get('etag')).toBeNull()
    expect(told.read).toBe(3)
    const bytes = new Uint8Array(await response.arrayBuffer())
    expect(bytes.byteLength).toBe(10_000)
    expect([0, 999, 1000, 9999].map((at) => bytes[at])).toEqual([1, 1, 2, 10])
  })

  test('of exactly that size is tagged', async () => {
    expect((await serve(() => new Response(counted(3).body), { maxTaggedBytes: 3000 })()).headers.has('etag')).toBe(
      true,
    )
  })

  test.each([
    ['that says itself that it is too large', { 'content-length': '5000' }],
    ['without an end', { 'content-type': 'text/event-stream' }],
  ])('%s is not read at all', async (_sentence, headers) => {
    const { told, body } = counted(5)
    const response = await serve(() => new Response(body, { headers }), { maxTaggedBytes: 4000 })()
    expect([told.read, response.headers.get('etag')]).toEqual([0, null])
    await response.body?.cancel()
    expect(told.cancelled).toBe(true)
  })

  test('whose stream is let go half-way is let go at its source', async () => {
    const { told, body } = counted(10)
    const response = await serve(() => new Response(body), { maxTaggedBytes: 500 })()
    await response.body?.cancel()
    expect(told.cancelled).toBe(true)
  })

  test('is not tagged where the policy says 0', async () => {
    expect((await serve(json, { maxTaggedBytes: 0 })()).headers.get('etag')).toBeNull()
  })
})

test.each([
  [{ private: true, public: true }, 'public'],
  [{ maxTaggedBytes: -1 }, 'maxTaggedBytes'],
  [{ tags: ['a b'] }, 'tags'],
  [{ tags: ['a,b'] }, 'tags'],
  [{ tags: [''] }, 'tags'],
  [{ tags: ['ü'] }, 'tags'],
  [{ tags: ['x'.repeat(1025)] }, 'tags'],
  [{ tags: Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(1000, 'x')) }, 'tags'],
])('a wrong policy is refused at once: %#', (policy, path) => {
  expect(() => withHttpCache(json, policy)).toThrow(expect.objectContaining({ code: 'option', path }))
})

test('in Hono, a route obeys its policy', async () => {
  const product = withHttpCache((_request, id: string) => Response.json({ id }), { maxAge: 60, tags: ['products'] })
  const app = new Hono().get('/products/:id', (context) => product(context.req.raw, context.req.param('id')))
  const first = await app.request('/products/42')
  expect(await first.json()).toEqual({ id: '42' })
  const second = await app.request('/products/42', {
    headers: { 'if-none-match': first.headers.get('etag') as string },
  })
  expect([second.status, second.headers.get('cache-control')]).toEqual([304, 'max-age=60'])
})
