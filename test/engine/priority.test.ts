import { afterEach, describe, expect, test, vi } from 'vitest'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const paths = Array.from({ length: 8 }, (_, index) => `/item/${index}`)

afterEach(() => vi.unstubAllGlobals())

/** A cache that has eight items, all of them to be refreshed at the next read. */
async function withStale(options = {}) {
  const world = harness({ earlyExpiry: false, ...options })
  world.origin.serves('/*', ({ seq }) => ({ cacheControl: 'max-age=60, stale-while-revalidate=600', body: `v${seq}` }))
  for (const path of paths) await text(world.cache.fetch(path))
  await world.clock.advance(90_000)
  return world
}

describe('what nobody waits for', () => {
  test('goes two at a time, and all of it in the end', async () => {
    const { cache, origin, clock } = await withStale()
    const hold = origin.hold('/*')
    await Promise.all(paths.map((path) => text(cache.fetch(path))))
    await clock.settle()
    expect(hold.waiting).toBe(2)
    hold.release()
    await cache.settled()
    expect(origin.requests.slice(8).map(({ path }) => path)).toEqual(paths)
  })

  test('lets what a user waits for go before it, also where that is the next in its line', async () => {
    const { cache, origin, clock } = await withStale()
    const hold = origin.hold('/item/0')
    const second = origin.hold('/item/1')
    await Promise.all(paths.map((path) => text(cache.fetch(path))))
    await clock.settle()
    expect(await text(cache.fetch('/new'))).toBe('v11')
    expect(await text(cache.fetch('/item/7', { cache: 'no-cache' }))).toBe('v12')
    hold.release()
    second.release()
    await cache.settled()
    // The refresh that waited finds that somebody has seen to it.
    expect(origin.requests.filter(({ path }) => path === '/item/7')).toHaveLength(2)
    expect(origin.requests).toHaveLength(8 + 2 + 2 + 5)
  })

  test('says to the network that it can wait (Fetch, request priority)', async () => {
    const priorities: unknown[] = []
    const { cache, clock, origin } = harness({
      earlyExpiry: false,
      fetch: (input, init) => {
        priorities.push(init?.priority)
        return origin.fetch(input, init)
      },
    })
    origin.serves('/a', { cacheControl: 'max-age=60, stale-while-revalidate=600', body: 'a' })
    await text(cache.fetch('/a'))
    await clock.advance(61_000)
    await text(cache.fetch('/a'))
    await cache.settled()
    await text(cache.fetch('/b', { nearcache: { priority: 'background' } }))
    expect(priorities).toEqual([undefined, 'low', 'low'])
  })

  test.each([
    ['a user who saves data', { navigator: { connection: { saveData: true } } }],
    ['a page that is hidden', { document: { visibilityState: 'hidden' } }],
  ])('is left for %s: no refresh behind, and none before expiry', async (_, globals) => {
    const world = await withStale()
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
    const { cache, origin, events, clock } = harness({ random: () => 1 - 1e-9 })
    origin.serves('/a', { cacheControl: 'max-age=60, stale-while-revalidate=600', body: 'a', delayMs: 1_000 })
    const reading = text(cache.fetch('/a'))
    await clock.advance(1_000)
    await reading
    await clock.advance(55_000)
    expect(await text(cache.fetch('/a'))).toBe('a')
    await clock.advance(10_000)
    expect(await text(cache.fetch('/a'))).toBe('a')
    await cache.settled()
    expect(origin.requests).toHaveLength(1)
    expect(events.flatMap((event) => (event.type === 'answered' ? [event.cause] : []))).toEqual([
      'miss',
      'fresh',
      'stale-while-revalidate',
    ])
    await expect(cache.fetch('/b', { nearcache: { priority: 'background' } })).rejects.toThrow(/\/b was not asked for/)
    // Who looked when the cache was made looks on: it is asked for each time.
    await world.cache.settled()
  })
})

