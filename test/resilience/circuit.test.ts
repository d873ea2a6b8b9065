import { describe, expect, test } from 'vitest'
import type { OpenChannel } from '../../src/ports/channel.ts'
import { type CircuitLimits, type CircuitNews, createCircuits } from '../../src/resilience/circuit.ts'
import {
  type ScriptedResponse,
  scriptedOrigin,
  seededRandom,
  type VirtualClock,
  virtualClock,
} from '../../src/testing/index.ts'

const a = 'https://origin.test/a'
const b = 'https://origin.test/b'
const other = 'https://other.test/'

function world(limits: CircuitLimits = {}, clock: VirtualClock = virtualClock(), tell?: (news: CircuitNews) => void) {
  const origin = scriptedOrigin({ clock })
  const circuits = createCircuits({ clock, random: seededRandom(1), ...(tell && { tell }) }, limits)
  const fetch = circuits.watch(origin.fetch)
  /** Asks so often, one after another. */
  const asks = async (url: string, times = 1, response?: ScriptedResponse) => {
    if (response) origin.serves(url, response)
    for (let time = 0; time < times; time++) await fetch(url).catch(() => {})
  }
  return { ...circuits, clock, origin, fetch, asks }
}

const DEAD = { fault: 'network' } as const
const WELL = { body: 'well' } as const

describe('a circuit opens', () => {
  test.each([[DEAD], [{ status: 500 }], [{ status: 502 }], [{ status: 503 }], [{ status: 504 }]] as const)(
    'after five failures in a row, of which more than one URL has a part: %j (RFC 5861 §4)',
    async (failure) => {
      const { asks, health } = world()
      await asks(a, 3, failure)
      await asks(b, 1, failure)
      expect([a, b].map(health.isIll)).toEqual([false, false])
      await asks(b)
      expect([a, b, 'https://origin.test/never-asked-for'].map(health.isIll)).toEqual([true, true, true])
      expect(health.isIll(other)).toBe(false)
    },
  )

  test('for a URL that fails alone, and for no other of its origin: one broken page says nothing of the rest', async () => {
    const { asks, health } = world()
    await asks(a, 20, { status: 500 })
    expect([a, b].map(health.isIll)).toEqual([true, false])
    expect([health.admits(a), health.admits(b)]).toEqual([false, true])
  })

  test('not where something of the origin succeeds between', async () => {
    const { asks, health } = world()
    await asks(b, 0, WELL)
    for (const url of [a, 'https://origin.test/c', a, 'https://origin.test/d', a, 'https://origin.test/e']) {
      await asks(url, 1, DEAD)
      await asks(b)
    }
    expect(health.isIll(b)).toBe(false)
  })

  test.each([400, 401, 403, 404, 410, 429, 501, 505])('not by %i, which is an answer', async (status) => {
    const { asks, health } = world({ failures: 1 })
    await asks(a, 3, { status })
    expect(health.isIll(a)).toBe(false)
  })

  test('not by the failures of unsafe methods, and not by callers who leave', async () => {
    const { fetch, origin, health, clock } = world({ failures: 1 })
    origin.serves(a, { status: 503 })
    await fetch(a, { method: 'POST' })
    origin.serves(a, { fault: 'hang' })
    for (const waited of [0, 9_999]) {
      const controller = new AbortController()
      const asking = fetch(a, { signal: controller.signal }).catch(() => {})
      await clock.advance(waited)
      controller.abort()
      await asking
    }
    expect(health.isIll(a)).toBe(false)
  })

  test.each([
    ['whoever leaves after ten seconds has waited long enough', 10_000, 'AbortError', true],
    ['so has a deadline of a second', 1_000, 'TimeoutError', true],
    ['a shorter one says more of the caller than of the origin', 999, 'TimeoutError', false],
  ])('by an origin that hangs: %s', async (_, waited, name, isIll) => {
    const { fetch, origin, health, clock } = world({ failures: 1 })
    origin.serves(a, { fault: 'hang' })
    const controller = new AbortController()
    const asking = fetch(a, { signal: controller.signal }).catch(() => {})
    await clock.advance(waited)
    controller.abort(new DOMException('', name))
    await asking
    expect(health.isIll(a)).toBe(isIll)
  })

  test('not by a request during which the machine has slept: it has not waited (F-69)', async () => {
    const { fetch, origin, health, clock } = world({ failures: 1 })
    origin.serves(a, { fault: 'hang' })
    const controller = new AbortController()
    const asking = fetch(a, { signal: controller.signal }).catch(() => {})
    await clock.settle()
    clock.set(clock.now() + 3_600_000)
    controller.abort()
    await asking
    expect(health.isIll(a)).toBe(false)
  })
})

