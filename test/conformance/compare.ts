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

/** What is wrong with a run: a line for each test that is not passed and not listed, and for each that is listed and passed. */
export function findFaults(suite: Suite, environment: Environment, run: Run): readonly string[] {
  const listed = new Set(listedFor(suite, environment, run).map(({ id }) => id))
  return [...run.values()]
    .filter(({ kind }) => kind !== 'check')
    .flatMap(({ test, kind, verdict, message = 'depends on a test that is not passed' }) => {
      if (verdict === 'passed') return listed.has(test.id) ? [`${environment}: ${test.id} is listed, and passes`] : []
      return listed.has(test.id) ? [] : [`${environment}: ${test.id} (${kind}, ${verdict}) ${message}`]
    })
}
