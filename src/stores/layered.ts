import type { EpochMs } from '../http/message.ts'
import { asSeenFrom } from '../http/purge-log.ts'
import type { CacheKey, Removed, StoredRecord } from '../ports/store.ts'
import type { TieredStore } from '../ports/tiered-store.ts'
import { createDurableTier, type DurableTierOptions, type Look, type Tenancy } from './durable-tier.ts'
import { merge, withSameBytes } from './held-and-found.ts'
import { nameOf } from './memory.ts'
import type { Heard } from './shared-log.ts'

/** How often a read is done again because the key was written meanwhile. */
const MAX_READS = 3

/** Memory and a durable store together, as one partition at a time sees them. */
export interface LayeredStore {
  /**
   * The store as `partition` sees it. The partition before it is left at once: memory is empty, and its `TieredStore` holds nothing and takes nothing any more.
   *
   * @param partition - `undefined`: nobody's; such a store holds nothing, and only hears of purges
   * @param onLeft - another context has entered another partition, which is given: this one is left
   */
  open(partition: string | undefined, onLeft: (entered: string) => void): TieredStore
  /**
   * Makes the durable store that of the partition that is open; until then nothing is read from it or written to it. What fails is tried again before the next use of the durable store.
   *
   * @param at - now: what another context enters later takes the place of this one, and not the other way round
   * @returns what was removed of the partition before; `undefined` where no durable store has anything to remove
   * @throws what the durable store threw
   */
  enter(at: EpochMs): Promise<Removed | undefined>
  /** Other contexts have purged: in force from the call on, as if it had been purged here. `epoch`: under which the shared log has it, which is looked into; without one it is put there. */
  hear(purges: readonly Heard[], at: EpochMs): void
  /**
   * Looks at the durable store, so that whatever another context has purged or entered is heeded here from now on.
   *
   * @returns whether it could be looked at; without a durable store there is nothing to look at, and nobody else
   */
  look(): Promise<boolean>
  /** Another context says that it has entered a partition, or tried to. Nothing of another one is believed from then on. `at`: now. */
  heedEntered(look: Look, at: EpochMs): Promise<void>
  /** What others have purged may not have been heard here: until the log has been read nothing in memory is trusted, only validated. `at`: now. */
  doubt(at: EpochMs): void
}

