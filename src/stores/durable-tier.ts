import { bare } from '../http/given.ts'
import type { EpochMs, Ms, StoredResponse } from '../http/message.ts'
import { numberIn } from '../http/purge-log.ts'
import type { Idle } from '../ports/idle.ts'
import type { CacheKey, Removed, Snapshot, Store, StoredRecord, StoreKey, StoreNotice, Write } from '../ports/store.ts'
import type { Hint } from '../ports/tabs.ts'
import type { TieredStore } from '../ports/tiered-store.ts'
import type { MemoryStore } from './memory.ts'
import { createMemorySweeper } from './memory-sweeper.ts'
import { createSharedLog, type Purge, type SharedLog } from './shared-log.ts'
import { isOvertaken, isStoredRecord } from './stored-record.ts'

/** What an update makes of the record of a key. */
type Change = Parameters<TieredStore['update']>[1]

export interface DurableTierOptions {
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

/** What another context says of a partition that it has entered. */
export type Look = Omit<Extract<Hint, { kind: 'look' }>, 'kind'>

/** One partition, for as long as it is open. */
export interface Tenancy {
  readonly partition: string
  isOpen: boolean
  /** Whether the durable store has yet to be told. */
  isNew: boolean
  /** When entering it was asked for. */
  at: EpochMs
  entering?: { readonly at: EpochMs; readonly done: Promise<Removed | undefined> } | undefined
  /** For which entering the other contexts were told. */
  toldAt?: EpochMs
  /** Which one of the durable store's, once that is known. */
  sitting?: string | undefined
  /** Another partition that another context has told of, and that the durable store has not shown. */
  rival?: string | undefined
  onLeft(entered: string): void
}

/** What lies beneath memory, for one partition at a time; where there is nothing, what is asked of it gives `undefined`. */
export interface DurableTier {
  /** The purge log that both tiers share. */
  readonly log: SharedLog
  /** Whose it is at the moment. */
  tenancy(): Tenancy | undefined
  /** Leaves the partition before at once, and is the next one's. */
  moveTo(next: Tenancy): void
  /** Tells the durable store whose it is now. @returns what was removed of the partition before */
  enter(mine: Tenancy): Promise<Removed | undefined>
  /** Another context says that it has entered a partition, or tried to. `at`: now. */
  heedEntered(look: Look, at: EpochMs): Promise<void>
  /** Runs an operation of the durable store, for a partition that must be entered first; a failure is told, and gives `undefined`. */
  attempt<T>(operation: string, work: (store: Store) => Promise<T>, mine?: Tenancy): Promise<T | undefined>
  /** What the durable store holds under a key, with the bodies that lie apart; those that memory has need not be fetched. */
  readWhole(
    key: CacheKey,
    held: readonly StoredResponse[],
    mine: Tenancy,
  ): Promise<readonly StoredResponse[] | undefined>
  /** What `change` makes of what the durable store holds. What must not lie there stays out. */
  writesOf(snapshot: Snapshot, key: CacheKey, change: Change, mine: Tenancy): Write[]
  /** Whether what was asked of it last was done. */
  isWell(): boolean
  /** Whether any partition but nobody's is known to have been entered. */
  hasBeenEntered(): boolean
  close(): Promise<void>
}

/** The durable store with [one purge log](shared-log.ts) for it and for memory. */
export function createDurableTier({
  memory,
  durable,
  incarnation,
  follows,
  idle,
  sleep,
  onNotice,
  tell,
  onPurged,
}: DurableTierOptions): DurableTier {
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

  /** @param entered - what another context has entered in its place */
  function leave(left: Tenancy | undefined, entered?: string): void {
    if (!left?.isOpen) return
    left.isOpen = false
    memory.clear()
    if (entered !== undefined) left.onLeft(entered)
  }

  /** What was under way when the store was closed, or came later, may have opened it anew. */
  function ended(isShut = false): void {
    active--
    if (isClosed() && active === 0 && !isShut) durable?.close?.().catch(() => {})
  }

  /** Tells the durable store whose it is now, and then the other contexts. */
  function enter(mine: Tenancy): Promise<Removed | undefined> {
    if (!mine.isNew) return Promise.resolve(undefined)
    const { partition, at } = mine
    if (mine.entering?.at === at) return mine.entering.done
    const done = entered.then(async () => {
      // What was wished for is not any more.
      if (!mine.isOpen) return undefined
      active++
      let untold = true
      try {
        const made = await durable?.enter?.(partition, at)
        untold = false
        if (made) log.adopt(made.log)
        const { partition: whose = partition } = made ?? {}
        if (mine.at === at) {
          mine.isNew = false
          mine.sitting = made?.sitting
          // Nobody's lies beside what is somebody's, and wishes no more; who has a name is left.
          if (whose !== partition && partition === '') mine.at = 0
          else if (whose !== partition) leave(mine, whose)
        }
        return made?.removed
      } finally {
        // Also, once, where it has failed: others would find there whoever was there before.
        if (mine.isOpen && !(untold && mine.toldAt === at)) tell({ kind: 'look', partition, at, untold })
        mine.toldAt = at
        if (mine.entering?.at === at) mine.entering = undefined
        ended()
      }
    })
    mine.entering = { at, done }
    entered = done.catch(() => {})
    return done
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
      // What cannot be caught up with must not keep it open.
      ended(operation === 'close' && !hasFailed)
    }
  }