describe('while it is open', () => {
  test('one probe at a time, when it is due: after a second, then after twice as long each time, up to a minute', async () => {
    const { asks, health, clock } = world()
    await asks(a, 5, DEAD)
    let waited = 0
    const waits: number[] = []
    while (waits.length < 9) {
      if (health.admits(a)) {
        expect(health.admits(a)).toBe(false)
        await asks(a)
        waits.push(waited)
        waited = 0
      }
      await clock.advance(250)
      waited += 250
    }
    const steps = [1, 2, 4, 8, 16, 32, 60, 60, 60]
    for (const [index, step] of steps.entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(1_000 * step)
      expect(waits[index]).toBeLessThanOrEqual(1_250 * step + 250)
    }
  })

  test('the first success closes it, whoever made it', async () => {
    const { asks, health, clock } = world()
    await asks(a, 3, DEAD)
    await asks(b, 3, DEAD)
    expect(health.isIll(b)).toBe(true)
    await asks('https://origin.test/c', 1, WELL)
    expect([a, b].map(health.isIll)).toEqual([false, false])
    expect(health.admits(b)).toBe(true)
    // The failures before count no more.
    await asks(b, 1)
    expect(health.isIll('https://origin.test/c')).toBe(false)
    expect(clock.sleeping).toBe(0)
  })

  test('what fails before the probe is due does not put it off', async () => {
    const { asks, health, clock } = world()
    await asks(a, 50, DEAD)
    await clock.advance(1_250)
    expect(health.admits(a)).toBe(true)
  })

  test('a probe that never ends is given up after half a minute', async () => {
    const { asks, health, clock } = world()
    await asks(a, 5, DEAD)
    await clock.advance(1_250)
    expect(health.admits(a)).toBe(true)
    await clock.advance(29_999)
    expect(health.admits(a)).toBe(false)
    await clock.advance(1)
    expect(health.admits(a)).toBe(true)
  })

  test('five minutes after a probe that nobody made nothing is known any more', async () => {
    const { asks, health, clock } = world()
    await asks(a, 5, DEAD)
    await clock.advance(290_000)
    expect(health.isIll(a)).toBe(true)
    await clock.advance(20_000)
    expect(health.isIll(a)).toBe(false)
  })
})

test.each([
  ['a day', 86_400_000],
  ['half an hour', 1_800_000],
  ['six seconds', 6_000],
])('a clock that is set back by %s ends what counted on it (F-68)', async (_, by) => {
  const { asks, health, clock } = world()
  await asks(a, 5, DEAD)
  await asks(b, 1, { status: 429, headers: { 'retry-after': '3000' } })
  expect([health.isIll(a), health.admits(b)]).toEqual([true, false])
  clock.set(clock.now() - by)
  expect([health.isIll(a), health.admits(b)]).toEqual([false, true])
  // Nor does the next failure bring back what was counted by the other time.
  await asks(a, 5)
  await clock.advance(1_250)
  expect(health.admits(a)).toBe(true)
})

test('a clock that is set forward, as after a sleep, lets the probe be due, and after minutes nothing is known any more', async () => {
  const { asks, health, clock } = world()
  await asks(a, 5, DEAD)
  clock.set(clock.now() + 10_000)
  expect([health.isIll(a), health.admits(a), health.admits(a)]).toEqual([true, true, false])
  clock.set(clock.now() + 8 * 3_600_000)
  expect([health.isIll(a), health.admits(a)]).toEqual([false, true])
})

