// Adds up what the test runners wrote about themselves. As a program: prints "N passed, N failed" for the named reports.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** Where the runners write their reports, from the root of the repository. */
export const reportFolder = '.reports'

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What failed, each by its name and why. */
  readonly failures: readonly string[]
}

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }>
  }>
}

interface PlaywrightSuite {
  readonly title: string
  readonly suites?: readonly PlaywrightSuite[]
  readonly specs: ReadonlyArray<{
    readonly title: string
    readonly ok: boolean
    readonly tests: ReadonlyArray<{
      readonly results: ReadonlyArray<{ readonly error?: { readonly message?: string } }>
    }>
  }>
}

interface PlaywrightReport {
  readonly stats: Readonly<Record<'expected' | 'unexpected' | 'flaky' | 'skipped', number>>
  readonly errors: ReadonlyArray<{ readonly message?: string }>
  readonly suites: readonly PlaywrightSuite[]
}

/** What `npm run mutants` writes: a seeded bug that the tests notice is killed, one that they do not has survived. */
interface MutantsReport {
  readonly killed: readonly string[]
  readonly survived: readonly string[]
}

/** What `npm run soak` writes: rounds after which everything was as it must be, and the one after which it was not. */
interface SoakReport {
  readonly held: number
  readonly broken: readonly unknown[]
}

/** A failure in few words: whoever reads a sum wants to know where to look, not all of it. */
const nameFailure = (name: string, why = ''): string => `${name}: ${why}`.slice(0, 600)

/** A test file that failed by itself (it could not be loaded, or a hook failed and its tests were skipped) counts as one test that failed. */
function readVitest({ numPassedTests, numFailedTests, numPendingTests, testResults }: VitestReport): Counts {
  const files = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  )
  const failures = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === 'failed')
  return {
    passed: numPassedTests,
    failed: numFailedTests + files.length,
    skipped: numPendingTests,
    failures: [
      ...files.map(({ name, message }) => nameFailure(name, message)),
      ...failures.map(({ fullName, failureMessages }) => nameFailure(fullName, failureMessages[0])),
    ],
  }
}

const listFailures = ({ suites = [], specs, title }: PlaywrightSuite): string[] => [
  ...specs
    .filter(({ ok }) => !ok)
    .map((spec) =>
      nameFailure(
        `${title} ${spec.title}`,
        spec.tests.flatMap(({ results }) => results).find(({ error }) => error)?.error?.message,
      ),
    ),
  ...suites.flatMap(listFailures),
]

const readPlaywright = ({ stats, errors, suites }: PlaywrightReport): Counts => ({
  passed: stats.expected,
  failed: stats.unexpected + stats.flaky + errors.length,
  skipped: stats.skipped,
  failures: [...errors.map(({ message }) => nameFailure('error', message)), ...suites.flatMap(listFailures)],
})

const readMutants = ({ killed, survived }: MutantsReport): Counts => ({
  passed: killed.length,
  failed: survived.length,
  skipped: 0,
  failures: survived.map((name) => nameFailure('a mutant survived', name)),
})

const readSoak = ({ held, broken }: SoakReport): Counts => ({
  passed: held,
  failed: broken.length,
  skipped: 0,
  failures: broken.map((what) => nameFailure('broken', typeof what === 'string' ? what : JSON.stringify(what))),
})

/** How each report is read. */
const readers = {
  unit: readVitest,
  chromium: readVitest,
  firefox: readVitest,
  webkit: readVitest,
  conformance: readVitest,
  package: readVitest,
  faults: readVitest,
  'two-users': readVitest,
  worlds: readVitest,
  'playwright-chromium': readPlaywright,
  'playwright-firefox': readPlaywright,
  long: readPlaywright,
  race: readPlaywright,
  mutants: readMutants,
  'soak-pages': readSoak,
  soak: readSoak,
}

/** A report's name, and that of its file without its ending. */
export type ReportName = keyof typeof readers

/**
 * The sum of the named reports, and a note for each thing that a reader of the sum should know: what failed, and what was left out.
 * A report that is missing counts as one failure: its runner did not come to its end. With CI set, so does a skipped test.
 */
export function readTotals(names: readonly ReportName[]): { passed: number; failed: number; notes: string[] } {
  const totals = { passed: 0, failed: 0, notes: [] as string[] }
  for (const name of names) {
    try {
      const report = JSON.parse(readFileSync(`${reportFolder}/${name}.json`, 'utf8'))
      const { passed, failed, skipped, failures } = readers[name](report)
      totals.passed += passed
      totals.failed += process.env.CI ? failed + skipped : failed
      totals.notes.push(...failures.map((failure) => `${name}: FAILED ${failure}`))
      if (skipped > 0) totals.notes.push(`${name}: ${skipped} skipped`)
    } catch (error) {
      totals.failed += 1
      totals.notes.push(`${name}: no report (${error instanceof Error ? error.message : error})`)
    }
  }
  return totals
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { passed, failed, notes } = readTotals(process.argv.slice(2) as ReportName[])
  for (const note of notes) process.stdout.write(`${note}\n`)
  process.stdout.write(`${passed} passed, ${failed} failed\n`)
  process.exit(failed > 0 || passed === 0 ? 1 : 0)
}
