import { expect, test } from 'vitest'
import type { ReceivedRequest, ScriptedResponse } from '../../src/testing/index.ts'
import { harness } from './harness.ts'

const WHOLE = '0123456789'

/** An origin that knows ranges, and says 416 for those beyond its end (RFC 9110 §14.2, §15.5.17). */
const ranges =
  (etag?: string) =>
  ({ headers }: ReceivedRequest): ScriptedResponse => {
    const base = { cacheControl: 'max-age=600', ...(etag && { etag }) }
    const found = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
    if (!found || (headers['if-range'] && headers['if-range'] !== etag)) return { ...base, body: WHOLE }
    const first = Number(found[1])
    const last = Math.min(Number(found[2] || WHOLE.length - 1), WHOLE.length - 1)
    if (first >= WHOLE.length) return { status: 416, headers: { 'content-range': `bytes */${WHOLE.length}` } }
    return {
      ...base,
      status: 206,
      headers: { 'content-range': `bytes ${first}-${last}/${WHOLE.length}` },
      body: WHOLE.slice(first, last + 1),
    }
  }

test('a stored part that is the whole never makes a request for a range that its caller did not ask for end in 416 (RFC 9111 §3.3, §3.4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', ranges('"v1"'))
  expect(await (await cache.fetch('/a', { headers: { range: 'bytes=0-' } })).text()).toBe(WHOLE)
  const response = await cache.fetch('/a')
  expect.soft(response.status).toBe(200)
  expect(await response.text()).toBe(WHOLE)
})

test('a 416 to a range of our own is followed by a request for the whole: the representation has become shorter', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', ranges())
  await (await cache.fetch('/a', { headers: { range: 'bytes=0-7' } })).text()
  origin.serves('/a', ({ headers }) =>
    headers.range
      ? { status: 416, headers: { 'content-range': 'bytes */4' } }
      : { cacheControl: 'max-age=600', body: '0123' },
  )
  const response = await cache.fetch('/a')
  expect.soft(response.status).toBe(200)
  expect(await response.text()).toBe('0123')
})

test('HEAD ignores Range, also where a part is stored (RFC 9110 §14.2)', async () => {
  const { cache, origin } = harness()
  origin.serves('GET /a', ranges('"v1"'))
  origin.serves('HEAD /a', { cacheControl: 'max-age=600', etag: '"v1"', body: WHOLE })
  await (await cache.fetch('/a', { headers: { range: 'bytes=0-7' } })).text()
  const response = await cache.fetch('/a', { method: 'HEAD', headers: { range: 'bytes=0-3' } })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-range')).toBeNull()
})

test('a completed response has the type of what completed it, and so has what is stored of it (Fetch, basic filtered response)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', ranges('"v1"'))
  await (await cache.fetch('/a', { headers: { range: 'bytes=0-4' } })).text()
  const completed = await cache.fetch('/a')
  expect(await completed.text()).toBe(WHOLE)
  expect.soft(completed.type).toBe('basic')
  expect((await cache.fetch('/a')).type).toBe('basic')
})

test('a beginning that can never be completed costs no request more than none (a weak validator; RFC 9110 §15.3.7.3)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', ranges('W/"v1"'))
  await (await cache.fetch('/a', { headers: { range: 'bytes=0-4' } })).text()
  expect(await (await cache.fetch('/a')).text()).toBe(WHOLE)
  expect(origin.requests).toHaveLength(2)
})

test('sixteen parts of one large file push no other variant out, and one key does not empty the memory', async () => {
  const { cache, origin } = harness({ memory: { maxBytes: 40_000, maxEntryBytes: 5_000 } })
  origin.serves('/page', { cacheControl: 'max-age=600', body: 'page' })
  origin.serves('/film', ({ headers }) => {
    const first = Number(/bytes=(\d+)/.exec(headers.range ?? '')?.[1])
    return {
      status: 206,
      cacheControl: 'max-age=600',
      headers: { 'content-range': `bytes ${first}-${first + 4_999}/1000000` },
      body: 'x'.repeat(5_000),
    }
  })
  await (await cache.fetch('/page')).text()
  for (let n = 0; n < 12; n++) {
    await (await cache.fetch('/film', { headers: { range: `bytes=${n * 5_000}-${n * 5_000 + 4_999}` } })).text()
    await (await cache.fetch('/page')).text()
  }
  await cache.settled()
  expect.soft((await cache.explain('/film')).candidates.length).toBeGreaterThan(0)
  expect(origin.requests.filter(({ path }) => path === '/page')).toHaveLength(1)
})
