import { expect, test } from 'vitest'
import { createViews } from '../../src/react/views.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { harness } from '../engine/harness.ts'

const minute = 60_000

function views() {
  const world = harness()
  const { cache, clock, origin } = world
  const listeners = new Set<(event: 'focus' | 'reconnect') => void>()
  let isVisible = true
  const made = createViews(cache, {
    clock,
    random: seededRandom(1),
    page: {
      listen(listener, signal) {
        listeners.add(listener)
        signal.addEventListener('abort', () => listeners.delete(listener))
      },
      isVisible: () => isVisible,
    },
    base: () => origin.url,
    isServer: false,
  })
  return {
    ...world,
    views: made,
    listeners,
    tell(event: 'focus' | 'reconnect') {
      for (const listener of [...listeners]) listener(event)
    },
    hide() {
      isVisible = false
    },
  }
}

test('focus, reconnect and interval at once: 1 flight, and none while it is fresh (F-86)', async () => {
  const { views: made, origin, clock, tell } = views()
  origin.serves('/n', { cacheControl: 'max-age=60', etag: '"1"', json: 1 })
  const view = made.of('/n', { readEveryMs: minute })
  for (let one = 0; one < 1000; one++) view.watch(() => {})
  await clock.settle()
  expect(origin.requests).toHaveLength(1)

  await clock.advance(30_000)
  tell('focus')
  tell('reconnect')
  await clock.advance(5_000)
  expect(origin.requests).toHaveLength(1)

  await clock.advance(25_000)
  tell('focus')
  tell('reconnect')
  await clock.advance(20_000)
  expect(origin.requests).toHaveLength(2)
})

test('the pages of an origin that comes back do not ask it in one moment', async () => {
  const moments = new Set<number>()
  for (let seed = 1; seed <= 20; seed++) {
    const { cache, clock, origin } = harness()
    let reconnect = () => {}
    const made = createViews(cache, {
      clock,
      random: seededRandom(seed),
      page: {
        listen(listener) {
          reconnect = () => listener('reconnect')
        },
        isVisible: () => true,
      },
      base: () => origin.url,
      isServer: false,
    })
    origin.serves('/n', { cacheControl: 'no-cache', json: 1 })
    const start = clock.now()
    made.of('/n', {}).watch(() => {})
    await clock.settle()
    reconnect()
    await clock.advance(2_000)
    moments.add(Math.floor(((origin.requests[1]?.at ?? start) - start) / 100))
  }
  expect(moments.size).toBeGreaterThan(8)
})

test('a hidden page does not read by the clock, and who does not want an occasion is not read for it', async () => {
  const { views: made, origin, clock, tell, hide } = views()
  origin.serves('/n', { cacheControl: 'no-cache', json: 1 })
  made.of('/n', { readOnFocus: false, readOnReconnect: false, readEveryMs: 10 }).watch(() => {})
  await clock.settle()
  tell('focus')
  tell('reconnect')
  await clock.advance(900)
  expect(origin.requests).toHaveLength(1)
  await clock.advance(250) // 10 ms is too often: once a second
  expect(origin.requests).toHaveLength(2)
  hide()
  await clock.advance(minute)
  expect(origin.requests).toHaveLength(2)
})

test.each([0, Number.NaN, Number.POSITIVE_INFINITY])(
  'every %s ms is never, and keeps nobody else from reading',
  async (readEveryMs) => {
    const { views: made, origin, clock } = views()
    origin.serves('/n', { cacheControl: 'no-cache', json: 1 })
    made.of('/n', { readEveryMs }).watch(() => {})
    await clock.settle()
    expect(clock.sleeping).toBe(0)
    made.of('/n', { readEveryMs: minute }).watch(() => {})
    await clock.advance(1.5 * minute)
    expect(origin.requests).toHaveLength(3)
  },
)

test('nothing is left behind: no timer, no listener, no data, and soon no view', async () => {
  const { views: made, origin, clock, listeners } = views()
  origin.serves('/n', { cacheControl: 'no-store', json: 1 })
  const view = made.of('/n', { readEveryMs: minute })
  const leave = [view.watch(() => {}), view.watch(() => {})]
  await clock.settle()
  expect([clock.sleeping, listeners.size, view.state().held?.data]).toEqual([1, 1, 1])
  for (const end of leave) end()
  await clock.settle()
  expect([clock.sleeping, listeners.size, view.state().held]).toEqual([0, 0, undefined])
  await clock.advance(30_000)
  expect(made.of('/n', { readEveryMs: minute })).not.toBe(view)
})

test('a view that nobody came to watch is kept for a while, and then forgotten', async () => {
  const { views: made, clock } = views()
  const [old, watched] = [made.of('/old', {}), made.of('/watched', {})]
  watched.watch(() => {})
  await clock.advance(29_000)
  expect(made.of('/old', {})).toBe(old)
  await clock.advance(30_000)
  expect(made.of('/old', {})).not.toBe(old)
  expect(made.of('/watched', {})).toBe(watched)
})

test('what was evicted from memory stays on the page', async () => {
  const world = harness({ memory: { maxBytes: 20_000 } })
  const { cache, origin, clock } = world
  const made = createViews(cache, {
    clock,
    random: () => 0,
    page: { listen() {}, isVisible: () => true },
    base: () => origin.url,
    isServer: false,
  })
  origin.serves('/first', { cacheControl: 'max-age=60', json: 'first' })
  origin.serves('/other/*', { cacheControl: 'max-age=60', body: 'x'.repeat(2000) })
  const view = made.of('/first', {})
  view.watch(() => {})
  await clock.settle()
  for (let one = 0; one < 40; one++) await (await cache.fetch(`/other/${one}`)).text()
  await cache.settled()
  expect(cache.peek('/first')).toBeUndefined()
  expect(view.state().held?.data).toBe('first')
  expect(view.ageMs()).toBe(0)
})

test('the age is live, and what memory does not have has one, too (RFC 9111 §4.2.3)', async () => {
  const { views: made, origin, clock } = views()
  origin.serves('/stored', { cacheControl: 'max-age=60', headers: { age: '5' }, json: 1 })
  origin.serves('/unstored', { cacheControl: 'no-store', headers: { age: '7' }, json: 1 })
  const both = [made.of('/stored', {}), made.of('/unstored', {})]
  expect(both.map((view) => view.ageMs())).toEqual([undefined, undefined])
  for (const view of both) view.watch(() => {})
  await clock.advance(10_000)
  expect(both.map((view) => view.ageMs())).toEqual([15_000, 17_000])
})

test('what tells requests apart: URL, fields, manner of reading; not the order of fields', () => {
  const { views: made } = views()
  const one = made.of('/a', { headers: { a: '1', b: '2' } })
  expect(
    made.of('/a', {
      headers: [
        ['B', '2'],
        ['a', '1'],
      ],
    }),
  ).toBe(one)
  expect(made.of('/a', { headers: { a: '1' } })).not.toBe(one)
  expect(made.of('/a', { headers: { a: '1', b: '2' }, as: 'text' })).not.toBe(one)
  expect(made.of('/a', { headers: { a: '1', b: '2' }, maxStaleMs: 1 })).not.toBe(one)
})
