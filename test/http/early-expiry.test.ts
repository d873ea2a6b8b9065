import { describe, expect, test } from 'vitest'
import { decide } from '../../src/http/decide.ts'
import { installShare, isEarly } from '../../src/http/early-expiry.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { contextAt, logWith, presentedWith, start, storedWith } from './builders.ts'

/*
 * The law of Vattani, Chierichetti, Lowenstein (PVLDB 8(8), 2015), measured. Every bound is one that a right implementation misses in one of a million runs; the draws are seeded, so it never does.
 */

/** Of a normal distribution, the quantile that one in a million exceeds to either side. */
const Z = 4.892
/** How far a count of `trials` draws of probability `p` may be from its mean. */
const binomialBound = (trials: number, p: number) => Z * Math.sqrt(trials * p * (1 - p)) + 1
/** How far an empirical distribution function may be from the true one (Dvoretzky, Kiefer, Wolfowitz; Massart's constant). */
const kolmogorovBound = (samples: number) => Math.sqrt(Math.log(2e6) / (2 * samples))

const LIFETIME = 3_600_000

/** Reads of a response that took `delta` to revalidate, `remaining` before it expires, as the cache decides them. */
function reader(delta: number, beta = 1, lifetime = LIFETIME) {
  const stored = storedWith({ 'cache-control': `max-age=${lifetime / 1000}` }, { delta })
  const presented = presentedWith()
  return (remaining: number, random: () => number): boolean => {
    const context = contextAt(start + lifetime - remaining, { random, policy: { beta } })
    return decide(presented, [stored], context).kind === 'reuse-and-revalidate'
  }
}

/** The same by the rule alone: a read costs nanoseconds. */
const drawsEarly = (remaining: number, delta: number, random: () => number, beta = 1, lifetime = LIFETIME) =>
  isEarly({ remaining, lifetime, delta, beta, phaseMs: 0 }, random)

/** The greatest distance between the samples' distribution function and `cdf`. Samples may be equal where `cdf` jumps. */
function kolmogorovDistance(samples: readonly number[], cdf: (value: number) => number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted.reduce((worst, value, index) => {
    const [below, upTo] = [sorted.indexOf(value) === index ? index : undefined, index + 1]
    const next = sorted[upTo]
    const distances = [
      below === undefined || value === 0 ? 0 : Math.abs(cdf(value) - below / sorted.length),
      next === value ? 0 : Math.abs(cdf(value) - upTo / sorted.length),
    ]
    return Math.max(worst, ...distances)
  }, 0)
}

const exponential = (rate: number, random: () => number) => -Math.log(1 - random()) / rate

describe('one read (point law)', () => {
  const trials = 40_000

  test.each([0.05, 0.25, 0.5, 1, 2, 3, 5])('%s × βδ before expiry it refreshes with probability e^−ratio', (ratio) => {
    for (const [delta, beta] of [
      [400, 1],
      [1_300, 0.5],
      [350, 3],
    ] as const) {
      const random = seededRandom(Math.round(1000 * ratio) + delta)
      const read = reader(delta, beta)
      let early = 0
      for (let trial = 0; trial < trials; trial++) if (read(ratio * beta * delta, random)) early++
      const p = Math.exp(-ratio)
      expect(Math.abs(early - trials * p), `δ ${delta}, β ${beta}: ${early}`).toBeLessThan(binomialBound(trials, p))
    }
  })

  test('only τ/(βδ) counts: all times twice as long, or half of β with twice δ, and each draw decides the same', () => {
    const draws = (scale: number, beta: number, delta: number) => {
      const random = seededRandom(7)
      return Array.from({ length: 5_000 }, (_, read) =>
        drawsEarly((read % 64) * 32 * scale + 1 * scale, delta, random, beta, LIFETIME * scale),
      )
    }
    const one = draws(1, 1, 512)
    expect(one.filter(Boolean).length).toBeGreaterThan(1_000)
    expect(draws(2, 1, 1_024)).toEqual(one)
    expect(draws(1, 0.5, 1_024)).toEqual(one)
    expect(draws(1, 4, 128)).toEqual(one)
  })

  test('u lies in (0, 1]: a draw of 0 is the last to refresh, and no draw is an infinite lead', () => {
    const read = reader(1_000)
    expect(read(1, () => 0)).toBe(false)
    expect(read(1_000 * Math.log(2 ** 53) + 1, () => 1 - 2 ** -53)).toBe(false)
    expect(read(1_000 * Math.log(2 ** 53) - 1, () => 1 - 2 ** -53)).toBe(true)
  })

  test('chance is drawn for fresh responses only', () => {
    let drawn = 0
    const random = () => ++drawn && 0
    const read = reader(1_000)
    for (const remaining of [-1, 0, -LIFETIME]) read(remaining, random)
    expect(drawn).toBe(0)
    read(1, random)
    expect(drawn).toBe(1)
  })

  test('a clamp of its own: βδ counts as a quarter of the lifetime where it is more', () => {
    for (const ratio of [0.5, 2]) {
      const random = seededRandom(11)
      const read = reader(50 * LIFETIME)
      let early = 0
      for (let trial = 0; trial < trials; trial++) if (read((ratio * LIFETIME) / 4, random)) early++
      const p = Math.exp(-ratio)
      expect(Math.abs(early - trials * p)).toBeLessThan(binomialBound(trials, p))
    }
  })
})

