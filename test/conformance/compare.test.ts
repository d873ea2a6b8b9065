import { expect, test } from 'vitest'
import { findDoubts, findFaults } from './compare.ts'
import { deviations } from './deviations.ts'
import type { Results, Suite, SuiteTest } from './suite.ts'
import { judge } from './verdict.ts'

const LISTED = deviations[0]?.id as string

/** A suite of these tests, and what came of it. */
function runOf(tests: readonly SuiteTest[], results: Results) {
  const sections = [{ id: 'all', name: 'all', tests }]
  const suite = { edition: deviations[0]?.edition ?? 'release', sections } as unknown as Suite
  return [suite, 'Node', judge(sections, results)] as const
}
const named = (id: string, more: Partial<SuiteTest> = {}): SuiteTest => ({ id, name: id, ...more })
const FAILED = ['Assertion', 'wrong'] as const

test('what fails and is not listed is a fault; what passes, or is only asked, is none', () => {
  const run = runOf([named('a'), named('b'), named('c', { kind: 'check' })], { a: FAILED, b: true, c: FAILED })
  expect(findFaults(...run)).toEqual(['Node: a (required, failed) Assertion: wrong'])
  expect([...findDoubts(...run)]).toEqual(['a'])
})

test('what is listed and passes is one, too', () => {
  const run = runOf([named(LISTED)], { [LISTED]: true })
  expect(findFaults(...run)).toEqual([`Node: ${LISTED} is listed, and passes`])
  expect([...findDoubts(...run)]).toEqual([LISTED])
})

test('a doubt reaches what is built on and not passed', () => {
  const tests = [
    named('a', { kind: 'check' }),
    named('b', { depends_on: ['a'] }),
    named('c', { depends_on: ['b', 'd'] }),
    named('d'),
  ]
  const run = runOf(tests, { a: FAILED, b: true, c: true, d: true })
  expect(findFaults(...run)).toHaveLength(2)
  expect([...findDoubts(...run)].sort()).toEqual(['a', 'b', 'c'])
})
