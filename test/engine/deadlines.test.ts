import { describe, expect, test } from 'vitest'
import type { CacheOptions } from '../../src/index.ts'
import { gatedStore } from './gated-store.ts'
import { causes, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const nameOf = (error: unknown) => (error instanceof Error ? error.name : String(error))

/** What has come of it by now. */
function watch<T>(work: Promise<T>): { readonly state: T | 'pending' | string } {
  const seen: { state: T | 'pending' | string } = { state: 'pending' }
  work.then(
    (value) => {
      seen.state = value
    },
    (error: unknown) => {
      seen.state = nameOf(error)
    },
  )
  return seen
}

async function withStale(cacheControl: string, options: CacheOptions = {}) {
  const world = harness({ earlyExpiry: false, ...options })
  world.origin.serves('/a', { cacheControl, body: 'old' })
  await text(world.cache.fetch('/a'))
  await world.clock.advance(90_000)
  world.origin.serves('/a', { cacheControl, body: 'new', delayMs: 8_000 })
  return world
}

describe('the soft deadline: with a stale response at hand that may be served on an error (RFC 5861 §4)', () => {
  const usable = 'max-age=60, stale-if-error=600'

  test('it is served when the origin takes longer than two seconds, and the request goes on behind', async () => {
    const { cache, origin, clock, events } = await withStale(usable)
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(1_999)
    expect(reading.state).toBe('pending')
    await clock.advance(1)
    expect(reading.state).toBe('old')
    expect(causes(events).at(-1)).toBe('soft-deadline')
    await clock.advance(6_000)
    await cache.settled()
    expect(origin.requests.at(-1)?.aborted).toBe(false)
    expect(await text(cache.fetch('/a'))).toBe('new')
    expect(origin.requests).toHaveLength(2)
    expect(clock.sleeping).toBe(0)
  })

  test('an origin that answers in time is waited for', async () => {
    const { cache, origin, clock } = await withStale(usable)
    origin.serves('/a', { cacheControl: usable, body: 'new', delayMs: 1_999 })
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(1_999)
    expect(reading.state).toBe('new')
    expect(clock.sleeping).toBe(0)
  })

  test.each([
    'max-age=60',
    'max-age=60, stale-if-error=600, must-revalidate',
    'max-age=60, stale-if-error=600, no-cache',
    'max-age=60, stale-if-error=20',
  ])('%s: nothing may be served, so the origin is waited for', async (cacheControl) => {
    const { cache, clock } = await withStale(cacheControl)
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(7_999)
    expect(reading.state).toBe('pending')
    await clock.advance(1)
    expect(reading.state).toBe('new')
  })

  test('a window that ends while the origin is waited for closes', async () => {
    const { cache, clock } = await withStale('max-age=60, stale-if-error=31')
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(2_000)
    expect(reading.state).toBe('pending')
    await clock.advance(6_000)
    expect(reading.state).toBe('new')
  })

  test('the request knows better than the rule, and the rule better than the option', async () => {
    const { cache, clock } = await withStale(usable, {
      deadlines: { softMs: 5_000 },
      rules: [{ match: '/ruled', softMs: 3_000 }, { match: '/a' }],
    })
    const given = watch(text(cache.fetch('/a', { nearcache: { softMs: 1_000 } })))
    const usual = watch(text(cache.fetch('/a')))
    await clock.advance(1_000)
    expect([given.state, usual.state]).toEqual(['old', 'pending'])
    await clock.advance(4_000)
    expect(usual.state).toBe('old')
    const ruled = await withStale(usable, { deadlines: { softMs: 5_000 }, rules: [{ match: '/a', softMs: 3_000 }] })
    const hurried = watch(text(ruled.cache.fetch('/a', { nearcache: { softMs: 500 } })))
    const reading = watch(text(ruled.cache.fetch('/a')))
    await ruled.clock.advance(500)
    expect([hurried.state, reading.state]).toEqual(['old', 'pending'])
    await ruled.clock.advance(2_500)
    expect(reading.state).toBe('old')
  })

  test('readers who come while it goes on behind join it, each with a deadline of its own', async () => {
    const { cache, origin, clock } = await withStale(usable)
    const first = watch(text(cache.fetch('/a')))
    await clock.advance(2_000)
    const second = watch(text(cache.fetch('/a')))
    await clock.advance(1_999)
    expect([first.state, second.state]).toEqual(['old', 'pending'])
    await clock.advance(1)
    expect(second.state).toBe('old')
    expect(origin.requests).toHaveLength(2)
  })

  test('what fails behind is told, and harms nothing', async () => {
    const { cache, origin, clock, events } = await withStale(usable)
    origin.serves('/a', { delayMs: 5_000, fault: 'network' })
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(2_000)
    expect(reading.state).toBe('old')
    await clock.advance(3_000)
    await cache.settled()
    expect(events.at(-1)).toMatchObject({ type: 'failed', url: 'https://origin.test/a' })
    expect(await text(cache.fetch('/a', { headers: { 'cache-control': 'max-stale' } }))).toBe('old')
  })
})

describe('the hard deadline', () => {
  test('nothing to serve: a TimeoutError, and a request that nobody waits for is aborted', async () => {
    const { cache, origin, clock } = harness({ deadlines: { hardMs: 3_000 } })
    origin.serves('/a', { fault: 'hang' })
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(2_999)
    expect(reading.state).toBe('pending')
    await clock.advance(1)
    expect(reading.state).toBe('TimeoutError')
    expect(origin.requests[0]?.aborted).toBe(true)
    expect(clock.sleeping).toBe(0)
  })

  test('its error names what was asked for, how long it was waited for, and the option', async () => {
    const { cache, origin, clock } = harness({ rules: [{ match: '/a', hardMs: 3_000 }] })
    origin.serves('/a', { fault: 'hang' })
    const reading = cache.fetch('/a').catch((error: Error) => error.message)
    await clock.advance(3_000)
    expect(await reading).toBe('https://origin.test/a did not answer within 3000 ms (hardMs)')
  })

  test('the request knows better than the rule, and the rule better than the option', async () => {
    for (const [nearcache, rules, expected] of [
      [{ hardMs: 100 }, [{ match: '/a', hardMs: 200 }], 100],
      [{}, [{ match: '/a', hardMs: 200 }], 200],
      [{}, [{ match: '/a' }], 300],
      [{ hardMs: Number.POSITIVE_INFINITY }, [{ match: '/a', hardMs: 200 }], undefined],
    ] as const) {
      const { cache, origin, clock } = harness({ deadlines: { hardMs: 300 }, rules })
      origin.serves('/a', { fault: 'hang' })
      let ended: number | undefined
      const start = clock.now()
      cache.fetch('/a', { nearcache }).catch(() => {
        ended = clock.now() - start
      })
      await clock.advance(10_000)
      expect(ended).toBe(expected)
    }
  })

  test('one deadline for the whole: what the disk, the turn and the attempts take counts, too', async () => {
    const { cache, origin, clock } = harness({
      deadlines: { hardMs: 2_000 },
      retry: { baseMs: 1_500 },
      random: () => 0.9,
    })
    await cache.fetch('/loads-what-makes-requests-again')
    origin.serves('/a', { fault: 'network', delayMs: 600 })
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(1_999)
    expect([reading.state, origin.requests.length]).toEqual(['pending', 3])
    await clock.advance(1)
    expect([reading.state, origin.requests.length]).toEqual(['TimeoutError', 3])
    await clock.advance(60_000)
    expect(origin.requests).toHaveLength(3)
  })

  test('none is set: the origin is waited for, as by fetch', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { body: 'late', delayMs: 3_600_000 })
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(3_600_000)
    expect(reading.state).toBe('late')
  })

  test('of two who wait the one with the shorter deadline goes alone', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'late', delayMs: 5_000 })
    const short = watch(text(cache.fetch('/a', { nearcache: { hardMs: 1_000 } })))
    const long = watch(text(cache.fetch('/a', { nearcache: { hardMs: 10_000 } })))
    await clock.advance(1_000)
    expect([short.state, long.state]).toEqual(['TimeoutError', 'pending'])
    await clock.advance(4_000)
    expect(long.state).toBe('late')
    expect(origin.requests).toHaveLength(1)
    expect(clock.sleeping).toBe(0)
  })

  test('it is for the head: a body may take longer, as with fetch', async () => {
    const { cache, origin, clock } = harness({ deadlines: { hardMs: 1_000 } })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'drop by drop', fault: 'drip', dripMs: 1_000 })
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(30_000)
    expect(reading.state).toBe('drop by drop')
  })

  test('the hard deadline before the soft one: the stale response, not an error', async () => {
    const { cache, clock, events } = await withStale('max-age=60, stale-if-error=600')
    const reading = watch(text(cache.fetch('/a', { nearcache: { hardMs: 500 } })))
    await clock.advance(500)
    expect(reading.state).toBe('old')
    expect(causes(events).at(-1)).toBe('stale-if-error')
  })
})

