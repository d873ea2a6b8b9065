import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { harness } from './harness.ts'

const minute = 60_000

interface Cart {
  readonly count: number
}
const more = (by: number) => (cart: Cart) => ({ count: cart.count + by })

async function withCart() {
  const all = harness()
  all.origin.serves('/cart', { cacheControl: 'max-age=60', etag: '"v1"', json: { count: 1 } })
  await all.cache.json('/cart')
  return all
}

test('update() changes what json() and peek() give, and asks nobody', async () => {
  const { cache, origin } = await withCart()
  cache.update('/cart', more(1))
  expect(cache.peek<Cart>('/cart')?.data).toEqual({ count: 2 })
  const data = await cache.json('/cart')
  expect(data).toEqual({ count: 2 })
  expect(cache.peek('/cart')?.data).toBe(data)
  expect(await cache.json('/cart')).toBe(data)
  expect(origin.requests).toHaveLength(1)
})

test('update() leaves fetch() alone: its body is what the origin sent', async () => {
  const { cache } = await withCart()
  cache.update('/cart', more(1))
  expect(await (await cache.fetch('/cart')).json()).toEqual({ count: 1 })
})

test('the object of peek() is another one after update() and after rollback()', async () => {
  const { cache } = await withCart()
  const before = cache.peek('/cart')
  const change = cache.update('/cart', more(1))
  const during = cache.peek('/cart')
  expect(during).not.toBe(before)
  expect(cache.peek('/cart')).toBe(during)
  change.rollback()
  expect(cache.peek('/cart')).toBe(before)
})

test('changes add up, in the order in which they were made', async () => {
  const { cache } = await withCart()
  cache.update('/cart', more(1))
  cache.update<Cart>('/cart', (cart) => ({ count: cart.count * 10 }))
  expect(cache.peek('/cart')?.data).toEqual({ count: 20 })
})

test.each([
  { order: [0, 1, 2], after: [{ count: 301 }, { count: 201 }] },
  { order: [2, 1, 0], after: [{ count: 30 }, { count: 10 }] },
  { order: [1, 0, 2], after: [{ count: 210 }, { count: 201 }] },
])('changes are rolled back in any order: $order', async ({ order, after }) => {
  const { cache } = await withCart()
  const changes = [
    cache.update<Cart>('/cart', (cart) => ({ count: cart.count * 10 })),
    cache.update<Cart>('/cart', (cart) => ({ count: cart.count + (cart.count === 1 ? 100 : 20) })),
    cache.update('/cart', more(200)),
  ]
  const seen = order.map((index) => {
    changes[index]?.rollback()
    return cache.peek('/cart')?.data
  })
  expect(seen.at(-1)).toEqual({ count: 1 })
  expect(seen.slice(0, 2)).toEqual(after)
})

test('the same function given twice counts twice, and one rollback takes back one of them', async () => {
  const { cache } = await withCart()
  const twice = more(1)
  const first = cache.update('/cart', twice)
  cache.update('/cart', twice)
  first.rollback()
  first.rollback()
  expect(cache.peek('/cart')?.data).toEqual({ count: 2 })
})

test('an update ends with the next stored response', async () => {
  const { cache, origin } = await withCart()
  const change = cache.update('/cart', more(1))
  origin.serves('/cart', { cacheControl: 'max-age=60', etag: '"v2"', json: { count: 7 } })
  expect(await cache.json('/cart', { cache: 'no-cache' })).toEqual({ count: 7 })
  change.rollback()
  expect(cache.peek('/cart')?.data).toEqual({ count: 7 })
})

test('an update ends with the next confirmed response (RFC 9111 §4.3.4)', async () => {
  const { cache, clock } = await withCart()
  cache.update('/cart', more(1))
  await clock.advance(minute)
  expect(await cache.json('/cart')).toEqual({ count: 1 })
  expect(cache.peek('/cart')?.data).toEqual({ count: 1 })
})

