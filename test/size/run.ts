// `npm run size`: what a page loads that imports createCache, and where the bytes go; every entry, beside what is used instead. Fails above the limit. `-- --write` keeps the sizes in CHANGELOG.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, bundle, ensureBuilt, repository } from './bundle.ts'
import { type Weight, weigh } from './compressed.ts'
import { entries, peers, type Weighed } from './entries.ts'
import { historyLine, withHistoryLine } from './history.ts'

/** What `createCache` with memory, IndexedDB and all of the rules was to weigh, minified and in brotli, in bytes. */
const goal = 9_000

/** What it may weigh: a little more than today. ARCHITECTURE.md says why it is not the goal. */
const limit = 41_900

/** What `nearcache/react` was to weigh on top of it, without React itself, and what it may weigh. */
const reactGoal = 1_500
const reactLimit = 2_700

/** Packages that check what a developer writes: not for a page in production. */
const forbidden = 'node_modules/zod/'

const brotli = (text: string): number => weigh(text).brotli
const kB = (bytes: number): string => `${(bytes / 1000).toFixed(2)} kB`

/** The modules of a bundle, the largest first. */
const byShare = ({ bytes }: Bundle): ReadonlyMap<string, number> =>
  new Map([...bytes].filter(([, one]) => one > 0).sort(([, a], [, b]) => b - a))

/** The folder of `src` that a module lies in, or the package that it is of. */
const groupOf = (path: string): string =>
  /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? /^src\/([^/]+)\//.exec(path)?.[1] ?? 'src'

function print(modules: ReadonlyMap<string, number>, compressed: number): void {
  const total = [...modules.values()].reduce((sum, bytes) => sum + bytes, 0)
  const line = (name: string, bytes: number) =>
    process.stdout.write(
      `${name.padEnd(44)}${String(bytes).padStart(7)}${`${((100 * bytes) / total).toFixed(1)} %`.padStart(9)}` +
        `${String(Math.round((compressed * bytes) / total)).padStart(9)}\n`,
    )
  const groups = new Map<string, Array<readonly [string, number]>>()
  for (const entry of modules) {
    const name = groupOf(entry[0])
    groups.set(name, [...(groups.get(name) ?? []), entry])
  }
  const sizeOf = (entries: ReadonlyArray<readonly [string, number]>) =>
    entries.reduce((sum, [, bytes]) => sum + bytes, 0)
  process.stdout.write(`${''.padEnd(44)}${'minified'.padStart(7)}${'share'.padStart(8)}  ~brotli\n`)
  for (const [name, entries] of [...groups].sort(([, a], [, b]) => sizeOf(b) - sizeOf(a))) {
    line(name, sizeOf(entries))
    if (entries.length > 1) for (const [path, bytes] of entries) line(`  ${path.replace(/^src\//, '')}`, bytes)
  }
  process.stdout.write(
    '~brotli: the share of the whole, in proportion to the minified bytes; modules compress together.\n\n',
  )
}

ensureBuilt()
const contents = "export { createCache } from 'nearcache'"
// What ships is what is weighed; the table needs the modules, so it is made from the sources in the same way.
const shipped = await bundle({ contents }, { format: 'esm' })
const fromSources = await bundle({ contents: "export { createCache } from './src/index.ts'" }, { format: 'esm' })

const size = brotli(shipped.code)
const withHooks = await bundle(
  { contents: "export { createCache } from 'nearcache'\nexport * from 'nearcache/react'" },
  { format: 'esm', external: ['react'] },
)
const reactSize = brotli(withHooks.code) - size
process.stdout.write(
  "`npm run size`: export { createCache } from 'nearcache', esbuild, conditions browser, production, import\n\n",
)
print(byShare(fromSources), brotli(fromSources.code))
process.stdout.write(
  `minified ${kB(shipped.code.length)}, brotli ${kB(size)}, limit ${kB(limit)}, goal ${kB(goal)} (1 kB = 1,000 bytes)\n`,
)

process.stdout.write(
  `nearcache/react on top: brotli ${kB(reactSize)}, limit ${kB(reactLimit)}, goal ${kB(reactGoal)}\n`,
)

/** Each in a bundle of its own, as for production in a browser. */
async function weighed(some: readonly Weighed[]): Promise<ReadonlyMap<string, Weight>> {
  const weights = new Map<string, Weight>()
  for (const { name, contents, external = [] } of some)
    weights.set(name, weigh((await bundle({ contents }, { format: 'esm', external })).code))
  return weights
}

function printWeights(title: string, weights: ReadonlyMap<string, Weight>): void {
  const rows = [...weights].map(
    ([name, { minified, gzip, brotli }]) => `| ${name} | ${kB(minified)} | ${kB(gzip)} | ${kB(brotli)} |`,
  )
  process.stdout.write(`\n| ${title} | minified | gzip | brotli |\n|---|---:|---:|---:|\n${rows.join('\n')}\n`)
}

const ours = await weighed(entries)
printWeights('entry', ours)
const theirs = await weighed(peers)
printWeights('what is used instead', theirs)
process.stdout.write('\n')

const brotliOf = (name: string): number => ours.get(name)?.brotli ?? Number.NaN
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
const line = historyLine(version, [
  size,
  reactSize,
  ...['nearcache/service-worker', 'nearcache/purge-feed', 'nearcache/server'].map(brotliOf),
])
const changelog = join(repository, 'CHANGELOG.md')
const before = readFileSync(changelog, 'utf8')
const after = withHistoryLine(before, line)
if (process.argv.includes('--write')) writeFileSync(changelog, after)
else if (after !== before) process.stdout.write(`CHANGELOG.md has other sizes than ${line}: npm run size -- --write\n`)

if (size > goal) process.stdout.write(`OVER THE GOAL by ${kB(size - goal)}\n`)

const faults = [
  ...(size > limit ? [`${size} bytes are ${size - limit} more than the limit of ${limit}`] : []),
  ...(reactSize > reactLimit
    ? [`nearcache/react: ${reactSize} bytes are ${reactSize - reactLimit} more than the limit of ${reactLimit}`]
    : []),
  ...[...shipped.bytes.keys()].filter((path) => path.includes(forbidden)).map((path) => `${path} is in the bundle`),
]
for (const fault of faults) process.stdout.write(`FAILED ${fault}\n`)
process.exit(faults.length > 0 ? 1 : 0)