describe('a store that is slow never keeps the network waiting longer than diskMs (DESIGN, law 6)', () => {
  /** A durable store with `/a` in it, whose next reads hang. */
  async function withHangingStore(cacheControl: string) {
    let isHanging = false
    let wake = () => {}
    const hung = new Promise<void>((resolve) => {
      wake = resolve
    })
    const store = gatedStore((point) => (isHanging && point === 'read' ? hung : Promise.resolve()))
    const before = harness({ store })
    before.origin.serves('/a', { cacheControl, etag: '"1"', body: 'stored' })
    await text(before.cache.fetch('/a'))
    await before.cache.close()
    isHanging = true
    const world = harness({ store, earlyExpiry: false })
    world.origin.serves('/a', { cacheControl, body: 'network' })
    return { ...world, wake }
  }

  test('the network starts beside a read that hangs, and its answer is used', async () => {
    const { cache, origin, clock } = await withHangingStore('max-age=600')
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(49)
    expect(origin.requests).toHaveLength(0)
    await clock.advance(1)
    expect(origin.requests).toHaveLength(1)
    expect(reading.state).toBe('network')
  })

  test('a read that ends before the network answers is used', async () => {
    const { cache, origin, clock, wake } = await withHangingStore('max-age=600')
    const hold = origin.hold('/a')
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(100)
    expect(hold.waiting).toBe(1)
    wake()
    await clock.settle()
    expect(reading.state).toBe('stored')
    hold.release()
    await cache.settled()
  })

  test('the network loses, with a response that cannot be stored: its body is cancelled, so that its connection is free again', async () => {
    const { cache, origin, clock, wake } = await withHangingStore('max-age=600')
    const body = () =>
      new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(1024)) })
    origin.serves('/a', () => ({ cacheControl: 'no-store', body: body() }))
    const hold = origin.hold('/a')
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(100)
    wake()
    await clock.settle()
    expect(reading.state).toBe('stored')
    hold.release()
    await clock.settle()
    expect(origin.requests[0]?.aborted).toBe(true)
  })

  test('the network fails: the read is waited for, and what may be served on an error is', async () => {
    const { cache, origin, clock, wake } = await withHangingStore('max-age=0, stale-if-error=600')
    origin.serves('/a', { fault: 'network' })
    const reading = watch(text(cache.fetch('/a')))
    await clock.advance(1_000)
    expect(reading.state).toBe('pending')
    wake()
    await clock.settle()
    expect(reading.state).toBe('stored')
  })

  test('the network fails and the read hangs: the hard deadline ends it', async () => {
    const { cache, origin, clock } = await withHangingStore('max-age=0, stale-if-error=600')
    origin.serves('/a', { fault: 'network' })
    const reading = watch(text(cache.fetch('/a', { nearcache: { hardMs: 5_000 } })))
    await clock.advance(10_000)
    expect(reading.state).toBe('TimeoutError')
  })
})

