/** One of several ways to do the same. */
export interface Contender {
  readonly name: string
  run(): unknown
}

/** Long for the timer's grain, 5 µs in a page that is isolated, and short enough that most samples are over before the machine does something else. */
const SAMPLE_MS = 2
const WARM_UP_MS = 100
const ROUNDS = 61

/** How many calls fill one sample, once they are as fast as they get. */
async function calibrate(run: () => unknown): Promise<number> {
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end; ) await run()
  for (let calls = 1; ; calls *= 2) {
    const started = performance.now()
    for (let call = 0; call < calls; call++) await run()
    if (performance.now() - started >= SAMPLE_MS) return calls
  }
}

/** How long one call of each takes, in microseconds, sample by sample: in turn, round after round, so that a machine that slows down slows all of them. */
export async function measure(contenders: readonly Contender[], rounds = ROUNDS): Promise<Record<string, number[]>> {
  const calls = new Map<string, number>()
  for (const { name, run } of contenders) calls.set(name, await calibrate(run))
  const samples: Record<string, number[]> = Object.fromEntries(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of contenders) {
      const count = calls.get(name) ?? 1
      const started = performance.now()
      for (let call = 0; call < count; call++) await run()
      samples[name]?.push(((performance.now() - started) * 1000) / count)
    }
  }
  return samples
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
