/**
 * Kills a real Chromium during writes and purges, and looks at what it leaves: every visible record whole, every resolved purge kept.
 *
 *   npm run soak                                  200 rounds with a seed of its own
 *   SOAK_ROUNDS=20 SOAK_SEED=7 npm run soak       20 rounds with the seed that a failure has named
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { reportFolder } from '../support/reports.ts'
import { soak } from './soak.ts'

const rounds = Number(process.env.SOAK_ROUNDS ?? 200)
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31)

// The browser leads a process group of its own: it ends with this process, however that ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

console.log(`${rounds} rounds, SOAK_SEED=${seed}`)
const started = Date.now()
const result = await soak({
  rounds,
  seed,
  onRound(round) {
    if (round % 20 === 0) console.log(`${round} rounds held, ${((Date.now() - started) / 1000).toFixed(0)} s`)
  },
})

mkdirSync(reportFolder, { recursive: true })
writeFileSync(`${reportFolder}/soak.json`, JSON.stringify(result, null, 2))
console.log(
  Object.entries(result.figures)
    .map(([name, count]) => `${count} ${name}`)
    .join(', '),
)
for (const { round, seen } of result.broken) {
  console.log(`BROKEN in round ${round} with SOAK_SEED=${result.seed}:`)
  for (const one of seen) console.log(`  ${one}`)
}
console.log(`${result.held} rounds held, ${result.broken.length} broken`)
if (result.broken.length > 0) process.exitCode = 1
