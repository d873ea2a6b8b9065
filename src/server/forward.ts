import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'

/** How often a step is tried, and the bounds of the pauses between. */
export interface RetryPolicy {
  /** @default 4 */
  readonly attempts?: number
  /** The first pause is up to this long, each later one up to twice as long as the one before. @default 500 */
  readonly baseMs?: Ms
  /** @default 30,000 */
  readonly maxMs?: Ms
}

/**
 * Does `work` until it succeeds, with pauses by full jitter: any length up to the bound, so that those who failed together do not come back together.
 *
 * @throws what the last attempt threw
 * @see Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015
 */
export async function withRetry<T>(
  work: () => Promise<T>,
  { clock, random, signal }: { readonly clock: Clock; readonly random: Random; readonly signal: AbortSignal },
  { attempts = 4, baseMs = 500, maxMs = 30_000 }: RetryPolicy = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || signal.aborted) throw error
      await clock.sleep(random() * Math.min(maxMs, baseMs * 2 ** (attempt - 1)), signal)
    }
  }
}
