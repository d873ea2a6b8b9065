import type { PurgeLog } from '../../src/http/message.ts'
import { appendPurge, emptyLog } from '../../src/http/purge-log.ts'
import type { Store, StoredRecord, StoreKey } from '../../src/ports/store.ts'

/** Where a store can be held. `inside`: the transaction has read and decided, and has not written yet. */
export type StorePoint = 'read' | 'before' | 'inside' | 'after'

/**
 * A durable store in memory whose transactions run one after another, as those of IndexedDB do, and which waits at each of its points for `gate`.
 * A gate that rejects is a storage failure: inside a transaction it aborts it.
 */
export function gatedStore(gate: (point: StorePoint) => Promise<void>): Store {
  const records = new Map<string, StoredRecord>()
  let log: PurgeLog = emptyLog('disk')
  let entered: string | undefined
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work)
    last = mine.catch(() => {})
    return mine
  }
  const nameOf = (partition: string, key: readonly string[]) => JSON.stringify([partition, ...key])
  const snapshot = (keys: readonly StoreKey[]) => {
    const frozen = log
    const seen = new Map(
      keys.map(([, partition, key]) => {
        const name = nameOf(partition, key)
        return [name, records.get(name)] as const
      }),
    )
    return {
      log: frozen,
      partition: entered,
      record: (partition: string, key: readonly string[]) => seen.get(nameOf(partition, key)),
      body: (partition: string, key: readonly string[], id: string) =>
        seen.get(nameOf(partition, key))?.responses.find(({ body }) => body.id === id)?.body.bytes,
    }
  }

  return {
    async enter(partition) {
      entered = partition
      const isNamed = (name: string) => JSON.parse(name)[0] !== ''
      const gone = [...records.keys()].filter(isNamed)
      for (const name of gone) records.delete(name)
      return { log, removed: { records: gone.length, bodies: 0, bytes: 0 } }
    },
    async read(keys) {
      const seen = await inTurn(async () => snapshot(keys))
      await gate('read')
      return seen
    },
    async update(keys, change) {
      await gate('before')
      const after = await inTurn(async () => {
        const writes = change(snapshot(keys))
        await gate('inside')
        for (const write of writes) {
          if (write.kind === 'purge') log = appendPurge(log, write.purge)
          else if (write.value) records.set(nameOf(write.partition, write.key), structuredClone(write.value))
          else records.delete(nameOf(write.partition, write.key))
        }
        return log
      })
      await gate('after')
      return after
    },
  }
}

/** A disk whose reads hang from `hang()` to `wake()`, and the points that were passed. */
export function hangingStore() {
  let open = Promise.resolve()
  let wake = () => {}
  const calls: StorePoint[] = []
  return {
    store: gatedStore(async (point) => {
      calls.push(point)
      if (point === 'read') await open
    }),
    calls,
    hang() {
      open = new Promise((resolve) => {
        wake = resolve
      })
    },
    wake: () => wake(),
  }
}