test('an update outlives an answer that failed', async () => {
  const { cache, origin, clock } = await withCart()
  cache.update('/cart', more(1))
  await clock.advance(minute)
  origin.serves('/cart', { status: 503 })
  await expect(cache.json('/cart')).rejects.toThrow('503')
  expect(cache.peek('/cart')?.data).toEqual({ count: 2 })
})

test('an update of one URL leaves the others alone', async () => {
  const { cache, origin } = await withCart()
  origin.serves('/wishlist', { cacheControl: 'max-age=60', json: { count: 5 } })
  await cache.json('/wishlist')
  cache.update('/cart', more(1))
  expect(cache.peek('/wishlist')?.data).toEqual({ count: 5 })
})

test('update() does nothing where memory has no data, nor does its rollback', async () => {
  const { cache, origin, events } = harness()
  const change = cache.update('/cart', more(1))
  change.rollback()
  expect(cache.peek('/cart')).toBeUndefined()
  expect(events).toEqual([])
  origin.serves('/cart', { cacheControl: 'max-age=60', json: { count: 1 } })
  expect(await cache.json('/cart')).toEqual({ count: 1 })
})

test('update() does nothing where what is stored is not JSON, or an error', async () => {
  const { cache, origin } = harness()
  origin.serves('/page', { cacheControl: 'max-age=60', body: '<p>' })
  origin.serves('/gone', { status: 404, cacheControl: 'max-age=60', json: { count: 1 } })
  for (const path of ['/page', '/gone']) {
    await (await cache.fetch(path)).text()
    await cache.settled()
    cache.update(path, more(1)).rollback()
    cache.update(path, more(1))
    expect(cache.peek(path)).toBeUndefined()
  }
})

test('a change that throws changes nothing', async () => {
  const { cache } = await withCart()
  expect(() =>
    cache.update('/cart', () => {
      throw new RangeError('sold out')
    }),
  ).toThrow(RangeError)
  expect(cache.peek('/cart')?.data).toEqual({ count: 1 })
  cache.update('/cart', more(1))
  expect(cache.peek('/cart')?.data).toEqual({ count: 2 })
})

test('a hard purge ends an update: what it covers is never shown', async () => {
  const { cache } = await withCart()
  cache.update('/cart', more(1))
  await cache.purge({ url: '/cart' }, { mode: 'hard' })
  expect(cache.peek('/cart')).toBeUndefined()
  expect(await cache.json('/cart')).toEqual({ count: 1 })
})

test('under development a value that update() gave is frozen', async () => {
  const { cache } = await withCart()
  cache.update('/cart', more(1))
  expect(Object.isFrozen(cache.peek('/cart')?.data)).toBe(true)
})

test('update() and an effective rollback() are told', async () => {
  const { cache, events } = await withCart()
  events.length = 0
  const change = cache.update('/cart', more(1))
  change.rollback()
  change.rollback()
  expect(events.map(({ type }) => type)).toEqual(['updated', 'updated'])
})

test('a schema has a say in what is in front, too: its output is given, and what does not fit is refused', async () => {
  const { cache, origin } = harness()
  origin.serves('/at', { cacheControl: 'max-age=60', json: { at: '2026-01-02' } })
  const schema = z.object({
    at: z.pipe(
      z.string(),
      z.transform((text) => new Date(text)),
    ),
  })
  await cache.json('/at', { schema })
  await cache.settled()
  cache.update('/at', () => ({ at: '2027-01-02' }))
  expect(await cache.json('/at', { schema })).toEqual({ at: new Date('2027-01-02') })
  const change = cache.update('/at', () => ({ at: 2028 }))
  await expect(cache.json('/at', { schema })).rejects.toMatchObject({ code: 'schema' })
  change.rollback()
  expect(await cache.json('/at', { schema })).toEqual({ at: new Date('2027-01-02') })
})
