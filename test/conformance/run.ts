// `npm run conformance`: runs the public suite in Node, Chromium, Firefox and WebKit and writes what came of it to CONFORMANCE.md.
//
//   npm run conformance              the npm package http-cache-tests
//   HTTP_CACHE_TESTS=<folder> ...    another copy of the suite, such as a checkout of http-tests/cache-tests
//   npm run conformance -- --check   writes nothing, and fails when CONFORMANCE.md does not say what came of it
//   npm run conformance -- --node    in Node alone; prints and writes nothing
//
// It fails when a required or optimal test is not passed that test/conformance/deviations.ts does not list, and when one is that it lists.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt, repository } from '../size/bundle.ts'
import { findFaults, type Run } from './compare.ts'
import type { Environment } from './deviations.ts'
import { type Runs, renderBlock, replaceBlock } from './report.ts'
import { browsers } from './run-in-browser.ts'
import { runJudged } from './run-judged.ts'
import { openSuite } from './suite.ts'

const flags = new Set(process.argv.slice(2))
const suite = await openSuite()
process.stdout.write(`http-cache-tests ${suite.version}, ${suite.edition}, fingerprint ${suite.fingerprint}\n`)

// before anything is timed by the clock
if (!flags.has('--node')) ensureBuilt()

const faults: string[] = []
function summarize(environment: Environment, run: Run): void {
  const tally = new Map<string, number>()
  for (const { kind, verdict } of run.values())
    tally.set(`${kind} ${verdict}`, (tally.get(`${kind} ${verdict}`) ?? 0) + 1)
  const counts = [...tally].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name} ${count}`)
  process.stdout.write(`${environment}: ${counts.join(', ')}\n`)
  faults.push(...findFaults(suite, environment, run))
}
// One after another: the suite waits in real time, and what a busy machine answers late it takes for wrong.
const runs: Partial<Record<Environment, Run>> = {}
async function run(environment: Environment): Promise<void> {
  const done = await runJudged(suite, environment)
  runs[environment] = done
  summarize(environment, done)
}
await run('Node')
if (!flags.has('--node')) for (const name of browsers) await run(name)

if (flags.has('--node')) process.stdout.write('In Node alone: nothing is written\n')
else if (browsers.length < 3) process.stdout.write(`Only ${browsers.join(', ')} on this machine: nothing is written\n`)
else if (faults.length === 0) {
  const path = join(repository, 'CONFORMANCE.md')
  const before = readFileSync(path, 'utf8')
  const after = replaceBlock(before, suite.edition, renderBlock(suite, runs as Runs))
  if (!flags.has('--check')) writeFileSync(path, after)
  else if (after !== before) faults.push('CONFORMANCE.md is not up to date: run `npm run conformance`')
}
for (const fault of faults) process.stdout.write(`FAILED ${fault}\n`)
process.exit(faults.length > 0 ? 1 : 0)