/** Memory over a durable store, with one purge log for both. */
export function createLayeredStore(options: DurableTierOptions): LayeredStore {
  const { memory, durable, follows, tell } = options
  const tier = createDurableTier(options)
  const { log } = tier

  /** When it was last asked for a partition here. */
  let lastAt: EpochMs = 0

  /** What one partition has of all this. */
  function viewOf(mine: Tenancy): TieredStore {
    const { partition } = mine
    /** Per key: the end of the durable writes under way. */
    const writing = new Map<string, Promise<unknown>>()
    const reading = new Map<string, Promise<StoredRecord | undefined>>()
    let whole = log.current()
    let ownLog = asSeenFrom(whole, partition)

    const peek = (key: CacheKey) => (mine.isOpen ? memory.peek(partition, key) : undefined)

    async function read(key: CacheKey, name: string): Promise<StoredRecord | undefined> {
      for (let reads = 0; durable && reads < MAX_READS; reads++) {
        await writing.get(name)
        if (!mine.isOpen) return undefined
        const before = memory.peek(partition, key)
        const found = await tier.readWhole(key, before?.responses ?? [], mine)
        if (!found || !mine.isOpen) break
        // What was replaced or removed meanwhile must not come back.
        if (writing.has(name) || memory.peek(partition, key) !== before) continue
        const responses = merge(before?.responses ?? [], found)
        if (responses.length === 0) return undefined
        const record: StoredRecord = { v: 1, responses }
        memory.put(partition, key, record)
        return record
      }
      return peek(key)
    }

    return {
      peek,
      read(key) {
        const name = nameOf('', key)
        const shared =
          reading.get(name) ??
          read(key, name).finally(() => {
            reading.delete(name)
          })
        reading.set(name, shared)
        return shared
      },
      async reread(key) {
        const name = nameOf('', key)
        if (!durable) return undefined
        await writing.get(name)
        const before = peek(key)
        const found = mine.isOpen ? await tier.readWhole(key, before?.responses ?? [], mine) : undefined
        // What was written here meanwhile is newer than what was told.
        if (!found || !mine.isOpen || writing.has(name) || memory.peek(partition, key) !== before) return undefined
        const held = before?.responses ?? []
        const own = held.filter((one) => one.memoryOnly)
        const responses = merge(
          own,
          found.map((one) => withSameBytes(one, held)),
        )
        memory.put(partition, key, responses.length > 0 ? { v: 1, responses } : undefined)
        return { before: held, after: responses }
      },
      async update(key, change) {
        if (!mine.isOpen) return false
        const before = memory.peek(partition, key)
        const after = change(before)
        if (after !== before) memory.put(partition, key, follows ? withoutMemoryOnly(after) : after)
        if (!durable) return false
        const name = nameOf('', key)
        let isChanged = false
        const write = tier.attempt(
          'update',
          (store) =>
            store.update(
              [['record', partition, key]],
              (snapshot) => {
                log.adopt(snapshot.log)
                const writes = tier.writesOf(snapshot, key, change, mine)
                isChanged = writes.length > 0
                return writes
              },
              { durability: 'relaxed' },
            ),
          mine,
        )
        const written = Promise.all([writing.get(name), write])
        writing.set(name, written)
        const [, seen] = await written
        if (writing.get(name) === written) writing.delete(name)
        if (seen) log.adopt(seen)
        if (seen && isChanged) tell({ kind: 'stored', partition, key })
        return seen !== undefined
      },
      purge: log.purge,
      log() {
        if (whole !== log.current()) {
          whole = log.current()
          ownLog = asSeenFrom(whole, partition)
        }
        return ownLog
      },
      epoch: log.epoch,
      doubt: log.doubted,
      isDurable: () => durable !== undefined && tier.isWell(),
      hasBeenEntered: tier.hasBeenEntered,
      records: () => (mine.isOpen ? memory.records(partition) : []),
      memoryBytes: memory.bytes,
      close: tier.close,
    }
  }

  return {
    open(partition, onLeft) {
      // Who starts without a partition is nobody, and leaves the database to whom it belongs; who goes back to none has signed out.
      const isNew = !follows && (partition !== '' || tier.tenancy() !== undefined)
      // Who begins anew in the same partition has not asked for it later.
      const left = tier.tenancy()
      const at = partition !== undefined && left?.partition === partition ? left.at : 0
      const mine = { partition: partition ?? '', isOpen: partition !== undefined, isNew, at, onLeft }
      tier.moveTo(mine)
      return viewOf(mine)
    },
    async enter(at) {
      const mine = tier.tenancy()
      if (!mine?.isOpen) return undefined
      // Another context may have entered another partition since.
      mine.isNew = true
      mine.at = at
      lastAt = Math.max(lastAt, at)
      const latest = lastAt
      try {
        return await tier.enter(mine)
      } catch (error) {
        // Of one page the last wish is the last one, wherever its clock was set to in between: it must not lose to the one before when it is tried again.
        mine.at = latest
        throw error
      }
    },
    hear: log.hear,
    look: log.look,
    heedEntered: tier.heedEntered,
    doubt: log.doubt,
  }
}

/** What must not lie on disk has no place in a memory either that outlives the pages of its user. */
function withoutMemoryOnly(record: StoredRecord | undefined): StoredRecord | undefined {
  const responses = record?.responses.filter(({ memoryOnly }) => !memoryOnly) ?? []
  return responses.length > 0 ? { v: 1, responses } : undefined
}
