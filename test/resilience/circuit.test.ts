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

  test('by an origin that hangs: whoever leaves after ten seconds has waited long enough', async () => {
    const { fetch, origin, health, clock } = world({ failures: 1 })
    origin.serves(a, { fault: 'hang' })
    const controller = new AbortController()
    const asking = fetch(a, { signal: controller.signal }).catch(() => {})
    await clock.advance(10_000)
    controller.abort()
    await asking
    expect(health.isIll(a)).toBe(true)
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

test('a clock that is set back ends what counted on it', async () => {
  const { asks, health, clock } = world()
  await asks(a, 5, DEAD)
  await asks(b, 1, { status: 429, headers: { 'retry-after': '3000' } })
  expect([health.isIll(a), health.admits(b)]).toEqual([true, false])
  clock.set(clock.now() - 86_400_000)
  expect([health.isIll(a), health.admits(b)]).toEqual([false, true])
})

describe('Retry-After (RFC 9110 §10.2.3)', () => {
  test.each([
    ['seconds', () => '90'],
    ['a date', (now: number) => new Date(now + 90_000).toUTCString()],
  ])('of a 503, as %s, opens at once, and no probe is made before', async (_, value) => {
    const { asks, health, clock } = world()
    await asks(a, 1, { status: 503, headers: { 'retry-after': value(clock.now()) } })
    expect(health.isIll(a)).toBe(true)
    await clock.advance(89_000)
    expect(health.admits(a)).toBe(false)
    await clock.advance(1_000)
    expect(health.admits(a)).toBe(true)
  })

  test('of a 503 is believed up to an hour', async () => {
    const { asks, health, clock } = world()
    await asks(a, 1, { status: 503, headers: { 'retry-after': '999999999' } })
    await clock.advance(3_600_000)
    expect(health.admits(a)).toBe(true)
  })

  test('of a 429 holds back what nobody waits for, and makes nobody ill (RFC 6585 §4, RFC 5861 §4)', async () => {
    const { asks, health, clock } = world()
    await asks(a, 1, { status: 429, headers: { 'retry-after': '60' } })
    expect([health.isIll(a), health.admits(a), health.admits(b)]).toEqual([false, false, true])
    await asks(b, 1, { status: 429, headers: { 'retry-after': '60' } })
    expect(health.admits('https://origin.test/c')).toBe(false)
    await clock.advance(60_000)
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

  const later = (ms: number) => virtualClock().now() + ms

  test.each([
    [undefined],
    [null],
    ['text'],
    [{}],
    [
      {
        v: 2,
        origin: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: later(1_000),
        backoffMs: 1_000,
      },
    ],
    [{ v: 1, origin: 7, failures: 5, first: 0, isSpread: true, openUntil: later(1_000), backoffMs: 1_000 }],
    [
      {
        v: 1,
        origin: 'https://origin.test',
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
        origin: 'https://origin.test',
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
        origin: 'https://origin.test',
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
        origin: 'https://origin.test',
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
        origin: 'https://origin.test',
        failures: 5,
        first: 0,
        isSpread: true,
        openUntil: later(1_000),
        backoffMs: '1',
      },
    ],
    [{ v: 1, origin: 'https://origin.test', failures: 'many', first: 0, openUntil: later(1_000), backoffMs: 1_000 }],
    [{ v: 1, origin: 'https://origin.test', failures: 5, openUntil: later(1_000), backoffMs: 1_000 }],
    [
      {
        v: 1,
        origin: 'https://origin.test',
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
      origin: 'https://origin.test',
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
        origin: `https://origin-${index}.test`,
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