describe("a request that its caller calls background (priority: 'background')", () => {
  const init = { nearcache: { priority: 'background' as const } }

  test('is answered from the store like any other', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'a' })
    await text(cache.fetch('/a'))
    expect(await text(cache.fetch('/a', init))).toBe('a')
    expect(origin.requests).toHaveLength(1)
  })

  test('waits for its turn, and is decided anew when that has come', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60', body: path }))
    const hold = origin.hold('/item/*')
    const reading = Promise.all(paths.map((path) => text(cache.fetch(path, init))))
    const asked = text(cache.fetch('/user', init))
    await clock.settle()
    expect(hold.waiting).toBe(2)
    expect(await text(cache.fetch('/user'))).toBe('/user')
    hold.release()
    expect(await reading).toEqual(paths)
    expect(await asked).toBe('/user')
    expect(origin.requests).toHaveLength(9)
  })

  test('ends with its caller, and does not keep its turn', async () => {
    const { cache, origin, clock } = harness()
    const hold = origin.hold('/*')
    const controllers = paths.map(() => new AbortController())
    const reading = paths.map((path, index) =>
      cache.fetch(path, { ...init, signal: controllers[index]?.signal ?? null }).catch((error: Error) => error.name),
    )
    await clock.settle()
    for (const controller of controllers) controller.abort()
    expect(await Promise.all(reading)).toEqual(paths.map(() => 'AbortError'))
    await clock.settle()
    expect(origin.requests).toHaveLength(2)
    hold.release()
    expect((await cache.fetch('/after', init)).status).toBe(404)
  })

  test.each([
    ['what may be served on an error', { cacheControl: 'max-age=1, stale-if-error=600' }, 'stale-if-error'],
    ['else the fallback', { cacheControl: 'max-age=1' }, 'offline'],
  ])('has one hard deadline, its turn included, and at its end %s', async (_sentence, stored, cause) => {
    const { cache, origin, clock } = harness({
      deadlines: { softMs: 5_000 },
      rules: [{ match: '/a', hardMs: 1_000, fallback: { body: '[]' } }],
    })
    origin.serves('/a', stored)
    await text(cache.fetch('/a'))
    await clock.advance(2_000)
    const hold = origin.hold('/item/*')
    const before = paths.slice(0, 2).map((path) => text(cache.fetch(path, init)))
    origin.fails('/a', 'hang')
    const [reading, start] = [cache.fetch('/a', init).then(causeOf), clock.now()]
    const ended = reading.then(() => clock.now() - start)
    await clock.advance(600)
    hold.release()
    await Promise.all(before)
    await clock.advance(5_000)
    expect([await reading, await ended]).toEqual([cause, 1_000])
  })

  test('that hangs does not keep its turn from the others: after half a minute they go on', async () => {
    const { cache, origin, clock } = harness({ earlyExpiry: false })
    origin.serves('/a', { cacheControl: 'max-age=20, stale-while-revalidate=600', body: 'a' })
    await text(cache.fetch('/a'))
    const hold = origin.hold('/item/*')
    const hung = paths.slice(0, 2).map((path) => cache.fetch(path, init))
    await clock.advance(29_999)
    await text(cache.fetch('/a'))
    await clock.settle()
    expect(origin.requests.filter(({ path }) => path === '/a')).toHaveLength(1)
    await clock.advance(1)
    expect(origin.requests.filter(({ path }) => path === '/a')).toHaveLength(2)
    // Whoever waits for it, waits on.
    hold.release()
    expect((await Promise.all(hung)).map(({ status }) => status)).toEqual([404, 404])
    expect(clock.sleeping).toBe(0)
  })

  test.each([
    ['is ill', ['/x', '/y', '/x', '/y', '/x'], { status: 503 }, 1_250],
    ['asks for quiet (429)', ['/x', '/y'], { status: 429, headers: { 'retry-after': '60' } }, 75_000],
  ] as const)(
    'is dropped while its origin %s, save for what is stored and for the probe that is due (RFC 9110 §10.2.3)',
    async (_, failing, failure, dueMs) => {
      const { cache, origin, clock } = harness({ earlyExpiry: false })
      origin.serves('/known', { cacheControl: 'max-age=600', body: 'known' })
      await text(cache.fetch('/known'))
      origin.fails('*', () => failure)
      for (const path of failing) await text(cache.fetch(path))
      const before = origin.requests.length
      for (const path of paths) {
        const dropped = await cache.fetch(path, init).catch((error: Error) => error)
        expect(dropped).toMatchObject({ name: 'AbortError', message: expect.stringContaining(`${path} was not asked`) })
      }
      expect(await text(cache.fetch('/known', init))).toBe('known')
      expect(origin.requests).toHaveLength(before)
      // What its caller calls nothing goes, as by fetch.
      expect((await cache.fetch('/item/0')).status).toBe(failure.status)
      await clock.advance(dueMs)
      origin.recovers()
      expect((await cache.fetch('/item/1', init)).status).toBe(404)
      expect((await cache.fetch('/item/2', init)).status).toBe(404)
    },
  )

  test('fails as any other does', async () => {
    const { cache, origin } = harness()
    origin.fails('/a', 'network')
    await expect(cache.fetch('/a', init)).rejects.toThrow(TypeError)
    expect(cache.stats()).toMatchObject({ requests: 1, rejected: 1 })
  })
})
