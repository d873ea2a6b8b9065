// `npm run bench`: nearcache beside what one would use instead, all in one run, as ratios; `npm run bench -- hits tabs` for some parts. No figure fails it: only a part that broke, and a whole run that leaves a verdict open.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt, repository } from '../size/bundle.ts'
import { paths } from '../support/browsers.ts'
import { measureDisk } from './disk.ts'
import {
  measureColdStart,
  measureGrowthOnDisk,
  measureHits,
  measureHooks,
  measureTabs,
  measureWorkers,
} from './in-chromium.ts'
import { inFreshNode } from './node.ts'
import { readmeTable } from './readme.ts'
import { asMarkdown, type Table } from './table.ts'
import { budgets, judge, unmeasured, verdictsAsMarkdown } from './verdicts.ts'

interface Part {
  readonly inBrowser: boolean
  measure(): AsyncIterable<Table>
}

const inNode = (entry: string): Part => ({ inBrowser: false, measure: () => inFreshNode(entry) })
const inPage = (measure: () => Promise<readonly Table[]>): Part => ({
  inBrowser: true,
  async *measure() {
    yield* await measure()
  },
})

const parts: Readonly<Record<string, Part>> = {
  node: inNode('test/bench/in-node.ts'),
  hits: inPage(measureHits),
  start: inPage(measureColdStart),
  disk: inPage(measureDisk),
  worker: inPage(measureWorkers),
  tabs: inPage(measureTabs),
  hooks: inPage(measureHooks),
  growth: inPage(measureGrowthOnDisk),
  purges: inNode('test/bench/purges-in-node.ts'),
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in parts))
if (unknown.length > 0) throw new RangeError(`No part ${unknown}; there are ${Object.keys(parts)}`)
ensureBuilt()

const tables: Table[] = []
const lines = [
  `\`npm run bench${wanted.map((name) => ` ${name}`).join('')}\`: medians, with where the middle half of the samples lies, or one sample where it says so; Node ${process.versions.node}, ${cpus().length} processors. The first line of each table is 1.`,
]
const say = (text: string) => {
  lines.push(text)
  process.stdout.write(`${text}\n\n`)
}
process.stdout.write(`${lines[0]}\n\n`)
/** To whoever waits, and not into the report. */
const progress = (text: string) => process.stderr.write(`[${Math.round(performance.now() / 1000)} s] ${text}\n`)
for (const [name, { inBrowser, measure }] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  progress(`${name} …`)
  if (inBrowser && !paths.chromium) {
    say(`SKIPPED: ${name}, since Chromium is not on this machine`)
    continue
  }
  try {
    for await (const table of measure()) {
      tables.push(table)
      say(asMarkdown(table))
    }
  } catch (error) {
    // What else there is to measure is measured all the same.
    say(`FAILED: ${name}: ${error}`)
    process.exitCode = 1
  }
}
progress('done')
const verdicts = budgets.map((budget) => judge(budget, tables))
say(verdictsAsMarkdown(verdicts))
const open = unmeasured(verdicts)
if (wanted.length === 0 && paths.chromium && open.length > 0) {
  say(`FAILED: nothing was measured of ${open.join('; ')}`)
  process.exitCode = 1
}
const forReadme = readmeTable(tables)
if (forReadme) say(`What README.md says of it:\n\n${forReadme}`)

const folder = join(repository, '.reports')
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'bench.md'), `${lines.join('\n\n')}\n`)
writeFileSync(
  join(folder, 'bench.json'),
  `${JSON.stringify({ node: process.versions.node, processors: cpus().length, parts: wanted, tables, verdicts }, undefined, 2)}\n`,
)
process.stdout.write('Written to .reports/bench.md and .reports/bench.json\n')
