import { describe, expect, test } from 'vitest'
import { type RetryLimits, retryDelay, withRetry } from '../../src/resilience/retry.ts'
import { scriptedOrigin, seededRandom, virtualClock } from '../../src/testing/index.ts'

const url = 'https://origin.test/a'

function world(limits: RetryLimits = {}, isIll = () => false) {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  const fetch = withRetry(origin.fetch, { clock, random: seededRandom(1), isIll }, limits)
  /** What comes of it, all waits over. */
  const outcome = async (input: RequestInfo | URL = url, init?: RequestInit): Promise<number | string> => {
    const asking = fetch(input, init).then(
      ({ status }) => status,
      (error: Error) => error.name,
    )
    await clock.advance(60_000)
    return asking
  }
  return { clock, origin, fetch, outcome }
}

describe('what is tried again', () => {
  test.each([
    ['no connection', 'network'],
    ['502', 502],
    ['503', 503],
    ['504', 504],
    ['429 that says when', () => ({ status: 429, headers: { 'retry-after': '1' } })],
  ] as const)('%s', async (_, failure) => {
    const { origin, outcome } = world()
    origin.serves('/a', { body: 'well' })
    origin.fails('/a', failure, 2)
    expect(await outcome()).toBe(200)
    expect(origin.requests).toHaveLength(3)
  })

  test.each([200, 204, 301, 400, 401, 404, 410, 429, 500, 501])('not %i: it is an answer', async (status) => {
    const { origin, outcome } = world()
    origin.serves('/a', { status })
    expect(await outcome(url, { redirect: 'manual' })).not.toBe('TypeError')
    expect(origin.requests).toHaveLength(1)
  })

  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
    '%s, which may be made twice (RFC 9110 §9.2.2)',
    async (method) => {
      const { origin, outcome } = world()
      origin.serves('/a', { status: 503 })
      expect(await outcome(url, { method })).toBe(503)
      expect(origin.requests).toHaveLength(3)
    },
  )

  test.each(['POST', 'PATCH'])('not %s, which may not', async (method) => {
    const { origin, outcome } = world()
    origin.serves('/a', { status: 503 })
    expect(await outcome(url, { method })).toBe(503)
    expect(origin.requests).toHaveLength(1)
  })

  test('not a body that is a stream, nor a Request with one; a text is sent again, whole', async () => {
    const { origin, outcome } = world()
    origin.serves('/a', { status: 503 })
    const stream = new ReadableStream({ start: (controller) => controller.close() })
    await outcome(url, { method: 'PUT', body: stream, duplex: 'half' } as RequestInit)
    await outcome(new Request(url, { method: 'PUT', body: 'once' }))
    expect(origin.requests).toHaveLength(2)
    await outcome(url, { method: 'PUT', body: 'again' })
    expect(origin.requests.slice(2).map(({ body }) => body)).toEqual(['again', 'again', 'again'])
  })

  test('not what nobody waits for, and not at an origin that is ill', async () => {
    const behind = world()
    behind.origin.serves('/a', { status: 503 })
    await behind.outcome(url, { priority: 'low' })
    expect(behind.origin.requests).toHaveLength(1)
    const ill = world({}, () => true)
    ill.origin.serves('/a', { status: 503 })
    await ill.outcome()
    expect(ill.origin.requests).toHaveLength(1)
  })

  test('never after the caller has aborted, be it while the origin is asked or between', async () => {
    for (const after of [0, 1]) {
      const { clock, origin, fetch } = world({ baseMs: 10_000, maxMs: 10_000 })
      origin.serves('/a', after === 0 ? { fault: 'hang' } : { status: 503 })
      const controller = new AbortController()
      const asking = fetch(url, { signal: controller.signal }).catch((error: Error) => error.name)
      await clock.advance(after)
      controller.abort()
      expect(await asking).toBe('AbortError')
      await clock.advance(60_000)
      expect(origin.requests).toHaveLength(1)
      expect(clock.sleeping).toBe(0)
    }
  })
})

