import { Bench } from 'tinybench'

/** One of several ways to do the same. */
export interface Contender {
  readonly name: string
  run(): unknown
}

/** How long one call takes, in microseconds: the median of many samples, in the best of several rounds. */
export interface Measured {
  readonly name: string
  readonly microseconds: number
}

/** A sample shorter than this is lost in the timer's grain, which is a tenth of a millisecond in a page. */
const sampleMs = 10
const warmupMs = 200
const roundMs = 500
const rounds = 3

/** How many calls fill one sample, once they are as fast as they get. */
async function calibrate(run: () => unknown): Promise<number> {
  for (const end = performance.now() + warmupMs; performance.now() < end; ) await run()
  for (let calls = 1; ; calls *= 2) {
    const started = performance.now()
    for (let call = 0; call < calls; call++) await run()
    if (performance.now() - started >= sampleMs) return calls
  }
}

/** Measures the contenders one after another, round after round, so that a machine that slows down slows all of them. */
export async function measure(contenders: readonly Contender[]): Promise<readonly Measured[]> {
  const best = new Map<string, number>()
  const calls = new Map<string, number>()
  for (const { name, run } of contenders) calls.set(name, await calibrate(run))
  for (let round = 0; round < rounds; round++) {
    const bench = new Bench({ time: roundMs, warmupTime: warmupMs })
    for (const { name, run } of contenders) {
      const count = calls.get(name) ?? 1
      bench.add(name, async () => {
        for (let call = 0; call < count; call++) await run()
      })
    }
    await bench.run()
    for (const { name, result } of bench.tasks) {
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`, { cause: result })
      const microseconds = (result.latency.p50 * 1000) / (calls.get(name) ?? 1)
      best.set(name, Math.min(microseconds, best.get(name) ?? Number.POSITIVE_INFINITY))
    }
  }
  return [...best].map(([name, microseconds]) => ({ name, microseconds }))
}
