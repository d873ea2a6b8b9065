import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide, numbersOf } from '../../src/http/decide.ts'
import type { PurgeMode } from '../../src/http/message.ts'
import { type Reuse, steadyFor } from '../../src/http/steady.ts'
import { contextAt, httpDate, logWith, presentedWith, seconds, start, storedWith } from './builders.ts'

/** The greatest draw there is: u = 2^−53. */
const greatest = 1 - 2 ** -53

const situation = fc.record({
  maxAge: fc.constantFrom(0, 1, 60, 3_600, 2 ** 31, 2 ** 40),
  immutable: fc.boolean(),
  age: fc.constantFrom(0, 30, 59, 3_000),
  delta: fc.constantFrom(0, 20, 500, 60_000),
  beta: fc.constantFrom(0, 1, 3),
  phase: fc.constantFrom(0, 0.05, 1),
  purge: fc.option(fc.constantFrom<PurgeMode>('soft', 'invalidate', 'hard'), { nil: undefined }),
  asked: fc.option(fc.constantFrom('max-age=30', 'min-fresh=10', 'max-stale', 'no-cache'), { nil: undefined }),
  cacheMode: fc.constantFrom('default' as const, 'force-cache' as const, 'no-cache' as const),
  moment: fc.integer({ min: -5, max: 4_000 }),
  share: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  u: fc.constantFrom(0, 0.5, greatest),
  first: fc.constantFrom(0, 0.5, greatest),
})
type Case = typeof situation extends fc.Arbitrary<infer T> ? T : never

function decisionsOf({ purge, asked, ...one }: Case) {
  const control = `max-age=${one.maxAge}, stale-while-revalidate=60${one.immutable ? ', immutable' : ''}`
  const stored = storedWith(
    { date: httpDate(start), 'cache-control': control, age: String(one.age) },
    { delta: one.delta },
  )
  const presented = presentedWith(asked ? { 'cache-control': asked } : {}, { cacheMode: one.cacheMode })
  const log = logWith(purge ? [{ number: 1, mode: purge, at: start, selector: { all: true } }] : [])
  const policy = { beta: one.beta, phase: one.phase }
  return {
    presented,
    policy,
    at: (now: number, random: number) =>
      decide(presented, [stored], contextAt(now, { log, policy, random: () => random })),
  }
}

test('what is steady is decided as before at each moment until then, with the numbers of that moment, whatever is drawn', () => {
  fc.assert(
    fc.property(situation, (one) => {
      const { presented, policy, at } = decisionsOf(one)
      const now = start + seconds(one.moment)
      const decision = at(now, one.first)
      const ms = Math.floor(one.share * steadyFor(decision, presented, policy))
      if (steadyFor(decision, presented, policy) === 0) return
      const numbers = numbersOf((decision as Reuse).stored, presented, contextAt(now + ms, { policy }))
      expect(at(now + ms, one.u)).toEqual({ ...decision, numbers })
    }),
  )
})

describe('for how long', () => {
  const steady = (maxAge: number, { delta = 0, beta = 1, phase = 0, ...more } = {}) => {
    const stored = storedWith({ 'cache-control': `max-age=${maxAge}` }, { delta })
    const presented = presentedWith({}, more)
    const policy = { beta, phase }
    return steadyFor(decide(presented, [stored], contextAt(start, { policy })), presented, policy)
  }

  test('until it is stale, where nothing is refreshed early (RFC 9111 §4.2)', () => {
    expect(steady(60)).toBe(60_000)
  })

  test('not from the moment on at which the first draw could refresh it: 37 times what a revalidation takes', () => {
    expect(steady(60, { delta: 100 })).toBeCloseTo(60_000 - 100 * 37, 5)
    expect(steady(60, { delta: 100, beta: 0 })).toBe(60_000)
    expect(steady(1, { delta: 100 })).toBe(0)
  })

  test('not in what the phase of this install leaves out', () => {
    const share = (60_000 - steady(60, { phase: 1 })) / 60_000
    expect(share).toBeGreaterThan(0)
    expect(steady(60, { phase: 0.5 })).toBeCloseTo(60_000 * (1 - share / 2), 5)
  })

  test.each([['no-cache'], ['reload'], ['force-cache'], ['only-if-cached']] as const)(
    'not with the cache mode %s',
    (cacheMode) => {
      expect(steady(60, { cacheMode } as object)).toBe(0)
    },
  )

  test('not where the request says anything of its own', () => {
    const presented = presentedWith({ 'cache-control': 'max-age=30' })
    const stored = storedWith({ 'cache-control': 'max-age=60' })
    expect(steadyFor(decide(presented, [stored], contextAt(start)), presented)).toBe(0)
  })
})
