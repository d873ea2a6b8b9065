import { expect, onTestFinished, test, vi } from 'vitest'
import { CacheError, createCache } from '../../src/index.development.ts'
import { harness } from '../engine/harness.ts'
import { type RawExchange, rawHead, rawOrigin } from '../support/raw-origin.ts'

/** A cache over Node's own fetch, before an origin of which the test writes every byte. */
async function overTheWire(play: (exchange: RawExchange) => Promise<void>) {
  const origin = await rawOrigin()
  onTestFinished(() => origin.close())
  origin.plays('/a', async (exchange) => {
    await play(exchange)
    exchange.end()
  })
  return { cache: createCache({ store: 'memory', base: origin.url }), origin }
}
const outcome = async (response: Response) => [
  response.status,
  response.statusText,
  response.body === null,
  await response.text(),
]

test.each([200, 201, 203, 204, 205, 206, 299, 300, 400, 404, 410, 416, 418, 426, 451, 500, 511, 599])(
  'F-37: %s is passed on and replayed as bare fetch gives it (Fetch, null body status)',
  async (status) => {
    const isEmpty = status === 204 || status === 205
    const { cache, origin } = await overTheWire(({ send }) =>
      send(
        rawHead(status, {
          'cache-control': 'max-age=60',
          'content-range': 'bytes 0-3/8',
          'content-length': isEmpty ? '0' : '4',
        }),
        isEmpty ? '' : 'body',
      ),
    )
    const bare = await outcome(await fetch(`${origin.url}/a`))
    for (let read = 0; read < 2; read++) {
      const response = await cache.fetch('/a')
      const copy = response.clone()
      expect(await outcome(response)).toEqual(bare)
      expect(await outcome(copy)).toEqual(bare)
    }
  },
)

test('F-37: informational responses before the final one are none of the caller’s (RFC 9110 §15.2)', async () => {
  const { cache, origin } = await overTheWire(({ send }) =>
    send(
      'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n',
      rawHead(200, { 'cache-control': 'max-age=60', 'content-length': '5' }),
      'final',
    ),
  )
  for (let read = 0; read < 2; read++) expect(await (await cache.fetch('/a')).text()).toBe('final')
  expect(origin.requests).toHaveLength(1)
})

test.each(['error', 'opaque', 'opaqueredirect'] as const)(
  'F-37: a response of type %s, status 0, is handed back itself',
  async (type) => {
    const raw = type === 'error' ? Response.error() : new Response(null)
    if (type !== 'error')
      Object.defineProperties(raw, { type: { value: type }, status: { value: 0 }, url: { value: '' } })
    const { cache } = harness({ fetch: async () => raw })
    expect(await cache.fetch('/a')).toBe(raw)
    await cache.settled()
    expect((await cache.explain('/a')).candidates).toEqual([])
  },
)

test('F-35: a captive portal’s page for a JSON URL is no data, and the last good data stays where that is allowed (RFC 5861 §4)', async () => {
  const { cache, origin, clock } = harness()
  const fields = { cacheControl: 'max-age=60, stale-if-error=600' }
  origin.serves('/a', { ...fields, json: { good: true } })
  expect(await cache.json('/a')).toEqual({ good: true })
  await clock.advance(60_000)
  const portal = { cacheControl: 'max-age=60', headers: { 'content-type': 'text/html' }, body: '<h1>Log in</h1>' }
  origin.serves('/a', portal)
  origin.serves('/b', portal)
  expect(await cache.json('/a')).toEqual({ good: true })
  await expect(cache.json('/b')).rejects.toThrow(CacheError)
  await cache.settled()
  origin.serves('/a', { ...fields, json: { good: 'again' } })
  expect(await cache.json('/a')).toEqual({ good: 'again' })
})

test('F-35: 511 is passed on and harms no good response (RFC 6585 §6)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: 'good' })
  await (await cache.fetch('/a')).text()
  await clock.advance(60_000)
  origin.serves('/a', { status: 511, cacheControl: 'max-age=600', body: 'portal' })
  expect((await cache.fetch('/a')).status).toBe(511)
  await cache.settled()
  origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: 'good' })
  const response = await cache.fetch('/a')
  expect(response.status).toBe(200)
  expect(origin.requests[2]?.ifNoneMatch).toBe('"v1"')
})

test('F-32: a network that flaps fifty times a minute costs no more requests than reads, and no update is lost', async () => {
  const { cache, origin, clock } = harness()
  let version = 0
  origin.serves('/a', () => ({
    cacheControl: 'max-age=1, stale-while-revalidate=5, stale-if-error=60',
    body: String(version),
  }))
  let reads = 0
  for (let flap = 0; flap < 500; flap++) {
    version++
    if (flap % 2 === 0) origin.recovers()
    else origin.fails('/a', 'network')
    const read = cache.fetch('/a').then((response) => response.text())
    reads++
    expect(Number(await read)).toBeGreaterThan(version - 60)
    await cache.settled()
    await clock.advance(1_200)
  }
  expect(origin.requests.length).toBeLessThanOrEqual(reads)
  origin.recovers()
  await clock.advance(60_000)
  expect(await (await cache.fetch('/a')).text()).toBe(String(version))
})

test.each([false, true])(
  'F-32: navigator.onLine says %s, and nobody believes it: the network alone decides',
  async (onLine) => {
    vi.stubGlobal('navigator', { onLine, languages: ['en'], userAgent: 'test' })
    onTestFinished(() => void vi.unstubAllGlobals())
    const { cache, origin, clock } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=1, stale-if-error=60', body: `v${seq}` }))
    const read = async () => (await cache.fetch('/a')).text()
    expect(await read()).toBe('v1')
    await clock.advance(2_000)
    expect(await read()).toBe('v2')
    await clock.advance(2_000)
    origin.fails('/a', 'network', 1)
    expect(await read()).toBe('v2')
    expect(await read()).toBe('v4')
    expect(origin.requests).toHaveLength(4)
  },
)