describe('many reads, at moments of their own (a Poisson stream)', () => {
  /** How long before expiry the first read of a stream refreshes; 0: none does. */
  function leadOf(rate: number, delta: number, beta: number, random: () => number, from: number): number {
    for (let left = from - exponential(rate, random); left > 0; left -= exponential(rate, random))
      if (drawsEarly(left, delta, random, beta)) return left
    return 0
  }

  test.each([
    [0.004, 500, 1],
    [0.02, 500, 1],
    [0.05, 250, 2],
    [0.05, 1_000, 0.5],
  ])(
    'the lead of the first refresh is distributed as exp(−λβδ·e^(−τ/βδ)) (%s reads per ms, δ %d, β %s; Kolmogorov–Smirnov)',
    (rate, delta, beta) => {
      const random = seededRandom(rate * 1e6 + delta)
      const scale = beta * delta
      const samples = Array.from({ length: 4_000 }, () => leadOf(rate, delta, beta, random, 20 * scale))
      const cdf = (lead: number) => Math.exp(-rate * scale * Math.exp(-lead / scale))
      expect(kolmogorovDistance(samples, cdf)).toBeLessThan(kolmogorovBound(samples.length))
    },
  )

  test.each([0.5, 1, 2])(
    'with β %s and no single flight, e^(1/β) refreshes begin on average before the first is done',
    (beta) => {
      const [delta, runs, rate] = [1_000, 2_500, 0.15]
      const random = seededRandom(beta * 100)
      const sizes = Array.from({ length: runs }, () => {
        let [size, done] = [0, Number.NEGATIVE_INFINITY]
        for (let left = 12 * beta * delta; left > done; left -= exponential(rate, random)) {
          if (left <= 0) throw new Error('The response expired first: the law does not speak of that')
          if (!drawsEarly(left, delta, random, beta)) continue
          if (size === 0) done = left - delta
          size++
        }
        return size
      })
      const mean = sizes.reduce((sum, size) => sum + size, 0) / runs
      // Those that follow the first are geometrically distributed.
      const others = Math.exp(1 / beta) - 1
      expect(Math.abs(mean - 1 - others), `mean ${mean}`).toBeLessThan(Z * Math.sqrt((others + others ** 2) / runs))
    },
  )

  test('read seldom, it is refreshed early by βδ/lifetime of its fresh reads, and by (1 − e^−4)/4 where the clamp holds', () => {
    const reads = 60_000
    for (const [lifetime, delta, beta] of [
      [60_000, 500, 1],
      [60_000, 6_000, 2],
      [10_000, 1_000_000, 1],
    ] as const) {
      const random = seededRandom(lifetime + delta)
      const scale = Math.min(beta * delta, lifetime / 4)
      const share = (scale / lifetime) * (1 - Math.exp(-lifetime / scale))
      const read = reader(delta, beta, lifetime)
      let early = 0
      for (let trial = 0; trial < reads; trial++) if (read(lifetime * (1 - random()), random)) early++
      expect(Math.abs(early - reads * share), `${early} of ${reads}`).toBeLessThan(binomialBound(reads, share))
    }
  })
})

describe('the phase of an install', () => {
  const incarnations = (seed: number, count: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: count }, () =>
      Array.from({ length: 8 }, () =>
        Math.floor(0x10000 + random() * 0x10000)
          .toString(16)
          .slice(1),
      ).join(''),
    )
  }

  test('is one number of [0, 1) for one life of a database, and evenly spread over many (Kolmogorov–Smirnov)', () => {
    for (const names of [incarnations(1, 20_000), Array.from({ length: 20_000 }, (_, index) => `install ${index}`)]) {
      const shares = names.map(installShare)
      expect(shares.every((share) => share >= 0 && share < 1)).toBe(true)
      expect(names.map(installShare)).toEqual(shares)
      expect(kolmogorovDistance(shares, (share) => share)).toBeLessThan(kolmogorovBound(shares.length))
    }
  })

  const at = (age: number, incarnation: string, phase: number, value = 'max-age=1000') => {
    const stored = storedWith({ 'cache-control': value }, { epoch: { incarnation, number: 0 } })
    const log = logWith([], { incarnation })
    return decide(presentedWith(), [stored], contextAt(start + age, { log, policy: { beta: 0, phase } }))
  }

  test('lets it be early by its share of the lifetime, never late, and shows by how much', () => {
    for (const incarnation of incarnations(2, 200)) {
      const phaseMs = 0.05 * 1_000_000 * installShare(incarnation)
      expect(at(0, incarnation, 0.05)).toMatchObject({ numbers: { phaseMs, lifetimeMs: 1_000_000 } })
      const turn = Math.ceil(1_000_000 - phaseMs)
      if (turn < 1_000_000) expect(at(turn, incarnation, 0.05)).toMatchObject({ cause: 'early-refresh' })
      expect(at(turn - 1, incarnation, 0.05)).toMatchObject({ cause: 'fresh' })
      expect(at(950_000 - 1, incarnation, 0.05)).toMatchObject({ cause: 'fresh' })
      expect(at(1_000_000, incarnation, 0.05)).toMatchObject({ kind: 'forward', cause: 'expired' })
    }
  })

  test('is the same at each read, whatever is drawn', () => {
    const [incarnation] = incarnations(3, 1)
    const phases = new Set(
      Array.from({ length: 50 }, (_, read) => {
        const decision = at(read * 1_000, incarnation as string, 0.05)
        return 'numbers' in decision && decision.numbers?.phaseMs
      }),
    )
    expect(phases.size).toBe(1)
  })

  test('is none with a phase of 0, and none for immutable (RFC 8246 §2)', () => {
    for (const incarnation of incarnations(4, 50)) {
      expect(at(999_999, incarnation, 0)).toMatchObject({ cause: 'fresh' })
      const immutable = at(999_999, incarnation, 1, 'max-age=1000, immutable')
      expect(immutable).toMatchObject({ cause: 'fresh' })
      expect('numbers' in immutable && immutable.numbers).not.toHaveProperty('phaseMs')
    }
  })
})
