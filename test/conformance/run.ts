// `npm run conformance`: runs the public suite in Node and in Chromium and writes what came of it to CONFORMANCE.md.
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
import { renderBlock, replaceBlock } from './report.ts'
import { runCacheInNode } from './run-cache-in-node.ts'
import { runInChromium } from './run-in-chromium.ts'
import { openSuite } from './suite.ts'
import { judge } from './verdict.ts'

const flags = new Set(process.argv.slice(2))
const suite = await openSuite()
process.stdout.write(`http-cache-tests ${suite.version}, ${suite.edition}, fingerprint ${suite.fingerprint}\n`)

// before anything is timed by the clock
if (!flags.has('--node')) ensureBuilt()

const judged = async (results: ReturnType<typeof runCacheInNode>): Promise<Run> => judge(suite.sections, await results)
const [Node, Chromium] = await Promise.all([
  judged(runCacheInNode(suite)),
  flags.has('--node') ? undefined : judged(runInChromium(suite)),
])

const faults: string[] = []
function summarize(environment: Environment, run: Run): void {
  const tally = new Map<string, number>()
  for (const { kind, verdict } of run.values())
    tally.set(`${kind} ${verdict}`, (tally.get(`${kind} ${verdict}`) ?? 0) + 1)
  const counts = [...tally].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name} ${count}`)
  process.stdout.write(`${environment}: ${counts.join(', ')}\n`)
  faults.push(...findFaults(suite, environment, run))
}
summarize('Node', Node)
if (Chromium) summarize('Chromium', Chromium)

if (Chromium && faults.length === 0) {
  const path = join(repository, 'CONFORMANCE.md')
  const before = readFileSync(path, 'utf8')
  const after = replaceBlock(before, suite.edition, renderBlock(suite, { Node, Chromium }))
  if (!flags.has('--check')) writeFileSync(path, after)
  else if (after !== before) faults.push('CONFORMANCE.md is not up to date: run `npm run conformance`')
}
for (const fault of faults) process.stdout.write(`FAILED ${fault}\n`)
process.exit(faults.length > 0 ? 1 : 0)
