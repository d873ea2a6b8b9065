import { expect, test } from 'vitest'
import { harness } from './harness.ts'

interface Cart {
  readonly count: number
}
const more = (by: number) => (cart: Cart) => ({ count: cart.count + by })

/** A basket at the origin that a POST makes larger, and a cache that has it; what the cache shows is noted with each event. */
async function shop() {
  const world = harness()
  const { cache, origin } = world
  let count = 1
  origin.serves('GET /cart', () => ({ cacheControl: 'max-age=60', etag: `"${count}"`, json: { count } }))
  origin.serves('POST /cart', ({ body }) => {
    count += Number(body)
    return { json: {} }
  })
  await cache.json('/cart')
  const shown: number[] = []
  const look = () => {
    const now = cache.peek<Cart>('/cart')?.data.count as number
    if (now !== shown.at(-1)) shown.push(now)
  }
  look()
  cache.subscribe('/cart', look)
  const post = (by: number) => cache.fetch('/cart', { method: 'POST', body: String(by) })
  return { ...world, shown, post, change: (by: number) => cache.update('/cart', more(by)), now: () => count }
}

test('from the optimistic value to what the origin has made of it there is no step back', async () => {
  const { cache, shown, post, change } = await shop()
  change(2)
  await post(2)
  expect(await cache.json('/cart')).toEqual({ count: 3 })
  await cache.settled()
  expect(shown).toEqual([1, 3])
})

test('a response that was asked for before the change does not end it', async () => {
  const { cache, origin, shown, post, change } = await shop()
  const held = origin.hold('GET /cart')
  const reading = cache.json('/cart', { cache: 'reload' })
  await expect.poll(() => held.waiting).toBe(1)
  change(2)
  held.release()
  expect(await reading).toEqual({ count: 3 })
  await post(2)
  await cache.json('/cart')
  await cache.settled()
  expect(shown).toEqual([1, 3])
})

test.each(['reload', 'no-cache'] as const)(
  'a response (%s) that was asked for while the write was under way does not end it',
  async (mode) => {
    const { cache, origin, shown, post, change } = await shop()
    const held = origin.hold('POST /cart')
    change(2)
    const posting = post(2)
    await cache.json('/cart', { cache: mode })
    await cache.settled()
    expect(cache.peek('/cart')?.data).toEqual({ count: 3 })
    held.release()
    await posting
    expect(cache.peek('/cart')?.data).toEqual({ count: 3 })
    expect(await cache.json('/cart')).toEqual({ count: 3 })
    await cache.settled()
    expect(shown).toEqual([1, 3])
  },
)

test('two changes with a write each: the response after the first write ends the first alone', async () => {
  const { cache, origin, shown, post, change } = await shop()
  change(2)
  const first = post(2)
  change(10)
  await first
  const held = origin.hold('POST /cart')
  const second = post(10)
  await cache.json('/cart')
  await cache.settled()
  held.release()
  await second
  expect(await cache.json('/cart')).toEqual({ count: 13 })
  expect(shown).toEqual([1, 3, 13])
})

test('what the origin says after the write counts, also where it is another value than was hoped for', async () => {
  const { cache, origin, shown, post, change } = await shop()
  origin.serves('POST /cart', { json: {} })
  change(2)
  await post(2)
  expect(await cache.json('/cart')).toEqual({ count: 1 })
  expect(shown).toEqual([1, 3, 1])
})

test('the change can be taken back after a response came in between, and then that response is shown', async () => {
  const { cache, origin, post, change, shown } = await shop()
  origin.fails('POST /cart', 500)
  const held = origin.hold('POST /cart')
  const optimistic = change(2)
  const posting = post(2)
  origin.serves('GET /cart', { cacheControl: 'max-age=60', json: { count: 5 } })
  await cache.json('/cart', { cache: 'reload' })
  await cache.settled()
  expect(cache.peek('/cart')?.data).toEqual({ count: 3 })
  held.release()
  expect((await posting).status).toBe(500)
  optimistic.rollback()
  expect(cache.peek('/cart')?.data).toEqual({ count: 5 })
  expect(await cache.json('/cart')).toEqual({ count: 5 })
  expect(shown).toEqual([1, 3, 5])
})

