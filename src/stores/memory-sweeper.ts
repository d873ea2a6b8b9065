import type { Ms, PurgeLog } from '../http/message.ts'
import type { Idle } from '../ports/idle.ts'
import type { MemoryStore } from './memory.ts'

/** How long what was hard-purged stays in memory, so that a read can say so, in milliseconds. */
const PURGED_MS = 60_000

export interface MemorySweeperOptions {
  readonly memory: MemoryStore
  /** Waits until there is nothing else to do. None: what was hard-purged is left to eviction. */
  readonly idle: Idle | undefined
  readonly sleep: ((ms: Ms, signal: AbortSignal) => Promise<void>) | undefined
  /** Ends it, and what it waits for. */
  readonly closing: AbortSignal
  /** The log of the moment. */
  log(): PurgeLog
  /** Whose memory is, and whether it still is. */
  tenancy(): { readonly partition: string; readonly isOpen: boolean } | undefined
}

/**
 * Gives up what was hard-purged in memory, a while later and when there is nothing else to do: a purge itself costs the same however much is held.
 *
 * @returns to be called with each new log
 */
export function createMemorySweeper({
  memory,
  idle,
  sleep,
  closing,
  log,
  tenancy,
}: MemorySweeperOptions): (log: PurgeLog) => Promise<void> {
  /** What was hard-purged when memory was last swept. */
  let swept = ''
  let isSweeping = false

  async function sweepOnce(rest: () => Promise<void>): Promise<void> {
    const mine = tenancy()
    const isOver = () => closing.aborted || !mine?.isOpen
    if (!mine || isOver()) return
    // What no page needs at once.
    const { sweepMemory } = await import('./sweep-memory.ts')
    await sweepMemory(memory, mine.partition, log, rest, isOver)
  }

  return async ({ incarnation, floor, purges }) => {
    const last = purges.findLast(({ mode }) => mode === 'hard')
    const purged = [incarnation, floor, last?.number].join()
    if (!idle || !(last || floor) || purged === swept) return
    swept = purged
    if (isSweeping || memory.bytes() === 0) return
    isSweeping = true
    const rest = () => idle(closing)
    try {
      for (let looked: string | undefined; looked !== swept; ) {
        if (sleep) await sleep(PURGED_MS, closing)
        await rest()
        looked = swept
        await sweepOnce(rest)
      }
    } catch {
      // Nothing depends on it: what is not given up now is evicted later.
    }
    isSweeping = false
  }
}
