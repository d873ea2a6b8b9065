import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { CacheError } from '../../src/index.development.ts'
import { createCache } from '../../src/index.ts'
import { causes, harness } from './harness.ts'

const minute = 60_000

/** What a promise is rejected with, which must be a `CacheError`. */
async function cacheErrorOf(work: Promise<unknown>): Promise<CacheError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof CacheError) return error
  throw new Error('The promise was not rejected with a CacheError', { cause: error })
}

test('json() gives the same reference for as long as the response is reused (RFC 9111 §4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  const first = await cache.json('/product')
  expect(first).toEqual({ id: 42 })
  expect(await cache.json('/product')).toBe(first)
  expect(origin.requests).toHaveLength(1)
})

test('json() keeps the reference over a 304 (RFC 9111 §4.3.4)', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', etag: '"v1"', json: { id: 42 } })
  const first = await cache.json('/product')
  await clock.advance(minute)
  expect(await cache.json('/product')).toBe(first)
  expect(await cache.json('/product')).toBe(first)
  expect(causes(events)).toEqual(['miss', 'validated', 'fresh'])
})

test('json() keeps the reference over a 200 with identical bytes', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  const first = await cache.json('/product')
  await clock.advance(minute)
  expect(await cache.json('/product')).toBe(first)
  expect(causes(events)).toEqual(['miss', 'expired'])
})

test('json() gives another reference when the bytes are others', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/product', (request) => ({ cacheControl: 'max-age=60', json: { price: request.seq } }))
  const first = await cache.json('/product')
  await clock.advance(minute)
  expect(first).toEqual({ price: 1 })
  expect(await cache.json('/product')).toEqual({ price: 2 })
})

test('those who asked at the same moment get one reference', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  const [one, ...others] = await Promise.all(Array.from({ length: 10 }, () => cache.json('/product')))
  for (const other of others) expect(other).toBe(one)
  expect(origin.requests).toHaveLength(1)
})

test('under development the data is frozen, all the way down', async () => {
  const { cache, origin } = harness()
  origin.serves('/cart', { cacheControl: 'max-age=60', json: { lines: [{ id: 1 }] } })
  const cart = await cache.json<{ lines: Array<{ id: number }> }>('/cart')
  expect(() => cart.lines.push({ id: 2 })).toThrow(TypeError)
  expect(() => Object.assign(cart.lines[0] as object, { id: 2 })).toThrow(TypeError)
})

test('in production the data is not frozen', async () => {
  const { origin, clock } = harness()
  const cache = createCache({ store: 'memory', fetch: origin.fetch, clock, base: origin.url })
  origin.serves('/cart', { cacheControl: 'max-age=60', json: { lines: [] } })
  expect(Object.isFrozen(await cache.json('/cart'))).toBe(false)
})

test('what a reader of fetch() does to its own body changes nothing for json() (law 8)', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  for (let turn = 0; turn < 2; turn++) new Uint8Array(await (await cache.fetch('/product')).arrayBuffer()).fill(0)
  expect(await cache.json('/product')).toEqual({ id: 42 })
})

test('zod 4 is a schema: the result is its output, made once for one body', async () => {
  const { cache, origin } = harness()
  origin.serves('/order', { cacheControl: 'max-age=60', json: { at: '2026-01-01' } })
  let transformed = 0
  const schema = z.object({
    at: z.string().transform((text) => {
      transformed++
      return new Date(text)
    }),
  })
  const order = await cache.json('/order', { schema })
  expect(order.at.getUTCFullYear()).toBe(2026)
  expect(await cache.json('/order', { schema })).toBe(order)
  expect(transformed).toBe(1)
  expect(await cache.json('/order')).toEqual({ at: '2026-01-01' })
})

test('any Standard Schema is one, an asynchronous one too', async () => {
  const { cache, origin } = harness()
  origin.serves('/number', { cacheControl: 'max-age=60', json: 20 })
  const doubled: StandardSchemaV1<unknown, number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => (typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: 'no' }] }),
    },
  }
  expect(await cache.json('/number', { schema: doubled })).toBe(40)
})

test('two schemas for one body do not meet', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42, name: 'Kettle' } })
  expect(await cache.json('/product', { schema: z.object({ id: z.number() }) })).toEqual({ id: 42 })
  expect(await cache.json('/product', { schema: z.object({ name: z.string() }) })).toEqual({ name: 'Kettle' })
})

test.each([400, 404, 410, 500, 503])(
  'a %i is a CacheError with code status that carries the response',
  async (status) => {
    const { cache, origin } = harness()
    origin.serves('/gone', { status, json: { reason: 'none' } })
    const error = await cacheErrorOf(cache.json('/gone'))
    expect(error.code).toBe('status')
    expect(error.response?.status).toBe(status)
    expect(await error.response?.json()).toEqual({ reason: 'none' })
  },
)

test('a stored 404 stays a CacheError with code status', async () => {
  const { cache, origin } = harness()
  origin.serves('/gone', { status: 404, cacheControl: 'max-age=60', json: { reason: 'none' } })
  for (let turn = 0; turn < 2; turn++) {
    const error = await cacheErrorOf(cache.json('/gone'))
    expect(error.code).toBe('status')
    expect(await error.response?.json()).toEqual({ reason: 'none' })
  }
  expect(origin.requests).toHaveLength(1)
})