test('the response to the write itself, where it says what a GET would give, ends the change (RFC 9110 §9.3.3)', async () => {
  const { cache, origin, shown, change } = await shop()
  origin.serves('POST /cart', {
    cacheControl: 'max-age=60',
    headers: { 'content-location': '/cart' },
    json: { count: 4 },
  })
  change(2)
  await (await cache.fetch('/cart', { method: 'POST', body: '3' })).text()
  await cache.settled()
  expect(cache.peek('/cart')).toMatchObject({ data: { count: 4 }, stale: false })
  expect(shown).toEqual([1, 3, 4])
})

test('a write that fails on the way leaves the change to whoever made it', async () => {
  const { cache, origin, shown, post, change } = await shop()
  origin.fails('POST /cart', 'network')
  const optimistic = change(2)
  await expect(post(2)).rejects.toThrow(TypeError)
  expect(cache.peek('/cart')?.data).toEqual({ count: 3 })
  optimistic.rollback()
  expect(shown).toEqual([1, 3, 1])
})

test('a response that already has the write in it, though the write was under way, is not changed twice', async () => {
  const { cache, origin, shown, post, change } = await shop()
  const held = origin.hold('POST /cart')
  change(2)
  const posting = post(2)
  await expect.poll(() => held.waiting).toBe(1)
  expect(await (await cache.fetch('/cart', { cache: 'reload' })).json()).toEqual({ count: 3 })
  await cache.settled()
  held.release()
  await posting
  expect(await cache.json('/cart')).toEqual({ count: 3 })
  expect(shown).toEqual([1, 3])
})

test('when one of two is taken back, the other is made of what has come since; what cannot be made of it is left out', async () => {
  const { cache, origin, post, change } = await shop()
  const held = origin.hold('POST /cart')
  cache.update<Cart>('/cart', (cart) => {
    if (cart.count === 5) throw new RangeError('sold out')
    return { count: cart.count + 1 }
  })
  change(1)
  const third = change(100)
  const posting = post(1)
  origin.serves('GET /cart', { cacheControl: 'max-age=60', json: { count: 5 } })
  await cache.json('/cart', { cache: 'reload' })
  expect(cache.peek('/cart')?.data).toEqual({ count: 103 })
  third.rollback()
  expect(cache.peek('/cart')?.data).toEqual({ count: 6 })
  held.release()
  await posting
})

test('a request with fields of its own is changed and listened to by its own fields (RFC 9111 §4.1)', async () => {
  const { cache, origin } = harness()
  origin.serves('/me', ({ headers }) => ({ cacheControl: 'max-age=60', json: headers.authorization }))
  const [ada, bob] = ['Ada', 'Bob'].map((authorization) => ({ headers: { authorization } }))
  await cache.json('/me', ada)
  await cache.json('/me', bob)
  const told: string[] = []
  cache.subscribe('/me', ({ type }) => told.push(type), ada)
  cache.update<string>('/me', (name) => `${name}!`, bob)
  expect([cache.peek('/me', ada)?.data, cache.peek('/me', bob)?.data]).toEqual(['Ada', 'Bob!'])
  cache.update<string>('/me', (name) => `${name}?`, ada)
  expect(cache.peek('/me', ada)?.data).toBe('Ada?')
  expect(told).toEqual(['updated'])
})

test('onAnswer tells cause, status and fields of each answer, before it is given', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', etag: '"1"', json: 1 })
  origin.serves('/gone', { status: 404, cacheControl: 'no-store' })
  const told: unknown[] = []
  const nearcache = {
    onAnswer: ({ cause, status, headers }: { cause: string; status: number; headers: Headers }) =>
      told.push([cause, status, headers.get('age'), headers.get('etag')]),
  }
  await cache.json('/a', { nearcache })
  await clock.advance(10_000)
  await cache.fetch('/a', { nearcache })
  await expect(cache.json('/gone', { nearcache })).rejects.toThrow('404')
  expect(told).toEqual([
    ['miss', 200, null, '"1"'],
    ['fresh', 200, '10', '"1"'],
    ['miss', 404, null, null],
  ])
})
