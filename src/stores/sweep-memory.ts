import type { PurgeLog } from '../http/message.ts'
import { purgeEffect } from '../http/purge-effect.ts'
import { asSeenFrom } from '../http/purge-log.ts'
import type { Write } from '../ports/store.ts'
import type { MemoryStore } from './memory.ts'

/** Records that are looked at together: whoever wants an answer waits for it. */
const STRIDE = 200

/**
 * Takes out of memory what a hard purge covers: no read can use it any more. A stride at a time, each after waiting for idleness; what is looked at does not count as used.
 *
 * @param log - as it is by then
 * @param idle - waits for idleness; rejects when the cache is closed
 * @param isOver - whether the partition was left, or the cache closed
 */
export async function sweepMemory(
  memory: MemoryStore,
  partition: string,
  log: () => PurgeLog,
  idle: () => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  const keys = memory.records(partition).map(([key]) => key)
  for (let from = 0; from < keys.length; from += STRIDE) {
    if (from > 0) await idle()
    if (isOver()) return
    const seen = asSeenFrom(log(), partition)
    memory.update(
      [],
      (now) =>
        keys.slice(from, from + STRIDE).flatMap((key): Write[] => {
          const responses = now.record(partition, key)?.responses ?? []
          const usable = responses.filter((one) => purgeEffect(one, seen)?.mode !== 'hard')
          if (usable.length === responses.length) return []
          return [
            { kind: 'record', partition, key, value: usable.length > 0 ? { v: 1, responses: usable } : undefined },
          ]
        }),
      { durability: 'relaxed' },
    )
  }
}
