// `npm test`: everything that a pull request needs. A failed step does not keep the later ones from running, so that one
// run tells all. The last line counts the tests from the runners' own reports.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { paths } from './browsers.ts'
import { type ReportName, readTotals, reportFolder } from './reports.ts'

interface Step {
  readonly name: string
  readonly command: string
  /** The report that its runner writes, where it is one that counts tests. */
  readonly report?: ReportName
  /** Whether it needs nothing that this machine lacks. In CI a step is never left out: there it fails instead. */
  readonly possible?: boolean
}

const vitest = (projects: readonly string[], report: ReportName): string =>
  `vitest run ${projects.map((project) => `--project ${project}`).join(' ')} --reporter=default --reporter=json --outputFile.json=${reportFolder}/${report}.json`

/** The tests in pages of one engine, and those that drive that engine from outside. */
const inBrowser = (browser: 'chromium' | 'firefox' | 'webkit', ...more: string[]): Step => ({
  name: `tests in ${browser}`,
  command: vitest([browser, ...more], browser),
  report: browser,
  possible: paths[browser] !== undefined,
})

/** One engine's end-to-end tests, with a demo of their own. */
const endToEnd = (browser: 'chromium' | 'firefox', port: number): Step => ({
  name: `end to end in ${browser}`,
  command: `E2E_PORT=${port} E2E_REPORT=${reportFolder}/playwright-${browser}.json playwright test --project=${browser}`,
  report: `playwright-${browser}`,
  possible: paths[browser] !== undefined,
})

/** One after another; what stands together runs at the same time. */
const steps: ReadonlyArray<readonly Step[]> = [
  [{ name: 'check', command: 'npm run --silent check' }],
  // All processors for what computes; browsers have processes of their own.
  [{ name: 'tests', command: `${vitest(['unit', 'dom', 'react-18'], 'unit')} --maxWorkers=100%`, report: 'unit' }],
  [inBrowser('chromium', 'soak'), inBrowser('firefox'), inBrowser('webkit', 'driverless')],
  // By itself: the public suite waits in real time, in all engines at once, and takes what comes late for wrong.
  [{ name: 'conformance', command: vitest(['conformance'], 'conformance'), report: 'conformance' }],
  [
    {
      name: 'package',
      command: vitest(['package'], 'package'),
      report: 'package',
      possible: paths.chromium !== undefined,
    },
  ],
  [endToEnd('chromium', 4798), endToEnd('firefox', 4799)],
  [{ name: 'size', command: 'npm run --silent size' }],
]

rmSync(reportFolder, { recursive: true, force: true })
const failed: string[] = []
const skipped: string[] = []
const ran: ReportName[] = []
async function run({ name, command, report, possible = true }: Step): Promise<void> {
  if (!possible && !process.env.CI) {
    skipped.push(name)
    return
  }
  process.stdout.write(`\n== ${name}\n`)
  const started = Date.now()
  // through a shell: npm has put node_modules/.bin on its path
  const [status] = await once(spawn(command, { stdio: 'inherit', shell: true }), 'close')
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  process.stdout.write(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'}, ${seconds} s\n`)
  if (status !== 0) failed.push(name)
  if (report) ran.push(report)
}
for (const together of steps) await Promise.all(together.map(run))

const totals = readTotals(ran)
process.stdout.write(`\n${totals.notes.map((note) => `${note}\n`).join('')}`)
if (skipped.length > 0) process.stdout.write(`SKIPPED, for want of a browser: ${skipped.join(', ')}\n`)
if (failed.length > 0) process.stdout.write(`FAILED: ${failed.join(', ')}\n`)
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`)
process.exit(failed.length > 0 || totals.failed > 0 || totals.passed === 0 ? 1 : 0)