test('a body that is not JSON is a CacheError with code parse, carrying status and fields', async () => {
  const { cache, origin } = harness()
  origin.serves('/page', {
    cacheControl: 'max-age=60',
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html>',
  })
  const error = await cacheErrorOf(cache.json('/page'))
  expect(error.code).toBe('parse')
  expect(error.response?.status).toBe(200)
  expect(error.response?.headers.get('content-type')).toBe('text/html')
  expect(error.cause).toBeInstanceOf(SyntaxError)
})

test('a body that does not fit is a CacheError with code schema, with the issues', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 'forty-two' } })
  const error = await cacheErrorOf(cache.json('/product', { schema: z.object({ id: z.number() }) }))
  expect(error.code).toBe('schema')
  expect(error.issues).toMatchObject([{ path: ['id'] }])
})

test('a schema that throws rejects with what it throws', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: {} })
  const schema: StandardSchemaV1<unknown, never> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate() {
        throw new RangeError('out of order')
      },
    },
  }
  await expect(cache.json('/product', { schema })).rejects.toThrow(RangeError)
})

const broken = {
  'does not parse': { body: '{"id":', headers: { 'content-type': 'application/json' } },
  'parses, but not as JSON says it is': { body: '<p>busy</p>', headers: { 'content-type': 'text/html' } },
  'does not fit the schema': { json: { id: 'none' } },
}

for (const [what, response] of Object.entries(broken)) {
  const schema = z.object({ id: z.number() })

  test(`a body that ${what} gives the last good one within stale-if-error (RFC 5861 §4)`, async () => {
    const { cache, origin, clock, events } = harness()
    origin.serves('/product', { cacheControl: 'max-age=60, stale-if-error=600', json: { id: 42 } })
    const good = await cache.json('/product', { schema })
    await clock.advance(minute)
    origin.serves('/product', { cacheControl: 'max-age=60, stale-if-error=600', ...response })
    expect(await cache.json('/product', { schema })).toBe(good)
    expect(causes(events)).toEqual(['miss', 'stale-if-error'])
  })

  test(`a body that ${what} is not stored over a good one`, async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
    const good = await cache.json('/product', { schema })
    await clock.advance(minute)
    origin.serves('/product', { cacheControl: 'max-age=60', ...response })
    await cacheErrorOf(cache.json('/product', { schema }))
    await cache.settled()
    expect(cache.peek('/product')?.data).toEqual(good)
  })

  test.each([
    'max-age=60',
    'max-age=60, stale-if-error=600, must-revalidate',
    'no-cache, stale-if-error=600',
    'max-age=60, stale-if-error=30',
  ])(`a body that ${what} rejects where %s allows nothing stale (RFC 9111 §4.2.4)`, async (cacheControl) => {
    const { cache, origin, clock } = harness()
    origin.serves('/product', { cacheControl, etag: '"v1"', json: { id: 42 } })
    await cache.json('/product', { schema })
    await clock.advance(2 * minute)
    origin.serves('/product', { cacheControl, etag: '"v2"', ...response })
    expect((await cacheErrorOf(cache.json('/product', { schema }))).code).toMatch(/parse|schema/)
  })
}

test('a stored error is not a good copy', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/product', { status: 404, cacheControl: 'max-age=60, stale-if-error=600', json: { reason: 'none' } })
  await cacheErrorOf(cache.json('/product'))
  await clock.advance(minute)
  origin.serves('/product', { cacheControl: 'max-age=60', body: '<p>' })
  expect((await cacheErrorOf(cache.json('/product'))).code).toBe('parse')
})

test('a 204 is undefined', async () => {
  const { cache, origin } = harness()
  origin.serves('/nothing', { status: 204, cacheControl: 'max-age=60' })
  expect(await cache.json('/nothing')).toBeUndefined()
  expect(await cache.json('/nothing')).toBeUndefined()
})

test('an empty body is undefined, with a schema too', async () => {
  const { cache, origin } = harness()
  origin.serves('/nothing', { body: '', cacheControl: 'max-age=60' })
  expect(await cache.json('/nothing')).toBeUndefined()
  expect(await cache.json('/nothing', { schema: z.object({}) })).toBeUndefined()
})

test('what must not be stored is parsed all the same (RFC 9111 §5.2.2.5)', async () => {
  const { cache, origin } = harness()
  origin.serves('/secret', { cacheControl: 'no-store', json: { id: 7 } })
  expect(await cache.json('/secret')).toEqual({ id: 7 })
  expect(await cache.json('/secret')).toEqual({ id: 7 })
  expect(origin.requests).toHaveLength(2)
})

test('the answer to another method is parsed', async () => {
  const { cache, origin } = harness()
  origin.serves('/orders', { status: 201, json: { id: 7 } })
  expect(await cache.json('/orders', { method: 'POST', body: '{}' })).toEqual({ id: 7 })
})

test('an abort rejects with its reason, whatever good copy there is', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60, stale-if-error=600', json: { id: 42 } })
  await cache.json('/product')
  await clock.advance(minute)
  const controller = new AbortController()
  const hold = origin.hold('/product', 'body')
  const work = cache.json('/product', { signal: controller.signal })
  await clock.settle()
  controller.abort(new Error('left the page'))
  await expect(work).rejects.toThrow('left the page')
  hold.release()
})

test('a body that fails in the middle gives the last good one within stale-if-error (RFC 5861 §4)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60, stale-if-error=600', json: { id: 42 } })
  const good = await cache.json('/product')
  await clock.advance(minute)
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 43 }, fault: 'reset' })
  expect(await cache.json('/product')).toBe(good)
})
