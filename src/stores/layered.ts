import { bare } from '../http/given.ts'
import type { EpochMs, Ms, StoredResponse } from '../http/message.ts'
import { asSeenFrom, numberIn } from '../http/purge-log.ts'
import type { Idle } from '../ports/idle.ts'
import type { CacheKey, Removed, Snapshot, Store, StoredRecord, StoreKey, StoreNotice, Write } from '../ports/store.ts'
import type { Hint } from '../ports/tabs.ts'
import type { TieredStore } from '../ports/tiered-store.ts'
import { type MemoryStore, nameOf } from './memory.ts'
import { createMemorySweeper } from './memory-sweeper.ts'
import { createSharedLog, type Heard, type Purge } from './shared-log.ts'
import { isForeign, isStoredRecord } from './stored-record.ts'

type Change = Parameters<TieredStore['update']>[1]

/** How often a read is done again because the key was written meanwhile. */
const MAX_READS = 3

export interface LayeredOptions {
  readonly memory: MemoryStore
  /** What lies beneath memory; none: memory alone. */
  readonly durable: Store | undefined
  /** Names the log until the durable store's own is known. */
  readonly incarnation: string
  /**
   * Whether this context is nobody's own and goes wherever the durable store goes, as a service worker does: it never enters a partition, is left as soon as the durable store belongs to
   * another one, and keeps nothing in memory that must not lie on disk, since its memory outlives the pages of a user.
   */
  readonly follows?: boolean | undefined
  /** When to give up what was hard-purged in memory. Without it that is left to eviction. */
  readonly idle?: Idle | undefined
  /** A hard purge is remembered in memory for a while: why a request went to the origin can still be told. */
  readonly sleep?: ((ms: Ms, signal: AbortSignal) => Promise<void>) | undefined
  onNotice(notice: StoreNotice): void
  /** What other contexts that share the durable store should know: told when it is there. */
  tell(hint: Hint): void
  /** Another context has purged: it is in force here from this moment on. */
  onPurged(purge: Purge, spreadMs?: Ms): void
}

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
   * @returns what was removed of the partition before; `undefined` where no durable store has anything to remove
   * @throws what the durable store threw
   */
  enter(): Promise<Removed | undefined>
  /** Other contexts have purged: in force from the call on, as if it had been purged here. `epoch`: under which the shared log has it, which is looked into; without one it is put there. */
  hear(purges: readonly Heard[], at: EpochMs): void
  /**
   * Looks at the durable store, so that whatever another context has purged or entered is heeded here from now on.
   *
   * @returns whether it could be looked at; without a durable store there is nothing to look at, and nobody else
   */
  look(): Promise<boolean>
  /** What others have purged may not have been heard here: until the log has been read nothing in memory is trusted, only validated. `at`: now. */
  doubt(at: EpochMs): void
}

/** One partition, for as long as it is open. */
interface Tenancy {
  readonly partition: string
  isOpen: boolean
  /** Whether the durable store has yet to be told. */
  isNew: boolean
  entering?: Promise<Removed | undefined> | undefined
  onLeft(entered: string): void
}