describe('when', () => {
  const limits = { attempts: 6, baseMs: 300, maxMs: 2_000 }

  test('after any part of a time that doubles up to the longest wait ("full jitter")', () => {
    expect([1, 2, 3, 4, 5].map((attempt) => retryDelay(attempt, undefined, 1, limits))).toEqual([
      300, 600, 1_200, 2_000, 2_000,
    ])
    expect(retryDelay(3, undefined, 0, limits)).toBe(0)
    expect(retryDelay(6, undefined, 1, limits)).toBeUndefined()
  })

  test('not before the origin wants it, and not at all where that is too long (Retry-After, RFC 9110 §10.2.3)', () => {
    expect(retryDelay(1, 1_500, 0, limits)).toBe(1_500)
    // Nor do all who were told one moment come in that moment.
    expect(retryDelay(1, 1_500, 0.5, limits)).toBe(1_650)
    expect(retryDelay(1, 0, 0.5, limits)).toBe(150)
    expect(retryDelay(1, 2_001, 0.5, limits)).toBeUndefined()
  })

  test('as a date, too', async () => {
    const { clock, origin, fetch } = world()
    const at = new Date(clock.now() + 4_000).toUTCString()
    origin.serves('/a', { body: 'well' })
    origin.fails('/a', () => ({ status: 503, headers: { 'retry-after': at } }), 1)
    const asking = fetch(url)
    await clock.advance(3_999)
    expect(origin.requests).toHaveLength(1)
    await clock.advance(301)
    expect((await asking).status).toBe(200)
  })

  test.each([
    ['0', 3],
    ['-3', 3],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 3],
    ['6', 1],
    ['9'.repeat(400), 1],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 1],
  ])('Retry-After: %s: %i requests in all (RFC 9110 §10.2.3)', async (value, requests) => {
    const { origin, outcome } = world()
    origin.serves('/a', { status: 503, headers: { 'retry-after': value } })
    expect(await outcome()).toBe(503)
    expect(origin.requests).toHaveLength(requests)
  })
})

test('a relative URL, as it comes from a cache that was closed, is tried again like any other', async () => {
  const { origin, outcome } = world()
  origin.serves('/a', { body: 'well' })
  origin.fails('/a', 'network', 1)
  expect(await outcome('/a')).toBe(200)
})

test('tabs have a budget each: ten of them cost an outage a tenth more requests, and what each had in hand', async () => {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  origin.serves('/a', { fault: 'network' })
  const tabs = Array.from({ length: 10 }, (_, seed) =>
    withRetry(origin.fetch, { clock, random: seededRandom(seed), isIll: () => false }),
  )
  for (let count = 0; count < 100; count++) {
    for (const fetch of tabs) fetch(url).catch(() => {})
    await clock.advance(100)
  }
  await clock.advance(60_000)
  expect(origin.requests.length).toBeGreaterThan(1_000 + 100)
  expect(origin.requests.length).toBeLessThanOrEqual(1_000 + 100 + 10 * 3)
})

test('what succeeds pays in for what fails, up to ten retries in hand', async () => {
  const { origin, outcome, clock, fetch } = world()
  origin.serves('/a', { body: 'well' })
  for (let count = 0; count < 1_000; count++) await fetch(url)
  origin.serves('/a', { status: 503 })
  const before = origin.requests.length
  for (let count = 0; count < 20; count++) fetch(url)
  await clock.advance(60_000)
  // Ten in hand, and two that the twenty have paid in.
  expect(origin.requests.length - before).toBeGreaterThanOrEqual(20 + 10)
  expect(origin.requests.length - before).toBeLessThanOrEqual(20 + 12)
  expect(await outcome()).toBe(503)
})

test('retries never multiply an outage: three hundred requests cost a tenth more, and the three that are in hand', async () => {
  const { origin, outcome, clock, fetch } = world()
  origin.serves('/a', { fault: 'network' })
  origin.serves('https://other.test/a', { status: 503 })
  for (let count = 0; count < 300; count++) {
    fetch(url).catch(() => {})
    await clock.advance(20)
  }
  await clock.advance(60_000)
  expect(origin.requests.length).toBeGreaterThan(320)
  expect(origin.requests.length).toBeLessThanOrEqual(300 + 30 + 3)
  // Another origin has a budget of its own.
  const before = origin.requests.length
  await outcome('https://other.test/a')
  expect(origin.requests.length - before).toBe(3)
})