test('what failed without a network makes nobody ill once there is one again, and until then it does (HTML, navigator.onLine)', async () => {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  let online = false
  const { watch, health } = createCircuits({ clock, random: seededRandom(1), isOnline: () => online })
  const fetch = watch(origin.fetch)
  origin.fails('*', 'network')
  for (const url of [a, b, a, b, a]) await fetch(url).catch(() => {})
  expect([health.isIll(a), health.admits(a)]).toEqual([true, false])
  online = true
  expect([health.isIll(a), health.admits(a)]).toEqual([false, true])
  // It can be ill all the same.
  for (const url of [a, b, a, b, a]) await fetch(url).catch(() => {})
  expect(health.isIll(a)).toBe(true)
})

test('a relative URL, as it comes from a cache that was closed, is answered or fails as by fetch', async () => {
  const { fetch, origin, health } = world({ failures: 1 })
  origin.serves('/a', WELL)
  expect((await fetch('/a')).status).toBe(200)
  origin.fails('/a', 'network')
  await expect(fetch('/a')).rejects.toThrow('fetch failed')
  expect([health.isIll(a), health.admits(a)]).toEqual([false, true])
})

test('an outage with ever other URLs: that of the origin is not what is forgotten', async () => {
  const { asks, health, fetch, origin } = world()
  origin.fails('*', 'network')
  await asks(a, 3)
  await asks(b, 3)
  for (let index = 0; index < 1_000; index++) {
    await fetch(`https://origin.test/${index}`).catch(() => {})
    expect(health.isIll(b), `after ${index}`).toBe(true)
  }
})

describe('Retry-After (RFC 9110 §10.2.3)', () => {
  test.each([
    ['seconds', () => '90'],
    ['a date', (now: number) => new Date(now + 90_000).toUTCString()],
  ])('of a 503, as %s, opens at once, and no probe is made before', async (_, value) => {
    const { asks, health, clock } = world()
    await asks(a, 1, { status: 503, headers: { 'retry-after': value(clock.now()) } })
    expect(health.isIll(a)).toBe(true)
    await clock.advance(89_999)
    expect(health.admits(a)).toBe(false)
    // A quarter longer at most: one date may have been told to all.
    await clock.advance(22_501)
    expect(health.admits(a)).toBe(true)
  })

  test('a thousand contexts that were told one date do not come in one moment', async () => {
    const clock = virtualClock()
    const date = new Date(clock.now() + 60_000).toUTCString()
    const told = await Promise.all(
      Array.from({ length: 1_000 }, async (_, seed) => {
        const { watch, health } = createCircuits({ clock, random: seededRandom(seed) })
        await watch(async () => new Response('', { status: 503, headers: { 'retry-after': date } }))(a)
        return health
      }),
    )
    const counts: number[] = []
    for (let second = 0; second <= 75; second++) {
      counts.push(told.filter(({ admits }) => admits(a)).length)
      await clock.advance(1_000)
    }
    expect(counts.slice(0, 60)).toEqual(Array(60).fill(0))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_000)
    expect(Math.max(...counts)).toBeLessThanOrEqual((2 * 1_000) / 15)
  })

  test('of a 503 is believed up to an hour', async () => {
    const { asks, health, clock } = world()
    for (const value of ['999999999', '9'.repeat(400)]) {
      await asks(a, 1, { status: 503, headers: { 'retry-after': value } })
      await clock.advance(4_500_000)
      expect(health.admits(a)).toBe(true)
      await asks(a, 1, WELL)
    }
  })

  test.each(['0', '-5', 'soon', 'Mon, 05 Jan 1970 00:00:00 GMT', ''])(
    'of a 503, as "%s", asks for no time: one failure is one failure',
    async (value) => {
      const { asks, health } = world()
      await asks(a, 1, { status: 503, headers: { 'retry-after': value } })
      expect([health.isIll(a), health.admits(a)]).toEqual([false, true])
    },
  )

  test('said again before the probe is due puts it off by what it says, and not by the whole backoff', async () => {
    const { asks, health, clock } = world({ baseMs: 60_000 })
    await asks(a, 5, { status: 503 })
    await clock.advance(59_000)
    await asks(a, 1, { status: 503, headers: { 'retry-after': '1' } })
    await clock.advance(16_000)
    expect(health.admits(a)).toBe(true)
  })

  test('of a 429 holds back what nobody waits for, and makes nobody ill (RFC 6585 §4, RFC 5861 §4)', async () => {
    const { asks, health, clock } = world()
    await asks(a, 1, { status: 429, headers: { 'retry-after': '60' } })
    expect([health.isIll(a), health.admits(a), health.admits(b)]).toEqual([false, false, true])
    await asks(b, 1, { status: 429, headers: { 'retry-after': '60' } })
    expect(health.admits('https://origin.test/c')).toBe(false)
    await clock.advance(59_999)
    expect(health.admits('https://origin.test/c')).toBe(false)
    await clock.advance(15_001)
    expect(['a', 'b', 'c'].map((path) => health.admits(`https://origin.test/${path}`))).toEqual([true, true, true])
  })
})

