import { describe, expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** A cache that has `/price` as `good`, stale for half a minute. */
async function withStale(cacheControl: string, more: ScriptedResponse = {}) {
  const world = harness({ earlyExpiry: false, deadlines: { hardMs: 10_000, softMs: 60_000 } })
  world.origin.serves('/price', { cacheControl, body: 'good', ...more })
  await text(world.cache.fetch('/price'))
  await world.cache.settled()
  await world.clock.advance(90_000)
  return world
}

const failures: ReadonlyArray<readonly [string, ScriptedResponse]> = [
  ['500', { status: 500, body: 'ill' }],
  ['502', { status: 502, body: 'ill' }],
  ['503', { status: 503, body: 'ill', headers: { 'retry-after': '120' } }],
  ['504', { status: 504, body: 'ill' }],
  ['500 that asks to be stored', { status: 500, body: 'ill', cacheControl: 'max-age=600' }],
  ['no connection', { fault: 'network' }],
  ['no answer before the hard deadline', { fault: 'hang' }],
]

/** Reads once, and lets the hard deadline pass for those that hang. */
async function read(world: Awaited<ReturnType<typeof withStale>>, init?: RequestInit): Promise<string> {
  const reading = text(world.cache.fetch('/price', init)).catch((error: Error) => error.name)
  await world.clock.advance(10_000)
  return reading
}

describe.each(failures)('the origin fails: %s (RFC 5861 §4)', (name, failure) => {
  const passedOn = failure.fault === 'network' ? 'TypeError' : failure.fault === 'hang' ? 'TimeoutError' : 'ill'

  test('the stale response is served within its window, and stays', async () => {
    const world = await withStale('max-age=60, stale-if-error=600', { etag: '"1"' })
    world.origin.serves('/price', failure)
    expect(await read(world)).toBe('good')
    expect(await read(world)).toBe('good')
    expect(causes(world.events).slice(1)).toEqual(['stale-if-error', 'stale-if-error'])
    await world.clock.advance(550_001)
    expect(await read(world)).toBe(passedOn)
    await world.cache.settled()
    expect(world.clock.sleeping).toBe(0)
    world.origin.serves('/price', { etag: '"1"', cacheControl: 'max-age=60', body: 'not sent' })
    expect(await read(world)).toBe('good')
    expect(world.origin.requests.at(-1)?.ifNoneMatch).toBe('"1"')
  })

  test.each([
    'max-age=60, stale-if-error=600, must-revalidate',
    'max-age=60, stale-if-error=600, no-cache',
    'max-age=60, stale-while-revalidate=10',
    'max-age=60',
  ])('%s: the failure is passed on (RFC 9111 §4.2.4)', async (cacheControl) => {
    const world = await withStale(cacheControl)
    world.origin.serves('/price', failure)
    expect(await read(world)).toBe(passedOn)
    expect(causes(world.events)).not.toContain('stale-if-error')
    await world.cache.settled()
  })

  test('no-cache and max-age of the request are kept, failure or not (RFC 9111 §5.2.1)', async () => {
    const world = await withStale('max-age=60, stale-if-error=600')
    world.origin.serves('/price', failure)
    expect(await read(world, { headers: { 'cache-control': 'no-cache' } })).toBe(passedOn)
    expect(await read(world, { cache: 'no-cache' })).toBe(passedOn)
    expect(await read(world, { cache: 'reload' })).toBe(passedOn)
    expect(await read(world, { headers: { 'cache-control': 'max-age=10' } })).toBe(passedOn)
    expect(await read(world, { headers: { 'cache-control': 'max-age=600' } })).toBe('good')
  })

  test('stale-if-error of the request is a permission of its own', async () => {
    const world = await withStale('max-age=60')
    world.origin.serves('/price', failure)
    expect(await read(world, { headers: { 'cache-control': 'stale-if-error=600' } })).toBe('good')
    expect(await read(world, { headers: { 'cache-control': 'stale-if-error=5' } })).toBe(passedOn)
  })

  test(`nothing stored: ${name} is what the caller gets`, async () => {
    const world = await withStale('no-store')
    world.origin.serves('/price', failure)
    expect(await read(world)).toBe(passedOn)
  })
})

test.each([501, 505, 429, 404, 403, 400, 410])(
  '%i is an answer, not a failure: it is passed on and the good copy stays (RFC 5861 §4)',
  async (status) => {
    const world = await withStale('max-age=60, stale-if-error=600', { etag: '"1"' })
    world.origin.serves('/price', { status, body: 'an answer' })
    const response = await world.cache.fetch('/price')
    expect(response.status).toBe(status)
    expect(await response.text()).toBe('an answer')
    await world.cache.settled()
    world.origin.serves('/price', { fault: 'network' })
    expect(await text(world.cache.fetch('/price'))).toBe('good')
  },
)

test.each([500, 501, 502, 503, 504, 505])(
  '%i never takes the place of a good response, though it says max-age (RFC 9111 §4.2.4)',
  async (status) => {
    const world = await withStale('max-age=60, stale-if-error=600')
    world.origin.serves('/price', { status, cacheControl: 'max-age=600', body: 'ill' })
    await text(world.cache.fetch('/price'))
    await world.cache.settled()
    world.origin.serves('/price', { fault: 'network' })
    expect(await text(world.cache.fetch('/price'))).toBe('good')
  },
)

test('a body that breaks off fails its readers, and the good copy is served next time (RFC 9111 §3.3)', async () => {
  const world = await withStale('max-age=60, stale-if-error=600')
  world.origin.serves('/price', { fault: 'reset', cacheControl: 'max-age=600', body: 'half of it' })
  await expect(text(world.cache.fetch('/price'))).rejects.toThrow(TypeError)
  await world.cache.settled()
  world.origin.serves('/price', { status: 503 })
  expect(await text(world.cache.fetch('/price'))).toBe('good')
})

test('a rule may grant a window where the response says nothing, but not against a prohibition', async () => {
  for (const [cacheControl, expected] of [
    ['max-age=60', 'good'],
    ['max-age=60, stale-if-error=1', 'TypeError'],
    ['max-age=60, must-revalidate', 'TypeError'],
  ] as const) {
    const { cache, origin, clock } = harness({ rules: [{ match: '/*', staleIfErrorMs: 600_000 }] })
    origin.serves('/price', { cacheControl, body: 'good' })
    await text(cache.fetch('/price'))
    await clock.advance(90_000)
    origin.serves('/price', { fault: 'network' })
    expect(await text(cache.fetch('/price')).catch((error: Error) => error.name)).toBe(expected)
  }
})

test('what was purged hard is not served on an error, what was purged softly is', async () => {
  for (const [mode, expected] of [
    ['soft', 'good'],
    ['hard', 'TypeError'],
  ] as const) {
    const world = await withStale('max-age=600, stale-if-error=600')
    await world.cache.purge({ url: '/price' }, { mode })
    world.origin.serves('/price', { fault: 'network' })
    expect(await read(world)).toBe(expected)
  }
})

test('what an unsafe method has invalidated is not served on an error (RFC 9111 §4.4)', async () => {
  const world = await withStale('max-age=600, stale-if-error=600')
  world.origin.serves('/price', ({ method }) => (method === 'POST' ? { status: 204 } : { fault: 'network' }))
  await world.cache.fetch('/price', { method: 'POST' })
  expect(await read(world)).toBe('TypeError')
})

test('a hundred readers during a failure cost one request, and all get the stale response', async () => {
  const world = await withStale('max-age=60, stale-if-error=600')
  world.origin.serves('/price', { status: 503 })
  const hold = world.origin.hold('/price')
  const reading = Promise.all(Array.from({ length: 100 }, () => text(world.cache.fetch('/price'))))
  await world.clock.settle()
  hold.release()
  expect(await reading).toEqual(Array(100).fill('good'))
  expect(world.origin.requests).toHaveLength(2)
})

test('a stale answer to a failure says so: Age, Cache-Status, and an event (RFC 9111 §5.1, RFC 9211)', async () => {
  const world = await withStale('max-age=60, stale-if-error=600')
  world.origin.serves('/price', { status: 503 })
  const response = await world.cache.fetch('/price')
  expect(response.status).toBe(200)
  expect(response.headers.get('age')).toBe('90')
  expect(response.headers.get('cache-status')).toMatch(
    /^nearcache; fwd=stale; fwd-status=503; .*detail=stale-if-error$/,
  )
  expect(world.events).toContainEqual(expect.objectContaining({ type: 'failed', url: 'https://origin.test/price' }))
})

test('a huge error body that nobody wants is let go', async () => {
  const { cache, origin, clock } = harness({ memory: { maxEntryBytes: 1_000 } })
  origin.serves('/price', { cacheControl: 'max-age=60, stale-if-error=600', body: 'good' })
  await text(cache.fetch('/price'))
  await clock.advance(90_000)
  origin.serves('/price', { status: 503, body: 'x'.repeat(10_000) })
  expect(await text(cache.fetch('/price'))).toBe('good')
  await clock.settle()
  expect(origin.requests.at(-1)?.aborted).toBe(true)
})