describe('the signal of the caller', () => {
  const usable = 'max-age=60, stale-if-error=600'
  /** As `AbortSignal.timeout()`, on the clock of the test. */
  const timeout = (ms: number, { clock }: Awaited<ReturnType<typeof withStale>>, reason?: unknown) => {
    const controller = new AbortController()
    clock.sleep(ms).then(() => controller.abort(reason ?? new DOMException('The operation timed out', 'TimeoutError')))
    return controller.signal
  }

  test('that is a deadline is one: with a stale response at hand that may be served, it is', async () => {
    const world = await withStale(usable)
    const reading = watch(text(world.cache.fetch('/a', { signal: timeout(500, world) })))
    await world.clock.advance(499)
    expect(reading.state).toBe('pending')
    await world.clock.advance(1)
    expect(reading.state).toBe('old')
    expect(causes(world.events).at(-1)).toBe('stale-if-error')
  })

  test.each(['max-age=60', `${usable}, must-revalidate`, `${usable}, no-cache`])(
    '%s: nothing may be served, and its reason is thrown',
    async (cacheControl) => {
      const world = await withStale(cacheControl)
      const reading = watch(text(world.cache.fetch('/a', { signal: timeout(500, world) })))
      await world.clock.advance(500)
      expect(reading.state).toBe('TimeoutError')
    },
  )

  test('that aborts for any other reason gets that reason, whatever is at hand', async () => {
    for (const reason of [new DOMException('Left', 'AbortError'), new TypeError('mine'), new Error('TimeoutError')]) {
      const world = await withStale(usable)
      const reading = world.cache.fetch('/a', { signal: timeout(500, world, reason) }).catch((error: unknown) => error)
      await world.clock.advance(500)
      expect(await reading).toBe(reason)
    }
  })

  test('that had its time before the call gets nothing', async () => {
    const world = await withStale(usable)
    const { signal } = new AbortController()
    const over = AbortSignal.any([signal, AbortSignal.abort(new DOMException('Over', 'TimeoutError'))])
    await expect(world.cache.fetch('/a', { signal: over })).rejects.toThrow('Over')
  })
})