describe('two contexts of one profile, over a channel', () => {
  /** Channels by name, in one process; what is posted comes later, if it comes. */
  function air() {
    const ends: { name: string; onMessage: (message: unknown) => void }[] = []
    const open: OpenChannel = (name, onMessage) => {
      const mine = { name, onMessage }
      ends.push(mine)
      return {
        post(message) {
          const copy = structuredClone(message)
          queueMicrotask(() => {
            for (const end of ends) if (end !== mine && end.name === name) end.onMessage(copy)
          })
        },
        close: () => void ends.splice(ends.indexOf(mine), 1),
      }
    }
    return open
  }

  function two() {
    const [clock, open] = [virtualClock(), air()]
    const connected = () => {
      const channel = open('nearcache', (message) => one.hear(message))
      const one: ReturnType<typeof world> = world({}, clock, (news) => channel?.post(news))
      return one
    }
    return { one: connected(), two: connected(), clock }
  }

  test('what the one has learnt of an origin the other one knows', async () => {
    const { one, two: second, clock } = two()
    await one.asks(a, 3, DEAD)
    await one.asks(b, 2, DEAD)
    await clock.settle()
    expect([second.health.isIll(a), second.health.admits(a)]).toEqual([true, false])
    await clock.advance(1_250)
    expect(one.health.admits(a)).toBe(true)
    await clock.settle()
    expect(second.health.admits(b)).toBe(false)
    await one.asks(a, 1, WELL)
    await clock.settle()
    expect([second.health.isIll(b), second.health.admits(b)]).toEqual([false, true])
  })

  test('failures in a row count in all of them together', async () => {
    const { one, two: second, clock } = two()
    for (const [context, url] of [
      [one, a],
      [second, b],
      [one, b],
      [second, a],
    ] as const) {
      await context.asks(url, 1, DEAD)
      await clock.settle()
      expect(context.health.isIll(a)).toBe(false)
    }
    await one.asks(a)
    await clock.settle()
    expect([one, second].map(({ health }) => health.isIll('https://origin.test/c'))).toEqual([true, true])
  })

  test('one URL that fails alone, in however many contexts, makes no origin ill', async () => {
    const { one, two: second, clock } = two()
    for (let time = 0; time < 10; time++) {
      await one.asks(a, 1, DEAD)
      await clock.settle()
      await second.asks(a, 1, DEAD)
      await clock.settle()
    }
    expect([one, second].map(({ health }) => [health.isIll(a), health.isIll(b)])).toEqual([
      [true, false],
      [true, false],
    ])
  })

  test('nor of one URL do both make a probe: it is told by a number that stands for it, and never by itself', async () => {
    const told: unknown[] = []
    const [clock, open] = [virtualClock(), air()]
    open('nearcache', (message) => told.push(message))
    const connected = () => {
      const channel = open('nearcache', (message) => one.hear(message))
      const one: ReturnType<typeof world> = world({}, clock, (news) => channel?.post(news))
      return one
    }
    const [one, second] = [connected(), connected()]
    const secret = 'https://origin.test/of/me?token=abc'
    for (const context of [one, second, one, second, one]) {
      await context.asks(secret, 1, DEAD)
      await clock.settle()
    }
    expect([one, second].map(({ health }) => [health.isIll(secret), health.isIll(b)])).toEqual([
      [true, false],
      [true, false],
    ])
    await clock.advance(1_250)
    expect(one.health.admits(secret)).toBe(true)
    await clock.settle()
    expect(second.health.admits(secret)).toBe(false)
    expect(told.length).toBeGreaterThan(5)
    expect(JSON.stringify(told)).not.toMatch(/\/of|token|abc/)
    await second.asks(secret, 1, WELL)
    await clock.settle()
    expect([one.health.isIll(secret), one.health.admits(secret)]).toEqual([false, true])
  })

  test('what one was asked to leave alone (429) the other one leaves alone, too, and is no news of its health', async () => {
    const { one, two: second, clock } = two()
    const quiet = { status: 429, headers: { 'retry-after': '60' } }
    await second.asks(a, 5, DEAD)
    await clock.settle()
    await one.asks(b, 1, quiet)
    await clock.settle()
    expect([one, second].map(({ health }) => [health.isIll(a), health.isIll(b), health.admits(b)])).toEqual([
      [true, false, false],
      [true, false, false],
    ])
    await clock.advance(75_000)
    expect(second.health.admits(b)).toBe(true)
  })

  const later = (ms: number) => virtualClock().now() + ms

  test.each([
    [undefined],
    [null],
    ['text'],
    [{}],
    [
      {
        v: 2,
        name: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: later(1_000),
        backoffMs: 1_000,
      },
    ],
    [{ v: 1, name: 7, failures: 5, first: 0, isSpread: true, openUntil: later(1_000), backoffMs: 1_000 }],
    [
      {
        v: 1,
        name: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: 'tomorrow',
        backoffMs: 1_000,
      },
    ],
    [
      {
        v: 1,
        name: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: Number.NaN,
        backoffMs: 1_000,
      },
    ],
    [
      {
        v: 1,
        name: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: Number.POSITIVE_INFINITY,
        backoffMs: 1_000,
      },
    ],
    [
      {
        v: 1,
        name: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: later(30 * 86_400_000),
        backoffMs: 1_000,
      },
    ],
    [
      {
        v: 1,
        name: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: later(1_000),
        backoffMs: '1',
      },
    ],
    [{ v: 1, name: 'https://origin.test', failures: 'many', first: 0, openUntil: later(1_000), backoffMs: 1_000 }],
    [{ v: 1, name: 'https://origin.test', failures: 5, openUntil: later(1_000), backoffMs: 1_000 }],
    [
      {
        v: 1,
        name: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: later(1_000),
        backoffMs: {},
      },
    ],
  ])('%j is no news', (message) => {
    const { hear, health } = world()
    hear(message)
    expect([health.isIll(a), health.admits(a)]).toEqual([false, true])
  })

  test('a lie costs no more than a hint may: it ends by itself, and by the first success', async () => {
    const { hear, health, clock, asks } = world()
    const lie = {
      v: 1,
      name: 'https://origin.test',
      failures: 5,
      first: 0,
      isSpread: true,
      openUntil: clock.now() + 3_600_000,
      backoffMs: 1e12,
      probeUntil: 1e15,
    }
    hear(lie)
    expect(health.isIll(a)).toBe(true)
    await asks(b, 1, WELL)
    expect(health.isIll(a)).toBe(false)
    hear(lie)
    await clock.advance(3_600_000)
    expect(health.admits(a)).toBe(true)
  })

  test('whatever is told of however many origins, little of it is remembered', () => {
    const { hear, health, clock } = world()
    for (let index = 0; index < 10_000; index++)
      hear({
        v: 1,
        name: `https://origin-${index}.test`,
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: clock.now() + 1_000,
        backoffMs: 1_000,
      })
    const known = Array.from({ length: 10_000 }, (_, index) => health.isIll(`https://origin-${index}.test/`))
    expect(known.filter(Boolean).length).toBeLessThanOrEqual(200)
  })
})
