import { type Kind, kindOf, type Results, type SuiteSection, type SuiteTest } from './suite.ts'

/**
 * What a result says of the cache, as the suite's own summary reads it.
 *
 * `dependency`: a test that this one builds on was not passed (or a question that it builds on was answered "no"), so
 * it says nothing, whatever its result. `setup`: the test did not come to its point.
 */
export type Verdict = 'passed' | 'failed' | 'dependency' | 'setup' | 'untested'

export interface Judged {
  readonly test: SuiteTest
  readonly kind: Kind
  readonly verdict: Verdict
  /** What the suite said, where the test was not passed. */
  readonly message?: string
}

/** Reads the results of all the tests of these sections. */
export function judge(sections: readonly SuiteSection[], results: Results): ReadonlyMap<string, Judged> {
  const tests = new Map(sections.flatMap((section) => section.tests.map((test) => [test.id, test] as const)))
  const judged = new Map<string, Judged>()

  function verdictOf(test: SuiteTest): Verdict {
    const result = results[test.id]
    if (result === undefined) return 'untested'
    const isMet = (id: string): boolean => {
      const dependency = tests.get(id)
      return dependency !== undefined && verdictOf(dependency) === 'passed'
    }
    if (test.depends_on?.every(isMet) === false) return 'dependency'
    if (result === true) return 'passed'
    return result[0] === 'Setup' || result[0] === 'AbortError' ? 'setup' : 'failed'
  }

  for (const test of tests.values()) {
    const result = results[test.id]
    const verdict = verdictOf(test)
    const message = result === undefined || result === true ? undefined : `${result[0]}: ${result[1]}`
    judged.set(test.id, { test, kind: kindOf(test), verdict, ...(message === undefined ? {} : { message }) })
  }
  return judged
}