/** Memory over a durable store, with [one purge log](shared-log.ts) for both. */
export function createLayeredStore({
  memory,
  durable,
  incarnation,
  follows,
  idle,
  sleep,
  onNotice,
  tell,
  onPurged,
}: LayeredOptions): LayeredStore {
  const closing = new AbortController()
  const isClosed = () => closing.signal.aborted
  /** Operations of the durable store under way. */
  let active = 0
  let hasFailed = false
  let hasBeenEntered = false
  let tenancy: Tenancy | undefined
  /** The end of the last entering. They go one after another: one that is tried again must not undo a later one. */
  let entered: Promise<unknown> = Promise.resolve()
  const log = createSharedLog({
    memory,
    incarnation,
    isDurable: durable !== undefined,
    attempt,
    readLog,
    tell,
    onChange: createMemorySweeper({
      memory,
      idle,
      sleep,
      closing: closing.signal,
      log: () => log.current(),
      tenancy: () => tenancy,
    }),
    onPurged,
  })

  function leave(left: Tenancy | undefined): void {
    if (!left?.isOpen) return
    left.isOpen = false
    memory.clear()
  }

  /** Tells the durable store whose it is now. */
  function enter(mine: Tenancy): Promise<Removed | undefined> {
    if (!mine.isNew || !durable?.enter) return Promise.resolve(undefined)
    const enter = durable.enter.bind(durable)
    mine.entering ??= entered
      .then(() => enter(mine.partition))
      .then(({ log: seen, removed }) => {
        mine.isNew = false
        log.adopt(seen)
        tell({ kind: 'look' })
        return removed
      })
      .finally(() => {
        mine.entering = undefined
      })
    entered = mine.entering.catch(() => {})
    return mine.entering
  }

  /** Runs an operation of the durable store, for a partition that must be entered first; a failure is told, and gives `undefined`. */
  async function attempt<T>(
    operation: string,
    work: (store: Store) => Promise<T>,
    mine?: Tenancy,
  ): Promise<T | undefined> {
    // What a caller no longer waits for would open it anew.
    if (!durable || (isClosed() && operation !== 'purge' && operation !== 'close')) return undefined
    active++
    try {
      // What need not be waited for is not: each read comes by here.
      const behind = log.catchUp(durable)
      if (behind) await behind
      if (mine?.isOpen && mine.isNew) await enter(mine)
      if (mine?.isOpen === false) return undefined
      const done = await work(durable)
      hasFailed = false
      return done
    } catch (error) {
      hasFailed = true
      onNotice({ type: 'store-failed', operation, error })
      return undefined
    } finally {
      active--
      // What was under way when it was closed may have opened it anew.
      if (isClosed() && active === 0 && operation !== 'close') durable.close?.().catch(() => {})
    }
  }

  /** Whether a view of the durable store is one of ours. When another context has entered another partition, this one is left. */
  function isOurs(snapshot: Snapshot, mine: Tenancy): boolean {
    if (!mine.isOpen) return false
    const { partition = '' } = snapshot
    hasBeenEntered ||= snapshot.partition !== undefined && !snapshot.unnamed
    if (!durable?.enter || mine.partition === partition || (mine.partition === '' && !follows)) return true
    if (follows || isForeign(mine.partition, snapshot.partition)) {
      leave(mine)
      mine.onLeft(partition)
    } else mine.isNew = true // a new life of the database: it does not know yet whose it is
    return false
  }

  async function look(keys: readonly StoreKey[], mine: Tenancy): Promise<Snapshot | undefined> {
    const snapshot = await log.reading(() => attempt('read', (store) => store.read(keys), mine))
    return snapshot && isOurs(snapshot, mine) ? snapshot : undefined
  }

  /** Whether the log could be read; what it says is heeded. Without a durable store there is nothing to read. */
  async function readLog(): Promise<boolean> {
    const mine = tenancy
    if (!durable || !mine) return true
    const snapshot = await log.reading(() => attempt('read', (store) => store.read([]), mine))
    if (snapshot) isOurs(snapshot, mine)
    return snapshot !== undefined
  }

  /** What the durable store holds under a key, with the bodies that lie apart; those that memory has need not be fetched. */
  async function readWhole(
    key: CacheKey,
    held: readonly StoredResponse[],
    mine: Tenancy,
  ): Promise<readonly StoredResponse[] | undefined> {
    const { partition } = mine
    const snapshot = await look([['record', partition, key]], mine)
    const responses = recordIn(snapshot, partition, key)?.responses ?? []
    // What is held goes first: what was parsed of it keeps its reference.
    const bytesAtHand = ({ body }: StoredResponse) =>
      held.find((one) => one.body.id === body.id)?.body.bytes ?? body.bytes
    const apart = responses.filter((one) => !bytesAtHand(one))
    const bodies =
      apart.length > 0
        ? await look(
            apart.map(({ body }) => ['body', partition, key, body.id]),
            mine,
          )
        : undefined
    return (
      snapshot &&
      responses.flatMap((one) => {
        const bytes = bytesAtHand(one) ?? bodies?.body(partition, key, one.body.id)
        if (bytes?.byteLength !== one.body.size) return []
        return [{ ...one, directives: bare(one.directives), body: { ...one.body, bytes } }]
      })
    )
  }

  /** Runs `change` on what the durable store holds. What must not lie there stays out. */
  function durableWrites(snapshot: Snapshot, key: CacheKey, change: Change, mine: Tenancy): Write[] {
    const { partition } = mine
    const { incarnation } = log.epoch()
    // A purge that this store does not have failed only now.
    if (incarnation !== snapshot.log.incarnation || !isOurs(snapshot, mine)) return []
    const before = recordIn(snapshot, partition, key)
    const after = change(before)
    if (after === before) return []
    const responses = (after?.responses ?? []).flatMap((one) => {
      const number = numberIn(log.current(), one.epoch)
      if (one.memoryOnly || number === undefined) return []
      return [{ ...withoutCookies(one), epoch: { incarnation, number } }]
    })
    if (responses.length === 0 && !before) return []
    return [{ kind: 'record', partition, key, value: responses.length > 0 ? { v: 1, responses } : undefined }]
  }

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
        const found = await readWhole(key, before?.responses ?? [], mine)
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
      prepare() {
        if (mine.isOpen && !isClosed()) durable?.prepare?.()
      },
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
        const found = mine.isOpen ? await readWhole(key, before?.responses ?? [], mine) : undefined
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
        const write = attempt(
          'update',
          (store) =>
            store.update(
              [['record', partition, key]],
              (snapshot) => {
                log.adopt(snapshot.log)
                const writes = durableWrites(snapshot, key, change, mine)
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
      isDurable: () => durable !== undefined && !hasFailed,
      hasBeenEntered: () => hasBeenEntered,
      records: () => (mine.isOpen ? memory.records(partition) : []),
      memoryBytes: memory.bytes,
      async close() {
        closing.abort()
        await attempt('close', async (store) => store.close?.())
      },
    }
  }

  return {
    open(partition, onLeft) {
      leave(tenancy)
      hasBeenEntered ||= partition !== ''
      // Who starts without a partition is nobody, and leaves the database to whom it belongs; who goes back to none has signed out.
      const isNew = !follows && (partition !== '' || tenancy !== undefined)
      tenancy = { partition: partition ?? '', isOpen: partition !== undefined, isNew, onLeft }
      return viewOf(tenancy)
    },
    async enter() {
      if (!tenancy?.isOpen) return undefined
      // Another context may have entered another partition since.
      tenancy.isNew = true
      return enter(tenancy)
    },
    hear: log.hear,
    look: log.look,
    doubt: log.doubt,
  }
}

/** The same response over bytes that are held already, where there are such: what was parsed of them keeps its reference. */
function withSameBytes(stored: StoredResponse, held: readonly StoredResponse[]): StoredResponse {
  const { bytes, size } = stored.body
  const same = held.find(
    ({ body }) => body.size === size && body.bytes?.every((byte, index) => byte === bytes?.[index]),
  )?.body.bytes
  return same ? { ...stored, body: { ...stored.body, bytes: same } } : stored
}

/** What a store holds, if it is what it should be: whatever it answers must not break a read. */
function recordIn(snapshot: Snapshot | undefined, partition: string, key: CacheKey): StoredRecord | undefined {
  try {
    const record = snapshot?.record(partition, key)
    return isStoredRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}

/** The responses of both, the most recently received last. Of a body that both have, the one that was validated last counts. */
function merge(held: readonly StoredResponse[], found: readonly StoredResponse[]): StoredResponse[] {
  const isOlderThan = (other: StoredResponse) => (one: StoredResponse) =>
    one.body.id === other.body.id && one.responseTime < other.responseTime
  const isSame = (other: StoredResponse) => (one: StoredResponse) => one.body.id === other.body.id
  return [
    ...found.filter((one) => !held.some(isSame(one)) || held.some(isOlderThan(one))),
    ...held.filter((one) => !found.some((other) => isOlderThan(other)(one))),
  ].sort((one, other) => one.responseTime - other.responseTime)
}

/** What outlives the process is without cookies: nobody else's session may come back from a disk. */
const withoutCookies = (stored: StoredResponse): StoredResponse => ({
  ...stored,
  headers: stored.headers.filter(([field]) => field !== 'set-cookie' && field !== 'set-cookie2'),
})

/** What must not lie on disk has no place in a memory either that outlives the pages of its user. */
function withoutMemoryOnly(record: StoredRecord | undefined): StoredRecord | undefined {
  const responses = record?.responses.filter(({ memoryOnly }) => !memoryOnly) ?? []
  return responses.length > 0 ? { v: 1, responses } : undefined
}