  /** Whether a view of the durable store is one of ours. When another context has entered another partition, this one is left. */
  function isOurs(snapshot: Snapshot, mine: Tenancy): boolean {
    if (!mine.isOpen) return false
    const { partition, enteredAt, sitting } = snapshot
    hasBeenEntered ||= partition !== undefined && !snapshot.unnamed
    if (!durable?.enter) return true
    if (mine.partition === (partition ?? '')) {
      mine.rival = undefined
      mine.sitting ??= sitting
      if (mine.sitting === sitting) {
        // Who was asked for again elsewhere is asked for again here. Who has no name has not asked.
        if (partition) mine.at = Math.max(mine.at, enteredAt ?? 0)
        return true
      }
    } else if (enteredAt !== undefined && enteredAt < mine.at) {
      // It was asked for later that it be ours.
      mine.isNew = true
      return false
    } else if (mine.partition === '' && !follows) return true
    if (follows || partition !== undefined) leave(mine, partition ?? '')
    // A new life of the database: it does not know yet whose it is.
    else if (mine.rival === undefined) mine.isNew = true
    else leave(mine, mine.rival)
    return false
  }

  /** Another context says that it has entered a partition. What is held of another one is in doubt from then on, until the durable store has been looked at; where none can tell it is left. */
  async function heedEntered(
    { partition, at: since = Number.POSITIVE_INFINITY, untold }: Look,
    at: EpochMs,
  ): Promise<void> {
    const mine = tenancy
    const isOther = mine?.isOpen && mine.partition !== partition && (follows || mine.partition !== '')
    if (!isOther || partition === undefined || isOvertaken(since, mine.at, at)) {
      if (isOther) log.doubt(at)
      await log.look()
      return
    }
    mine.rival = partition
    if (durable?.enter && !untold) {
      log.doubt(at)
      if (await log.look()) return
    }
    leave(mine, partition)
    // Who goes where the durable store goes tells it, before what is there is believed.
    if (follows && untold && tenancy) {
      tenancy.isNew = true
      tenancy.at = since
    }
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
  function writesOf(snapshot: Snapshot, key: CacheKey, change: Change, mine: Tenancy): Write[] {
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

  return {
    log,
    tenancy: () => tenancy,
    moveTo(next) {
      leave(tenancy)
      // Who is outside is so since another partition was entered.
      hasBeenEntered ||= next.partition !== '' || !next.isOpen
      tenancy = next
    },
    enter,
    heedEntered,
    attempt,
    readWhole,
    writesOf,
    isWell: () => !hasFailed,
    hasBeenEntered: () => hasBeenEntered,
    async close() {
      closing.abort()
      await attempt('close', async (store) => store.close?.())
    },
  }
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

/** What outlives the process is without cookies: nobody else's session may come back from a disk. */
const withoutCookies = (stored: StoredResponse): StoredResponse => ({
  ...stored,
  headers: stored.headers.filter(([field]) => field !== 'set-cookie' && field !== 'set-cookie2'),
})
