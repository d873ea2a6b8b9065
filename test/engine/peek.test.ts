import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const minute = 60_000

test('peek() is undefined where memory has nothing, and asks nobody', () => {
  const { cache, origin } = harness()
  expect(cache.peek('/product')).toBeUndefined()
  expect(origin.requests).toEqual([])
})

test('peek() gives the data that json() gives, at once', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  const data = await cache.json('/product')
  expect(cache.peek('/product')).toMatchObject({ stale: false, ageMs: 0, cause: 'fresh' })
  expect(cache.peek('/product')?.data).toBe(data)
})

test('the object stays the same while nothing but time changes; its ageMs is live (RFC 9111 §4.2.3)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', headers: { age: '10' }, json: { id: 42 } })
  await cache.fetch('/product')
  await cache.settled()
  const first = cache.peek('/product')
  expect(first?.ageMs).toBe(10_000)
  await clock.advance(20_000)
  expect(cache.peek('/product')).toBe(first)
  expect(first?.ageMs).toBe(30_000)
})

test('when it becomes stale the object is another one, which says so; the data is the same (RFC 9111 §4.2)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60, stale-while-revalidate=60', json: { id: 42 } })
  const data = await cache.json('/product')
  const fresh = cache.peek('/product')
  await clock.advance(minute)
  const stale = cache.peek('/product')
  expect(stale).not.toBe(fresh)
  expect(stale).toMatchObject({ stale: true, ageMs: minute, cause: 'stale-while-revalidate' })
  expect(stale?.data).toBe(data)
  await clock.advance(minute + 1)
  expect(cache.peek('/product')).toMatchObject({ stale: true, cause: 'expired' })
  expect(origin.requests).toHaveLength(1)
})

test('what must be validated before use is shown as stale (RFC 9111 §5.2.2.4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'no-cache', etag: '"v1"', json: { id: 42 } })
  await cache.json('/product')
  expect(cache.peek('/product')).toMatchObject({ data: { id: 42 }, stale: true, cause: 'no-cache' })
})

test('a 304 keeps the data and makes it fresh again (RFC 9111 §4.3.4)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', etag: '"v1"', json: { id: 42 } })
  const data = await cache.json('/product')
  await clock.advance(minute)
  expect(cache.peek('/product')?.stale).toBe(true)
  await cache.fetch('/product')
  const after = cache.peek('/product')
  expect(after).toMatchObject({ stale: false, ageMs: 0, cause: 'fresh' })
  expect(after?.data).toBe(data)
})

test('what a soft purge covers is shown as stale, what a hard one covers never', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  await cache.json('/product')
  await cache.purge({ url: '/product' })
  expect(cache.peek('/product')).toMatchObject({ stale: true, cause: 'purged' })
  await cache.purge({ url: '/product' }, { mode: 'hard' })
  expect(cache.peek('/product')).toBeUndefined()
})

test('a hard purge holds for peek() from the call on, before it is resolved', async () => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  await cache.json('/product')
  const purged = cache.purge({ all: true }, { mode: 'hard' })
  expect(cache.peek('/product')).toBeUndefined()
  await purged
})

test('what an unsafe method has invalidated is shown as stale (RFC 9111 §4.4)', async () => {
  const { cache, origin } = harness()
  origin.serves('/cart', { cacheControl: 'max-age=60', json: { count: 1 } })
  await cache.json('/cart')
  await cache.fetch('/cart', { method: 'POST' })
  expect(cache.peek('/cart')).toMatchObject({ stale: true, cause: 'invalidated' })
})

test.each([
  ['is not JSON', { body: '<p>' }],
  ['is empty', { body: '' }],
  ['belongs to an error', { status: 404, json: { reason: 'none' } }],
])('peek() is undefined where the stored body %s', async (_, response) => {
  const { cache, origin } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', ...response })
  await (await cache.fetch('/product')).text()
  await cache.settled()
  expect((await cache.explain('/product')).candidates).toHaveLength(1)
  expect(cache.peek('/product')).toBeUndefined()
})

test('peek() selects by the nominated fields (RFC 9111 §4.1)', async () => {
  const { cache, origin } = harness()
  origin.serves('/greeting', ({ headers }) => ({
    cacheControl: 'max-age=60',
    vary: 'Accept-Language',
    json: headers['accept-language'],
  }))
  for (const language of ['de', 'en']) await cache.json('/greeting', { headers: { 'accept-language': language } })
  expect(cache.peek('/greeting', { headers: { 'Accept-Language': 'de' } })?.data).toBe('de')
  expect(cache.peek('/greeting', { headers: { 'Accept-Language': 'en' } })?.data).toBe('en')
  expect(cache.peek('/greeting', { headers: { 'Accept-Language': 'fr' } })).toBeUndefined()
})

test('peek() counts and tells nothing', async () => {
  const { cache, origin, events } = harness()
  origin.serves('/product', { cacheControl: 'max-age=60', json: { id: 42 } })
  await cache.json('/product')
  const [told, counted] = [events.length, cache.stats()]
  for (let turn = 0; turn < 10; turn++) cache.peek('/product')
  expect(events).toHaveLength(told)
  expect(cache.stats()).toEqual(counted)
})
