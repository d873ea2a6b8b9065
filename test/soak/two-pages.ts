/**
 * Two pages of a real Chromium and their worker use one cache at random, and must leave nothing behind.
 *
 *   npm run soak:pages                            10 minutes with a seed of its own
 *   SOAK_SECONDS=60 SOAK_SEED=7 npm run soak:pages
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { reportFolder } from '../support/reports.ts'
import { soakPages } from './pages.ts'

const seconds = Number(process.env.SOAK_SECONDS ?? 600)
const seed = Number(process.env.SOAK_SEED ?? Date.now() % 2 ** 31)

// The browser leads a process group of its own: it ends with this process, however that ends.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

console.log(`${seconds} s, SOAK_SEED=${seed}`)
const result = await soakPages({ seconds, seed })
mkdirSync(reportFolder, { recursive: true })
writeFileSync(`${reportFolder}/soak-pages.json`, JSON.stringify(result, null, 2))
console.log(
  Object.entries(result.figures)
    .map(([name, count]) => `${count} ${name}`)
    .join(', '),
)
for (const one of result.broken) console.log(`BROKEN with SOAK_SEED=${seed}: ${one}`)
console.log(`${result.held} contexts held, ${result.broken.length} broken`)
if (result.broken.length > 0) process.exitCode = 1
