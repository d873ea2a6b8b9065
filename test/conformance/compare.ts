import { type Deviation, deviations, type Environment } from './deviations.ts'
import type { Suite } from './suite.ts'
import type { Judged } from './verdict.ts'

/** The judged tests of one run, by id. */
export type Run = ReadonlyMap<string, Judged>

/** The listed deviations that are about this edition of the suite, in this environment, and about a test that judges. */
export function listedFor(suite: Suite, environment: Environment, run: Run): readonly Deviation[] {
  return deviations.filter(({ id, only = [environment], edition = suite.edition }) => {
    const kind = run.get(id)?.kind
    return only.includes(environment) && edition === suite.edition && kind !== undefined && kind !== 'check'
  })
}

/** The tests whose outcome is not the expected one: not passed and not listed, or listed and passed. */
function unexpected(suite: Suite, environment: Environment, run: Run): readonly Judged[] {
  const listed = new Set(listedFor(suite, environment, run).map(({ id }) => id))
  return [...run.values()].filter(
    ({ test, kind, verdict }) => kind !== 'check' && (verdict === 'passed') === listed.has(test.id),
  )
}

/** What is wrong with a run: a line for each test that is not passed and not listed, and for each that is listed and passed. */
export const findFaults = (suite: Suite, environment: Environment, run: Run): readonly string[] =>
  unexpected(suite, environment, run).map(
    ({ test, kind, verdict, message = 'depends on a test that is not passed' }) =>
      verdict === 'passed'
        ? `${environment}: ${test.id} is listed, and passes`
        : `${environment}: ${test.id} (${kind}, ${verdict}) ${message}`,
  )

/** What would have to be run again to believe those faults: the tests themselves, and what they build on and is not passed. */
export function findDoubts(suite: Suite, environment: Environment, run: Run): ReadonlySet<string> {
  const doubts = new Set<string>()
  const doubt = ({ test }: Judged): void => {
    if (doubts.has(test.id)) return
    doubts.add(test.id)
    for (const id of test.depends_on ?? []) {
      const dependency = run.get(id)
      if (dependency && dependency.verdict !== 'passed') doubt(dependency)
    }
  }
  unexpected(suite, environment, run).forEach(doubt)
  return doubts
}
