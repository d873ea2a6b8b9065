import { expect, test } from 'vitest'
import { gatedStore } from './gated-store.ts'
import { causes, harness } from './harness.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const year = 365 * 24 * hour

test.each([
  ['an hour', -hour],
  ['six seconds', -6 * second],
  ['to 1970', Number.NEGATIVE_INFINITY],
])(
  'when the wall clock is set back by %s, what is stored is validated before its next use (RFC 9111 §4)',
  async (_, by) => {
    const { cache, origin, clock, events } = harness()
    origin.serves('/price', { cacheControl: 'max-age=3600', etag: '"v1"', json: {} })
    await cache.json('/price')
    await clock.advance(minute)
    await cache.json('/price')
    clock.set(Number.isFinite(by) ? clock.now() + by : 0)
    await cache.json('/price')
    await cache.settled()
    expect(causes(events)).toEqual(['miss', 'fresh', 'validated'])
    const age = (await cache.fetch('/price')).headers.get('age')
    expect(Number(age)).toBeGreaterThanOrEqual(0)
  },
)

test('a clock that is set back and forth makes nothing immortal', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/price', ({ seq }) => ({ cacheControl: 'max-age=60', json: { seq } }))
  await cache.json('/price')
  const start = clock.now()
  for (let turn = 0; turn < 20; turn++) {
    await clock.advance(50 * second)
    await cache.json('/price')
    clock.set(start + 30 * second)
    const before = origin.requests.length
    const response = await cache.fetch('/price')
    await response.text()
    expect(origin.requests.length, `turn ${turn}`).toBe(before + 1)
    expect(Number(response.headers.get('age') ?? 0)).toBeGreaterThanOrEqual(0)
  }
})

test('a response from before the clock was set back, stored after it, is validated too', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/price', { cacheControl: 'max-age=60', etag: '"v1"', delayMs: second, json: {} })
  const asked = cache.json('/price')
  await clock.settle()
  clock.set(clock.now() - hour)
  await clock.advance(second)
  await asked
  const again = cache.json('/price')
  await clock.advance(second)
  await again
  expect(causes(events)).toEqual(['miss', 'validated'])
})

test.each([
  ['an hour', hour],
  ['ten years', 10 * year],
])('when the wall clock is set forward by %s, what is stored is stale (RFC 9111 §4.2.3)', async (_, by) => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/price', { cacheControl: 'max-age=600', json: {} })
  await cache.json('/price')
  clock.set(clock.now() + by)
  await cache.json('/price')
  expect(causes(events)).toEqual(['miss', 'expired'])
})

test('ages follow the wall clock over a sleep in which no timer ran (F-69, RFC 9111 §4.2.3)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/price', { cacheControl: 'max-age=36000', json: {} })
  await cache.json('/price')
  clock.set(clock.now() + 8 * hour)
  expect((await cache.fetch('/price')).headers.get('age')).toBe(String(8 * 3600))
})

const dates: ReadonlyArray<
  readonly [what: string, response: Parameters<ReturnType<typeof harness>['origin']['serves']>[1], age: number]
> = [
  ['a Date a day ahead', { date: Date.UTC(2026, 0, 2) }, 0],
  ['a Date a minute behind', { date: Date.UTC(2025, 11, 31, 23, 59) }, 60],
  ['no Date', { date: false }, 0],
  ['an unreadable Date', { date: 'yesterday' }, 0],
  ['an Age', { headers: { age: '30' } }, 30],
  ['a negative Age', { headers: { age: '-30' } }, 0],
  ['an Age that is no number', { headers: { age: 'old' } }, 0],
  ['an Age with a fraction', { headers: { age: '30.5' } }, 0],
]

test.each(dates)('with %s the current age is computed as in RFC 9111 §4.2.3', async (_, response, age) => {
  const { cache, origin, clock } = harness()
  origin.serves('/price', { cacheControl: 'max-age=600', json: {}, ...response })
  await cache.json('/price')
  expect((await cache.fetch('/price')).headers.get('age')).toBe(String(age))
  await clock.advance(5 * second)
  expect((await cache.fetch('/price')).headers.get('age')).toBe(String(age + 5))
  expect(origin.requests).toHaveLength(1)
})

test.each([
  ['a Date a day behind', { date: Date.UTC(2025, 11, 31) }],
  ['a huge Age', { headers: { age: '99999999999999999999' } }],
  ['an Age of 2^31', { headers: { age: '2147483648' } }],
])('with %s a response is stored already stale (RFC 9111 §4.2.3, §1.2.2)', async (_, response) => {
  const { cache, origin, events } = harness()
  origin.serves('/price', { cacheControl: 'max-age=600', etag: '"v1"', json: {}, ...response })
  await cache.json('/price')
  await cache.json('/price')
  expect(causes(events)).toEqual(['miss', 'validated'])
})

test.each(['99999999999999999999', '2147483648', '4294967296'])(
  'a max-age of %s is a long lifetime, never a negative one (RFC 9111 §1.2.2)',
  async (maxAge) => {
    const { cache, origin, clock, events } = harness()
    origin.serves('/price', { cacheControl: `max-age=${maxAge}`, json: {} })
    await cache.json('/price')
    await clock.advance(year)
    await cache.json('/price')
    expect(causes(events)).toEqual(['miss', 'fresh'])
  },
)

test('the time that a slow response took counts as age: it is stored already stale (F-72, RFC 9111 §4.2.3)', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/slow', { cacheControl: 'max-age=30', etag: '"v1"', date: false, delayMs: minute, json: {} })
  for (let turn = 0; turn < 2; turn++) {
    const asked = cache.json('/slow')
    await clock.advance(minute)
    await asked
  }
  expect(causes(events)).toEqual(['miss', 'validated'])
})

test('a clock that goes back by four seconds again and again is noticed when that makes more than five (F-68)', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/price', ({ seq }) => ({ cacheControl: 'max-age=60', json: seq }))
  expect(await cache.json('/price')).toBe(1)
  const isAsked: boolean[] = []
  for (let turn = 0; turn < 30; turn++) {
    clock.set(clock.now() - 4 * second)
    const before = origin.requests.length
    await (await cache.fetch('/price')).text()
    isAsked.push(origin.requests.length > before)
    await clock.advance(3 * second)
  }
  // Ninety seconds have passed by the time that no one can set, and the wall clock shows thirty less than at the beginning.
  expect(isAsked.filter(Boolean).length).toBeGreaterThan(1)
  expect(await cache.json('/price')).toBeGreaterThan(2)
})

test.each([
  ['an hour', hour],
  ['a second', second],
  ['ten years', 10 * year],
])(
  'a disk from the future (the clock was set back by %s while nothing ran) is validated before its first use (F-68, RFC 9111 §4)',
  async (_, by) => {
    const store = gatedStore(() => Promise.resolve())
    const before = harness({ store })
    before.origin.serves('/price', { cacheControl: 'max-age=999999999', etag: '"v1"', json: {} })
    await before.cache.json('/price')
    await before.cache.settled()
    const { cache, clock, events } = harness({ store, fetch: before.origin.fetch })
    clock.set(clock.now() - by)
    await cache.json('/price')
    await cache.settled()
    await cache.json('/price')
    expect(causes(events)).toEqual(['validated', 'fresh'])
  },
)
