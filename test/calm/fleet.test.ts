import { expect, test } from 'vitest'
import type { Core } from '../../src/engine/core.ts'
import type { Presented } from '../../src/engine/presented.ts'
import { refill } from '../../src/engine/refill.ts'
import { decide } from '../../src/http/decide.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { contextAt, logWith, presentedWith, start, storedWith } from '../http/builders.ts'

const BROWSERS = 100_000
const LIFETIME = 3_600_000
/** Everyone who is there looks about this often, in milliseconds. */
const EVERY = 20_000

/** As a database names itself: 128 bits by chance. */
const incarnation = (random: () => number) =>
  Array.from({ length: 4 }, () => Math.floor(random() * 2 ** 32).toString(16)).join('')

/**
 * When each of a hundred thousand browsers, all of which have the same response of the same moment (a deployment, a push message, a CDN's object), asks the origin for it. Each reads at moments of
 * its own; what is decided at each read is what the cache decides.
 *
 * @returns how many in each second, the first second being that in which a lifetime with the greatest phase ends
 */
function requestsBySecond(phase: number, seed: number): number[] {
  const random = seededRandom(seed)
  const stored = storedWith({ 'cache-control': `max-age=${LIFETIME / 1000}`, etag: '"1"' }, { delta: 150 })
  const presented = presentedWith()
  const from = LIFETIME * 0.95
  const counts: number[] = []
  for (let browser = 0; browser < BROWSERS; browser++) {
    const log = logWith([], { incarnation: incarnation(random) })
    const mine = { ...stored, epoch: { incarnation: log.incarnation, number: 0 } }
    let age = from - random() * EVERY
    for (;;) {
      const { cause } = decide(presented, [mine], contextAt(start + age, { log, random, policy: { beta: 1, phase } }))
      if (cause !== 'fresh') break
      age += EVERY * (0.5 + random())
    }
    const second = Math.max(0, Math.floor((age - from) / 1_000))
    counts[second] = (counts[second] ?? 0) + 1
  }
  return Array.from(counts, (count) => count ?? 0)
}

/** The seconds over which a phase of 0.05 spreads an hour. */
const SPREAD = (0.05 * LIFETIME) / 1_000

test('a hundred thousand browsers that have inherited one moment of expiry: the busiest second has at most twice its even share of the spread', {
  timeout: 60_000,
}, () => {
  const counts = requestsBySecond(0.05, 1)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(BROWSERS)
  expect(Math.max(...counts)).toBeLessThanOrEqual((2 * BROWSERS) / SPREAD)
  // Nobody is later than without a phase: the last ones look at the end of the lifetime, and as long after it as they look seldom.
  expect(counts.length).toBeLessThanOrEqual(SPREAD + (1.5 * EVERY) / 1_000 + 1)
})

test('without it they come together: chance at each read is no help to those who read seldom', {
  timeout: 60_000,
}, () => {
  const counts = requestsBySecond(0, 1)
  expect(Math.max(...counts)).toBeGreaterThan((5 * BROWSERS) / SPREAD)
})

/** The window over which a purge asks browsers to read anew what is on their screens, in milliseconds. */
const WINDOW = 60_000
/** How long a purge takes to the slowest browser, in milliseconds. */
const ON_ITS_WAY = 2_000

/**
 * When each of a hundred thousand browsers, all of which show the same response, asks the origin for it after a purge that the feed has brought: at the moment that its cache has drawn, or earlier
 * where its user goes somewhere that reads it, on average every two windows.
 *
 * @returns how many in each second after the purge
 */
function requestsAfterPurge(spreadMs: number, mode: 'soft' | 'hard', seed: number): number[] {
  const random = seededRandom(seed)
  const stored = storedWith({ 'cache-control': 'max-age=3600, stale-while-revalidate=3600', etag: '"1"' })
  const purged = logWith([{ number: 1, selector: { all: true }, mode, at: start }])
  const mine = { ...stored, epoch: { incarnation: purged.incarnation, number: 0 } }
  const looked = [{ request: presentedWith() } as unknown as Presented]
  const counts: number[] = []
  for (let browser = 0; browser < BROWSERS; browser++) {
    const told = random() * ON_ITS_WAY
    let drawn = 0
    const sleep = (ms: number) => {
      drawn = ms
      return new Promise<void>(() => {})
    }
    refill(looked, spreadMs, { random, sleep, background() {}, emit() {} } as unknown as Core, () => true)
    const reads = random() * 4 * WINDOW
    // Until it is told it has what it had.
    const { kind } = decide(presentedWith(), [mine], contextAt(start + reads, { log: purged, random }))
    const asks = reads > told && kind !== 'reuse' ? Math.min(told + drawn, reads) : told + drawn
    const second = Math.floor(asks / 1_000)
    counts[second] = (counts[second] ?? 0) + 1
  }
  return Array.from(counts, (count) => count ?? 0)
}

test.each(['soft', 'hard'] as const)(
  'a hundred thousand browsers that were told of one %s purge: the busiest second has at most twice its even share of the spread',
  { timeout: 60_000 },
  (mode) => {
    const counts = requestsAfterPurge(WINDOW, mode, 1)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(BROWSERS)
    expect(Math.max(...counts)).toBeLessThanOrEqual((2 * BROWSERS) / (WINDOW / 1_000))
    // Whoever was told asks within the window.
    expect(counts.length).toBeLessThanOrEqual((WINDOW + ON_ITS_WAY) / 1_000)
  },
)

test('without a spread they come as the purge comes to them', { timeout: 60_000 }, () => {
  expect(Math.max(...requestsAfterPurge(0, 'soft', 1))).toBeGreaterThan(0.4 * BROWSERS)
})
