import { describe, expect, test } from 'vitest'
import { belady, inMemory, leastRecentlyUsed, onDisk } from './policies.ts'
import { roomFor } from './report.ts'
import { scanTrace, shiftTrace, type Trace, zipfTrace } from './traces.ts'

/*
 * What eviction is worth, on made-up traffic that is the same each time. The bounds are a little below what was measured (`npm run eviction`); whoever changes the policy sees at once what it costs.
 */

const makers = { zipf: zipfTrace, scan: scanTrace, shift: shiftTrace }

async function compare(ours: typeof inMemory, trace: Trace, share: number) {
  const room = roomFor(trace, share)
  const [mine, lru, best] = await Promise.all([ours(trace, room), leastRecentlyUsed(trace, room), belady(trace, room)])
  return { mine, lru, best }
}

describe.each([
  ['memory', inMemory, { keys: 1_000, requests: 12_000, seed: 3 }],
  ['disk', onDisk, { keys: 400, requests: 3_000, seed: 4 }],
] as const)('%s', (_, ours, shape) => {
  test.each(['zipf', 'scan'] as const)(
    '%s: clearly more hits than least-recently-used, and no fewer bytes',
    { timeout: 60_000 },
    async (name) => {
      const { mine, lru, best } = await compare(ours, makers[name](shape), 0.1)
      expect(mine.hits).toBeGreaterThan(lru.hits + 0.025)
      expect(mine.bytes).toBeGreaterThan(lru.bytes)
      expect(mine.hits).toBeGreaterThan(0.65 * best.hits)
      expect(mine.hits).toBeLessThan(best.hits)
    },
  )

  test('what is popular changes: about as good as least-recently-used, which forgets fastest', {
    timeout: 60_000,
  }, async () => {
    const { mine, lru, best } = await compare(ours, makers.shift(shape), 0.1)
    expect(mine.hits).toBeGreaterThan(lru.hits - 0.02)
    expect(mine.bytes).toBeGreaterThan(lru.bytes - 0.05)
    expect(mine.hits).toBeGreaterThan(0.6 * best.hits)
  })
})
