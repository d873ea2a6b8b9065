import { describe, expect, test } from 'vitest'
import { causeOf } from './cause-of.ts'
import { causes, harness } from './harness.ts'

const offline = { headers: { 'content-type': 'application/json' }, body: '[]' }

test.each([
  ['no connection', { fault: 'network' }],
  ['500', { status: 500, body: 'ill' }],
  ['502', { status: 502 }],
  ['503', { status: 503 }],
  ['504', { status: 504 }],
] as const)(
  'nothing to serve and the origin fails (%s): the fallback, with a cause of its own, stored nowhere',
  async (_, failure) => {
    const { cache, origin, events, clock } = harness({ rules: [{ match: '/list', name: 'list', fallback: offline }] })
    origin.serves('/list', failure)
    const response = await cache.fetch('/list')
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'application/json',
      '[]',
    ])
    expect(response.url).toBe(`${origin.url}/list`)
    expect(causeOf(response)).toBe('offline')
    expect(response.headers.get('cache-status')).toBe('nearcache; fwd=uri-miss; detail=offline')
    expect(events.map(({ type }) => type)).toEqual(['failed', 'answered'])
    const { requests, misses, requestsSaved, byCause } = cache.stats()
    expect([requests, misses, requestsSaved, byCause]).toEqual([1, 1, 0, { offline: 1 }])
    expect((await cache.explain('/list')).candidates).toEqual([])
    origin.serves('/list', { json: [1] })
    expect(await cache.json('/list')).toEqual([1])
    expect(clock.sleeping).toBe(0)
  },
)

test('json() gives its data', async () => {
  const { cache, origin } = harness({ rules: [{ match: '/list', fallback: offline }] })
  origin.fails('/list', 'network')
  expect(await cache.json('/list')).toEqual([])
})

test('no answer in time is a failure as well: by hardMs, and by the signal of the caller', async () => {
  const { cache, origin, clock } = harness({ rules: [{ match: '/list', fallback: offline, hardMs: 1_000 }] })
  origin.serves('/list', { fault: 'hang' })
  const reading = cache.fetch('/list').then(causeOf)
  await clock.advance(1_000)
  expect(await reading).toBe('offline')
  const timer = new AbortController()
  const timed = cache.fetch('/list', { signal: timer.signal }).then(causeOf)
  timer.abort(new DOMException('The operation timed out', 'TimeoutError'))
  expect(await timed).toBe('offline')
})

test('what may be served stale goes before it', async () => {
  const { cache, origin, clock, events } = harness({ rules: [{ match: '/list', fallback: offline }] })
  origin.serves('/list', { cacheControl: 'max-age=60, stale-if-error=600', json: [1] })
  await cache.json('/list')
  await clock.advance(61_000)
  origin.fails('/list', 'network')
  expect(await cache.json('/list')).toEqual([1])
  await clock.advance(600_000)
  expect(await cache.json('/list')).toEqual([])
  expect(causes(events)).toEqual(['miss', 'stale-if-error', 'offline'])
})

test('a function makes it from the request, and may say what it likes', async () => {
  const page = (request: Request) => new Response(`Not there: ${new URL(request.url).pathname}`, { status: 503 })
  const { cache, origin } = harness({ rules: [{ match: '/*', fallback: page }] })
  origin.fails('*', 'network')
  const response = await cache.fetch('/cart')
  expect([response.status, await response.text()]).toEqual([503, 'Not there: /cart'])
})

test('HEAD gets its fields, and no content (RFC 9110 §9.3.2)', async () => {
  const { cache, origin } = harness({ rules: [{ match: '/*', fallback: offline }] })
  origin.fails('*', 'network')
  const response = await cache.fetch('/list', { method: 'HEAD' })
  expect([response.headers.get('content-type'), await response.text()]).toEqual(['application/json', ''])
})

describe('it is not for', () => {
  test.each([404, 403, 429, 501])('%i, which is an answer', async (status) => {
    const { cache, origin } = harness({ rules: [{ match: '/*', fallback: offline }] })
    origin.serves('/list', { status })
    expect((await cache.fetch('/list')).status).toBe(status)
  })

  test('a caller that has gone, whatever it says: it is not even made, nor is the origin said to have failed', async () => {
    const made: string[] = []
    const fallback = ({ url }: Request) => {
      made.push(url)
      return new Response()
    }
    const { cache, origin, clock, events } = harness({ rules: [{ match: '/*', fallback }] })
    origin.serves('/list', { fault: 'hang' })
    for (const reason of [undefined, new TypeError('mine')]) {
      const controller = new AbortController()
      const reading = cache.fetch('/list', { signal: controller.signal }).catch((error: unknown) => error)
      await clock.settle()
      controller.abort(reason)
      expect(await reading).toBe(controller.signal.reason)
    }
    await clock.settle()
    expect([made, events.filter(({ type }) => type === 'failed')]).toEqual([[], []])
  })

  test('other methods, only-if-cached, and URLs of other rules', async () => {
    const { cache, origin } = harness({ rules: [{ match: '/other' }, { match: '/*', fallback: offline }] })
    origin.fails('*', 'network')
    await expect(cache.fetch('/list', { method: 'POST' })).rejects.toThrow(TypeError)
    await expect(cache.fetch('/list', { cache: 'only-if-cached', mode: 'same-origin' })).rejects.toThrow(TypeError)
    expect((await cache.fetch('/list', { headers: { 'cache-control': 'only-if-cached' } })).status).toBe(504)
    await expect(cache.fetch('/other')).rejects.toThrow(TypeError)
  })
})

test('HEAD has no content, whoever makes the fallback (RFC 9110 §9.3.2)', async () => {
  const fallback = ({ method }: Request) => new Response('x', { status: 203, headers: { 'x-method': method } })
  const { cache, origin } = harness({ rules: [{ match: '/a', fallback }] })
  origin.fails('/a', 'network')
  const response = await cache.fetch('/a', { method: 'HEAD' })
  expect([response.status, response.headers.get('x-method'), response.body]).toEqual([203, 'HEAD', null])
  expect(await (await cache.fetch('/a')).text()).toBe('x')
})
