import { describe, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import type { OpenChannel } from '../../src/ports/channel.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Locks } from '../../src/ports/locks.ts'
import type { Store } from '../../src/ports/store.ts'
import { type ChaosOptions, chaos, scriptedOrigin, seededRandom, virtualClock } from '../../src/testing/index.ts'
import { gatedStore } from '../engine/gated-store.ts'

function world(options: Partial<ChaosOptions> = {}) {
  const clock = virtualClock()
  const trouble = chaos({ random: seededRandom(1), clock, ...options })
  return { clock, trouble, origin: scriptedOrigin({ clock }) }
}

/** Of so many calls, how each ended by `afterMs`. */
async function outcomes(
  clock: ReturnType<typeof virtualClock>,
  count: number,
  call: () => Promise<unknown>,
  afterMs = 0,
) {
  const seen = Array.from({ length: count }, () => 'pending')
  for (let index = 0; index < count; index++)
    call().then(
      () => (seen[index] = 'done'),
      (error: Error) => (seen[index] = error.name),
    )
  await clock.advance(afterMs)
  return Object.fromEntries([...new Set(seen)].map((one) => [one, seen.filter((other) => other === one).length]))
}

test('each thing goes wrong as often as it was asked to, and is counted', async () => {
  const { clock, trouble, origin } = world({ throws: 0.2, hangs: 0.1, delays: 0.3, lies: 0.1 })
  const fetch = trouble.transport(origin.fetch)
  const seen = await outcomes(clock, 2_000, () => fetch('/a'))
  const { throws, hangs, delays, lies } = trouble.counts
  for (const [count, chance] of [
    [throws, 0.2],
    [hangs, 0.1],
    [delays, 0.3],
    [lies, 0.1],
  ] as const)
    expect(Math.abs(count - 2_000 * chance)).toBeLessThan(4.892 * Math.sqrt(2_000 * chance * (1 - chance)))
  expect(seen).toEqual({ TypeError: throws, pending: hangs + delays, done: 2_000 - throws - hangs - delays })
  expect(origin.requests).toHaveLength(2_000 - throws - hangs - delays - lies)
  await clock.advance(1_000)
  expect(origin.requests).toHaveLength(2_000 - throws - hangs - lies)
})

test('the same seed, the same trouble', async () => {
  const run = async () => {
    const { clock, trouble, origin } = world({ throws: 0.3, hangs: 0.2, lies: 0.2 })
    const fetch = trouble.transport(origin.fetch)
    const seen: unknown[] = []
    for (let call = 0; call < 50; call++)
      fetch('/a').then(
        ({ status }) => seen.push(status),
        (error: Error) => seen.push(error.message),
      )
    await clock.settle()
    return seen
  }
  expect(await run()).toEqual(await run())
})

test('without a chance nothing is changed, and after stop() neither', async () => {
  const calm = world()
  expect(await outcomes(calm.clock, 20, () => calm.trouble.transport(calm.origin.fetch)('/a'))).toEqual({ done: 20 })
  const { clock, trouble, origin } = world({ throws: 1 })
  trouble.stop()
  expect(await outcomes(clock, 20, () => trouble.transport(origin.fetch)('/a'))).toEqual({ done: 20 })
})

test.each([{ throws: 1.1 }, { lies: -0.1 }, { hangs: Number.NaN }, { throws: 0.6, delays: 0.6 }])(
  '%j is refused',
  (chances) => {
    expect(() => world(chances)).toThrow(RangeError)
  },
)

describe('each port', () => {
  test('a transport that hangs ends with its signal', async () => {
    const { trouble, origin } = world({ hangs: 1 })
    await expect(trouble.transport(origin.fetch)('/a', { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i)
  })

  test('a store: it rejects, hangs, forgets', async () => {
    for (const [chances, expected] of [
      [{ throws: 1 }, { UnknownError: 5 }],
      [{ hangs: 1 }, { pending: 5 }],
      [{ lies: 1 }, { done: 5 }],
    ] as const) {
      const { clock, trouble } = world(chances)
      const store = trouble.store(gatedStore(async () => {}))
      expect(await outcomes(clock, 5, () => store.read([['record', '', ['k']]]))).toEqual(expected)
      expect(await outcomes(clock, 5, () => store.update([], () => [], { durability: 'relaxed' }))).toEqual(expected)
    }
  })

  test('a store and a clock of a class are wrapped with all that they have', async () => {
    const plain = gatedStore(async () => {})
    class OwnStore implements Store {
      readonly inner = plain
      entered = ''
      isClosed = false
      read: Store['read'] = (keys) => this.inner.read(keys)
      update: Store['update'] = (keys, change, options) => this.inner.update(keys, change, options)
      async enter(partition: string) {
        this.entered = partition
        return { log: (await this.inner.read([])).log, removed: { records: 0, bodies: 0, bytes: 0 } }
      }
      async close() {
        this.isClosed = true
      }
    }
    class OwnClock implements Clock {
      readonly inner = virtualClock()
      now() {
        return this.inner.now()
      }
      monotonic() {
        return this.inner.monotonic?.() ?? Number.NaN
      }
      sleep(ms: number, signal?: AbortSignal) {
        return this.inner.sleep(ms, signal)
      }
    }
    const { trouble } = world()
    const [own, ownClock] = [new OwnStore(), new OwnClock()]
    const [store, clock] = [trouble.store(own), trouble.clock(ownClock)]
    await store.enter?.('ada')
    await store.close?.()
    expect([own.entered, own.isClosed]).toEqual(['ada', true])
    await ownClock.inner.advance(7)
    expect([clock.monotonic?.(), clock.now()]).toEqual([7, ownClock.now()])
    const bare = trouble.clock({ now: () => 1, sleep: async () => {} })
    expect(bare.monotonic).toBeUndefined()
    expect(typeof trouble.store(plain).enter).toBe(typeof plain.enter)
  })

  test('a clock is wrong by an hour at most, and its sleeps are longer', async () => {
    const { clock, trouble } = world({ lies: 1 })
    const wrong = trouble.clock(clock)
    const offs = Array.from({ length: 100 }, () => wrong.now() - clock.now())
    expect(Math.max(...offs)).toBeGreaterThan(0)
    expect(Math.min(...offs)).toBeLessThan(0)
    expect(offs.every((off) => Math.abs(off) <= 3_600_000)).toBe(true)
    const slow = world({ delays: 1 })
    expect(await outcomes(slow.clock, 5, () => slow.trouble.clock(slow.clock).sleep(10), 10)).toEqual({ pending: 5 })
    await slow.clock.advance(1_000)
    expect(slow.clock.sleeping).toBe(0)
  })

  test('chance gives extremes', () => {
    const { trouble } = world({ lies: 1 })
    const draws = new Set(Array.from({ length: 20 }, trouble.random(seededRandom(2))))
    expect(draws).toEqual(new Set([0, 1 - 2 ** -53]))
  })

  test('a channel loses, delays, doubles and makes up messages', async () => {
    const posted: unknown[] = []
    const open: OpenChannel = () => ({ post: (message) => void posted.push(message), close() {} })
    const { clock, trouble } = world({ throws: 0.25, delays: 0.25, lies: 0.25 })
    const channel = trouble.channel(open)('nearcache', () => {})
    for (let count = 0; count < 200; count++) channel?.post({ count })
    const { throws, delays, lies } = trouble.counts
    expect(posted).toHaveLength(200 - throws - delays + lies)
    await clock.advance(1_000)
    expect(posted).toHaveLength(200 - throws + lies)
    expect(trouble.channel(() => undefined)('nearcache', () => {})).toBeUndefined()
  })

  test('locks are refused, or given to two', async () => {
    const none: Locks = { request: () => new Promise(() => {}) }
    const refused = world({ throws: 1 })
    await expect(refused.trouble.locks(none).request('k', {}, async () => 'held')).rejects.toThrow(/chaos/)
    const given = world({ lies: 1 })
    expect(await given.trouble.locks(none).request('k', {}, async (granted) => granted)).toBe(true)
  })
})

test.each([1, 2, 3])(
  'a cache on ports that all go wrong answers or fails as fetch does, and is well again afterwards (seed %i)',
  async (seed) => {
    const clock = virtualClock()
    const origin = scriptedOrigin({ clock })
    const trouble = chaos({ random: seededRandom(seed), clock, throws: 0.05, hangs: 0.02, delays: 0.1, lies: 0.05 })
    const cache = createCache({
      clock: trouble.clock(clock),
      random: trouble.random(seededRandom(seed)),
      fetch: trouble.transport(origin.fetch),
      store: trouble.store(gatedStore(async () => {})),
      base: origin.url,
      deadlines: { hardMs: 5_000 },
    })
    origin.serves('/*', ({ path }) => ({
      cacheControl: 'max-age=5, stale-while-revalidate=5, stale-if-error=60',
      etag: '"1"',
      body: `body of ${path}`,
    }))
    const seen = new Map<string, number>()
    for (let read = 0; read < 300; read++) {
      const path = `/${read % 7}`
      const reading = cache.fetch(path).then(
        async (response) =>
          response.ok && (await response.text()) === `body of ${path}` ? 'well' : `status ${response.status}`,
        (error: Error) => error.name,
      )
      reading.then((outcome) => seen.set(outcome, (seen.get(outcome) ?? 0) + 1))
      await clock.advance(500)
    }
    await clock.advance(60_000)
    expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(300)
    expect(seen.get('well')).toBeGreaterThan(200)
    expect(
      [...seen.keys()].filter(
        (outcome) => !['well', 'status 503', 'status 200', 'TypeError', 'TimeoutError'].includes(outcome),
      ),
    ).toEqual([])
    trouble.stop()
    await clock.advance(120_000)
    const last = cache.fetch('/0', { cache: 'reload' }).then((response) => response.text())
    await clock.advance(5_000)
    expect(await last).toBe('body of /0')
    const { requests, hits, stale, validated, misses, bypassed, rejected } = cache.stats()
    expect(hits + stale + validated + misses + bypassed + rejected).toBe(requests)
  },
)
