/**
 * How often memory and disk have what is asked for, beside what least-recently-used and knowledge of the future would have, in the same room.
 *
 *   npm run eviction
 */
import { belady, inMemory, leastRecentlyUsed, onDisk, type Ratios, recordsOf } from './policies.ts'
import { scanTrace, shiftTrace, type Trace, zipfTrace } from './traces.ts'

const percent = (ratio: number) => `${(100 * ratio).toFixed(1)} %`.padStart(8)

/** Room for this share of everything that a trace asks for. */
export const roomFor = (trace: Trace, share: number): number => {
  const { cost } = recordsOf(trace)
  return Math.round(share * [...new Set(trace.requests)].reduce((sum, key) => sum + cost(key), 0))
}

async function print(
  shape: Parameters<typeof zipfTrace>[0],
  policies: Readonly<Record<string, (trace: Trace, room: number) => Promise<Ratios>>>,
) {
  for (const trace of [zipfTrace(shape), scanTrace(shape), shiftTrace(shape)])
    for (const share of [0.02, 0.1, 0.3]) {
      const room = roomFor(trace, share)
      process.stdout.write(`${trace.name.padEnd(6)} room ${percent(share)}`)
      for (const [name, policy] of Object.entries(policies)) {
        const { hits, bytes } = await policy(trace, room)
        process.stdout.write(`   ${name} ${percent(hits)} ${percent(bytes)}`)
      }
      process.stdout.write('\n')
    }
}

if (process.argv[1]?.endsWith('report.ts')) {
  process.stdout.write('Hits, and bytes of hits, of all requests.\n\n')
  await print({ keys: 4_000, requests: 60_000, seed: 1 }, { memory: inMemory, LRU: leastRecentlyUsed, Belady: belady })
  process.stdout.write('\n')
  await print({ keys: 500, requests: 4_000, seed: 2 }, { disk: onDisk, LRU: leastRecentlyUsed, Belady: belady })
}
