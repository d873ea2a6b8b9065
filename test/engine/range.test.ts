import { expect, test } from 'vitest'
import type { ReceivedRequest, ScriptedResponse } from '../../src/testing/index.ts'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'

const WHOLE = '0123456789'

/** An origin that serves parts of ten digits, as RFC 9110 §14.2 says. */
const parts =
  (fields: ScriptedResponse = { cacheControl: 'max-age=60', etag: '"v1"' }) =>
  ({ headers }: ReceivedRequest): ScriptedResponse => {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
    if (first === undefined) return { ...fields, body: WHOLE }
    const end = last ? Math.min(Number(last), 9) : 9
    return {
      ...fields,
      status: 206,
      headers: { 'content-range': `bytes ${first}-${end}/10` },
      body: WHOLE.slice(Number(first), end + 1),
    }
  }

async function stored(response: ScriptedResponse = {}) {
  const world = harness()
  world.origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: WHOLE, ...response })
  await (await world.cache.fetch('/a')).text()
  return world
}

test.each([
  ['bytes=0-3', '0123', 'bytes 0-3/10'],
  ['bytes=4-', '456789', 'bytes 4-9/10'],
  ['bytes=-2', '89', 'bytes 8-9/10'],
  ['bytes=8-99', '89', 'bytes 8-9/10'],
  ['bytes=-99', WHOLE, 'bytes 0-9/10'],
])('%s is cut from a whole stored body: %s (RFC 9110 §14.2, §15.3.7)', async (range, body, contentRange) => {
  const { cache, origin } = await stored()
  const response = await cache.fetch('/a', { headers: { range } })
  expect(response.status).toBe(206)
  expect(response.statusText).toBe('Partial Content')
  expect(response.headers.get('content-range')).toBe(contentRange)
  expect(response.headers.get('content-length')).toBe(String(body.length))
  expect(causeOf(response)).toBe('fresh')
  expect(origin.requests).toHaveLength(1)
  expect(await response.text()).toBe(body)
})

test.each(['bytes=0-1,4-5', 'items=0-3', 'bytes=9-3', 'bytes=10-', 'bytes=-0'])(
  '%s is the origin’s to answer: nothing is cut for it (RFC 9110 §14.2)',
  async (range) => {
    const { cache, origin } = await stored()
    origin.serves('/a', { status: 416, headers: { 'content-range': 'bytes */10' } })
    const response = await cache.fetch('/a', { headers: { range } })
    expect(response.status).toBe(416)
    expect(origin.requests[1]?.headers.range).toBe(range)
    expect(origin.requests[1]?.ifNoneMatch).toBeUndefined()
    expect(await (await cache.fetch('/a')).text()).toBe(WHOLE)
    expect(origin.requests).toHaveLength(2)
  },
)

test('coded content is not cut: ranges count in its coded form (RFC 9110 §14.1.2)', async () => {
  const { cache, origin } = await stored({ headers: { 'content-encoding': 'gzip', 'content-length': '7' } })
  origin.serves('/a', parts())
  expect(await (await cache.fetch('/a', { headers: { range: 'bytes=0-3' } })).text()).toBe('0123')
  expect(origin.requests).toHaveLength(2)
})

test('a stored part answers ranges inside it, and no others (RFC 9111 §3.3)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', parts())
  const read = async (range: string) => (await cache.fetch('/a', { headers: { range } })).text()
  expect(await read('bytes=2-7')).toBe('234567')
  expect(await read('bytes=3-5')).toBe('345')
  expect(origin.requests).toHaveLength(1)
  expect(await read('bytes=3-8')).toBe('345678')
  expect(origin.requests).toHaveLength(2)
})

test('a part never answers for the whole (RFC 9111 §3.3)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', parts())
  await (await cache.fetch('/a', { headers: { range: 'bytes=2-7' } })).text()
  const response = await cache.fetch('/a')
  expect(response.status).toBe(200)
  expect(await response.text()).toBe(WHOLE)
})

test('a stored beginning is completed by asking for the rest, on the same strong validator (RFC 9111 §3.4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', parts())
  await (await cache.fetch('/a', { headers: { range: 'bytes=0-4' } })).text()
  const response = await cache.fetch('/a')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-range')).toBeNull()
  expect(response.headers.get('content-length')).toBe('10')
  expect(response.url).toBe('https://origin.test/a')
  expect(await response.text()).toBe(WHOLE)
  expect(origin.requests[1]?.headers).toMatchObject({ range: 'bytes=5-', 'if-range': '"v1"' })
  expect(await (await cache.fetch('/a')).text()).toBe(WHOLE)
  expect(origin.requests).toHaveLength(2)
})

test('parts of two versions are never joined: a rest with another tag is followed by a request for the whole (RFC 9110 §15.3.7.3)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', parts())
  await (await cache.fetch('/a', { headers: { range: 'bytes=0-4' } })).text()
  origin.serves('/a', (request) =>
    request.headers.range
      ? { status: 206, etag: '"v2"', headers: { 'content-range': 'bytes 5-9/10' }, body: 'fghij' }
      : { cacheControl: 'max-age=60', etag: '"v2"', body: 'abcdefghij' },
  )
  expect(await (await cache.fetch('/a')).text()).toBe('abcdefghij')
  expect(await (await cache.fetch('/a')).text()).toBe('abcdefghij')
})

test('a rest that comes short of what it says is an error to its reader, and is not stored (RFC 9111 §3.3)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', parts())
  await (await cache.fetch('/a', { headers: { range: 'bytes=0-4' } })).text()
  origin.serves('/a', {
    status: 206,
    cacheControl: 'max-age=60',
    etag: '"v1"',
    headers: { 'content-range': 'bytes 5-9/10' },
    body: '56789',
    fault: 'reset',
  })
  await expect((await cache.fetch('/a')).text()).rejects.toThrow(TypeError)
  await cache.settled()
  origin.serves('/a', parts())
  expect(await (await cache.fetch('/a')).text()).toBe(WHOLE)
})

test('a 206 whose Content-Range cannot be read is passed on, not stored (RFC 9110 §14.4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', {
    status: 206,
    cacheControl: 'max-age=60',
    headers: { 'content-range': 'bytes 5-2/10' },
    body: 'x',
  })
  const response = await cache.fetch('/a', { headers: { range: 'bytes=0-4' } })
  expect(response.status).toBe(206)
  expect(await response.text()).toBe('x')
  await cache.settled()
  expect((await cache.explain('/a')).candidates).toEqual([])
})

test('a range of a stale response asks the origin for that range, without conditions of ours', async () => {
  const { cache, origin, clock } = await stored()
  await clock.advance(60_000)
  origin.serves('/a', parts())
  const response = await cache.fetch('/a', { headers: { range: 'bytes=0-3' } })
  expect(response.status).toBe(206)
  expect(await response.text()).toBe('0123')
  expect(origin.requests[1]?.headers).toEqual({ range: 'bytes=0-3' })
})

test('a range read in the stale-while-revalidate window refreshes the whole (RFC 5861 §3)', async () => {
  const { cache, origin, clock } = await stored({ cacheControl: 'max-age=60, stale-while-revalidate=60' })
  await clock.advance(60_000)
  const response = await cache.fetch('/a', { headers: { range: 'bytes=0-3' } })
  expect(response.status).toBe(206)
  expect(causeOf(response)).toBe('stale-while-revalidate')
  await cache.settled()
  expect(origin.requests[1]?.headers.range).toBeUndefined()
  expect((await cache.explain('/a')).cause).toBe('fresh')
})
