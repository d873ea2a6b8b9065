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

const vitest = (project: string, report: ReportName): string =>
  `vitest run --project ${project} --reporter=default --reporter=json --outputFile.json=${reportFolder}/${report}.json`

/** One engine's end-to-end tests, with a demo of their own. */
const endToEnd = (browser: 'chromium' | 'firefox', port: number): Step => ({
  name: `end to end in ${browser}`,
  command: `E2E_PORT=${port} E2E_REPORT=${reportFolder}/playwright-${browser}.json playwright test --project=${browser}`,
  report: `playwright-${browser}`,
  possible: paths[browser] !== undefined,
})

/** One stage after another. The lanes of a stage run at the same time, each step by step: a browser leaves a processor idle half of the time. */
const stages: ReadonlyArray<ReadonlyArray<readonly Step[]>> = [
  [[{ name: 'check', command: 'npm run --silent check' }]],
  // it waits in real time: nothing runs beside it
  [[{ name: 'conformance', command: vitest('conformance', 'conformance'), report: 'conformance' }]],
  [
    [
      { name: 'tests', command: `${vitest('!package', 'vitest')} --exclude 'test/conformance/**'`, report: 'vitest' },
      {
        name: 'package',
        command: vitest('package', 'package'),
        report: 'package',
        possible: paths.chromium !== undefined,
      },
      { name: 'size', command: 'npm run --silent size' },
    ],
    [endToEnd('firefox', 4799), endToEnd('chromium', 4798)],
  ],
]

rmSync(reportFolder, { recursive: true, force: true })
const failed: string[] = []
const skipped: string[] = []
const ran: ReportName[] = []
/** `isFirst`: of its lane, whose output is shown as it comes. That of another lane is shown when its step has ended, in one piece. */
async function run({ name, command, report, possible = true }: Step, isFirst: boolean): Promise<void> {
  if (!possible && !process.env.CI) {
    skipped.push(name)
    return
  }
  process.stdout.write(`\n== ${name}${isFirst ? '' : ', meanwhile'}\n`)
  const started = Date.now()
  // through a shell: npm has put node_modules/.bin on its path
  const child = spawn(command, { stdio: isFirst ? 'inherit' : ['ignore', 'pipe', 'pipe'], shell: true })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => output.push(bytes))
  const [status] = await once(child, 'close')
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  process.stdout.write(Buffer.concat(output))
  process.stdout.write(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'}, ${seconds} s\n`)
  if (status !== 0) failed.push(name)
  if (report) ran.push(report)
}
async function inTurn(lane: readonly Step[], isFirst: boolean): Promise<void> {
  for (const step of lane) await run(step, isFirst)
}
for (const lanes of stages) await Promise.all(lanes.map((lane, index) => inTurn(lane, index === 0)))

const totals = readTotals(ran)
process.stdout.write(`\n${totals.notes.map((note) => `${note}\n`).join('')}`)
if (skipped.length > 0) process.stdout.write(`SKIPPED, for want of a browser: ${skipped.join(', ')}\n`)
if (failed.length > 0) process.stdout.write(`FAILED: ${failed.join(', ')}\n`)
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`)
process.exit(failed.length > 0 || totals.failed > 0 || totals.passed === 0 ? 1 : 0)
