import { bare } from '../http/given.ts'
import type { Epoch, EpochMs, Ms, PurgeLog, PurgeRecord, StoredResponse } from '../http/message.ts'
import { appendPurge, asSeenFrom, emptyLog, numberIn } from '../http/purge-log.ts'
import type { CacheKey, Removed, Snapshot, Store, StoredRecord, StoreKey, StoreNotice, Write } from '../ports/store.ts'
import type { Hint } from '../ports/tabs.ts'
import type { TieredStore } from '../ports/tiered-store.ts'
import type { MemoryStore } from './memory.ts'
import { isForeign, isStoredRecord } from './stored-record.ts'

type Purge = Omit<PurgeRecord, 'number'>
type Change = Parameters<TieredStore['update']>[1]

/** How often a read is done again because the key was written meanwhile. */
const MAX_READS = 3

/** Purges that others told of and that are in force before the durable log has shown them, at most. Beyond, everything is in doubt. */
const MAX_HEARD = 100

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

/** A purge that another context has told of. */
type Heard = Omit<Extract<Hint, { kind: 'purged' }>, 'kind'>

/** One partition, for as long as it is open. */
interface Tenancy {
  readonly partition: string
  isOpen: boolean
  /** Whether the durable store has yet to be told. */
  isNew: boolean
  entering?: Promise<Removed | undefined> | undefined
  onLeft(entered: string): void
}

/**
 * Memory over a durable store, with one purge log for both: the durable one as last seen, and on it the purges that are on their way there.
 *
 * Until the durable log has been seen there is a provisional one. When the real one comes it takes its place, and what was asked for under the provisional one counts as asked for
 * before every purge (`PurgeLog.provisional`): nobody knows which of them came after. The same when the durable store fails to take a purge: memory is emptied, a provisional log
 * starts with that purge, and nothing that lies on the disk is used before the disk has taken all of it. So whatever fails, no response counts as newer than a purge that it is not.
 */
export function createLayeredStore({
  memory,
  durable,
  incarnation,
  follows,
  onNotice,
  tell,
  onPurged,
}: LayeredOptions): LayeredStore {
  /** The durable log as last seen, or the provisional one. */
  let base = emptyLog(incarnation)
  /** The incarnation of the durable store, once it is known. `base` is provisional while it is of another one. */
  let home: string | undefined
  let secessions = 0
  /** Purges on their way to the durable store, or seen on their way out of it. */
  let pending: readonly Purge[] = []
  /** What stands for the purges that may have been missed. */
  let unheard: Purge | undefined
  let looking: Promise<boolean> | undefined
  let isBehind = false
  let isClosed = false
  /** Operations of the durable store under way. */
  let active = 0
  let hasFailed = false
  let log = base
  let catchingUp: Promise<void> | undefined
  let tenancy: Tenancy | undefined
  /** The end of the last entering. They go one after another: one that is tried again must not undo a later one. */
  let entered: Promise<unknown> = Promise.resolve()

  function setBase(next: PurgeLog): void {
    base = next
    log = [...pending, ...(unheard ? [unheard] : [])].reduce(appendPurge, base)
  }

  /**
   * Takes over the log of a read or a write of the durable store.
   *
   * @param told - the provisional log whose purges are part of it
   */
  function adopt(seen: PurgeLog, told?: PurgeLog): void {
    if (seen.incarnation === base.incarnation) {
      if (seen.last <= base.last) return
      const news = seen.purges.filter(({ number }) => number > base.last)
      setBase({ ...seen, provisional: base.provisional ?? [] })
      for (const purge of news) if (!pending.some(isSame(purge))) onPurged(purge)
      return
    }
    // The disk has to learn first what was purged meanwhile.
    if (base.incarnation !== home && base.last > 0 && base !== told) return
    const isReborn = home !== undefined && home !== seen.incarnation
    if (isReborn) memory.clear()
    home = seen.incarnation
    setBase({ ...seen, provisional: isReborn ? [] : [...(base.provisional ?? []), base.incarnation] })
  }

  /** Gives the durable store the purges that it failed to take, before anything else is done with it. */
  function catchUp(store: Store): Promise<void> | undefined {
    if (base.incarnation === home || base.last === 0) return undefined
    const told = base
    const [first] = told.purges
    const purges: readonly Purge[] =
      told.floor > 0 && first ? [{ selector: { all: true }, mode: 'hard', at: first.at }] : told.purges
    catchingUp ??= store
      .update([], () => purges.map(asWrite), { durability: 'strict' })
      .then((seen) => adopt(seen, told))
      .finally(() => {
        catchingUp = undefined
      })
    return catchingUp
  }

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
        adopt(seen)
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
    if (!durable || (isClosed && operation !== 'purge' && operation !== 'close')) return undefined
    active++
    try {
      await catchUp(durable)
      if (mine?.isOpen) await enter(mine)
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
      if (isClosed && active === 0 && operation !== 'close') durable.close?.().catch(() => {})
    }
  }

  /** Whether a view of the durable store is one of ours. When another context has entered another partition, this one is left. */
  function isOurs(snapshot: Snapshot, mine: Tenancy): boolean {
    if (!mine.isOpen) return false
    const { partition = '' } = snapshot
    if (!durable?.enter || mine.partition === partition || (mine.partition === '' && !follows)) return true
    if (follows || isForeign(mine.partition, snapshot.partition)) {
      leave(mine)
      mine.onLeft(partition)
    } else mine.isNew = true // a new life of the database: it does not know yet whose it is
    return false
  }

  async function look(keys: readonly StoreKey[], mine: Tenancy): Promise<Snapshot | undefined> {
    const asked = unheard
    const snapshot = await attempt('read', (store) => store.read(keys), mine)
    if (!snapshot) return undefined
    adopt(snapshot.log)
    trust(asked)
    return isOurs(snapshot, mine) ? snapshot : undefined
  }

  /** Ends a doubt. */
  function trust(asked: Purge | undefined): void {
    if (!asked || asked !== unheard) return
    unheard = undefined
    setBase(base)
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
    // A purge that this store does not have failed only now.
    if (base.incarnation !== snapshot.log.incarnation || !isOurs(snapshot, mine)) return []
    const before = recordIn(snapshot, partition, key)
    const after = change(before)
    if (after === before) return []
    const responses = (after?.responses ?? []).flatMap((one) => {
      const number = numberIn(base, one.epoch)
      if (one.memoryOnly || number === undefined) return []
      return [{ ...withoutCookies(one), epoch: { incarnation: base.incarnation, number } }]
    })
    if (responses.length === 0 && !before) return []
    return [{ kind: 'record', partition, key, value: responses.length > 0 ? { v: 1, responses } : undefined }]
  }

  const epoch = (): Epoch => ({ incarnation: base.incarnation, number: base.last })

  /** In force at once, while `work` does with the durable store what makes it so there; `undefined` when that failed, and then no more is read from it before it has taken the purges. */
  async function inForce<T>(purges: readonly Purge[], work: () => Promise<T | undefined>, log: (done: T) => PurgeLog) {
    pending = [...pending, ...purges]
    setBase(base)
    const done = await work()
    if (done) adopt(log(done))
    pending = pending.filter((one) => !purges.includes(one))
    if (done) {
      // In a log of another life it came to lie beside the provisional one.
      setBase(log(done).incarnation === base.incarnation ? base : purges.reduce(appendPurge, base))
      return done
    }
    if (base.incarnation === home) {
      memory.clear()
      setBase(emptyLog(`${incarnation}.${++secessions}`))
    }
    setBase(purges.reduce(appendPurge, base))
    return undefined
  }

  /** Adds a purge to the durable log. */
  const append = (purge: Purge) =>
    inForce(
      [purge],
      () => attempt('purge', (store) => store.update([], () => [asWrite(purge)], { durability: 'strict' })),
      (seen) => seen,
    )

  async function purge(purge: Purge, spreadMs?: Ms): Promise<{ readonly epoch: Epoch; readonly durable: boolean }> {
    if (!durable) setBase(appendPurge(base, purge))
    const seen = durable && (await append(purge))
    const place = seen && { incarnation: seen.incarnation, number: seen.last }
    tell({ kind: 'purged', purge, epoch: place, spreadMs })
    return { epoch: place ?? epoch(), durable: place !== undefined }
  }

  const isKnown = ({ purge, epoch }: Heard) =>
    pending.some(isSame(purge)) ||
    (epoch === undefined
      ? base.purges.some(isSame(purge))
      : epoch.incarnation === base.incarnation && epoch.number <= base.last)

  function hear(heard: readonly Heard[], at: EpochMs): void {
    const news = heard.filter((one) => !isKnown(one))
    if (news.length + pending.length > MAX_HEARD) {
      doubt(at)
      return
    }
    const logged = news.flatMap(({ purge, epoch }) => (epoch && durable ? [purge] : []))
    if (logged.length > 0)
      inForce(
        logged,
        () => attempt('read', (store) => store.read([])),
        (snapshot) => snapshot.log,
      )
    for (const { purge, spreadMs } of news) {
      if (!durable) setBase(appendPurge(base, purge))
      else if (!logged.includes(purge)) append(purge)
      onPurged(purge, spreadMs)
    }
  }

  /** Reads the log, and heeds what it says. */
  async function readLog(): Promise<boolean> {
    const mine = tenancy
    if (!durable || !mine) return true
    const asked = unheard
    const snapshot = await attempt('read', (store) => store.read([]), mine)
    if (!snapshot) return false
    adopt(snapshot.log)
    trust(asked)
    isOurs(snapshot, mine)
    return true
  }

  /** One look at a time; what is asked for meanwhile is one more. What stays in doubt, since the log cannot be read, is given up. */
  function lookAtLog(): Promise<boolean> {
    isBehind = true
    looking ??= (async () => {
      let isRead = true
      try {
        while (isBehind) {
          isBehind = false
          const asked = unheard
          isRead = await readLog()
          if (asked && asked === unheard) memory.clear()
          trust(asked)
        }
        return isRead
      } finally {
        // In the same turn: nobody may join a look that reads no more.
        looking = undefined
      }
    })()
    return looking
  }

  function doubt(at: EpochMs): void {
    const purge = { selector: { all: true }, mode: 'invalidate', at } as const
    if (durable) unheard = purge
    setBase(durable ? base : appendPurge(base, purge))
    if (durable) lookAtLog()
  }

  /** What one partition has of all this. */
  function viewOf(mine: Tenancy): TieredStore {
    const { partition } = mine
    /** Per key: the end of the durable writes under way. */
    const writing = new Map<string, Promise<unknown>>()
    const reading = new Map<string, Promise<StoredRecord | undefined>>()
    let [whole, ownLog] = [log, asSeenFrom(log, partition)]

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
      read(key) {
        const name = JSON.stringify(key)
        const shared =
          reading.get(name) ??
          read(key, name).finally(() => {
            reading.delete(name)
          })
        reading.set(name, shared)
        return shared
      },
      async reread(key) {
        const name = JSON.stringify(key)
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
        const name = JSON.stringify(key)
        let isChanged = false
        const write = attempt(
          'update',
          (store) =>
            store.update(
              [['record', partition, key]],
              (snapshot) => {
                adopt(snapshot.log)
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
        if (seen) adopt(seen)
        if (seen && isChanged) tell({ kind: 'stored', partition, key })
        return seen !== undefined
      },
      purge,
      log() {
        if (whole !== log) [whole, ownLog] = [log, asSeenFrom(log, partition)]
        return ownLog
      },
      epoch,
      doubt: () => (unheard ? looking : undefined),
      isDurable: () => durable !== undefined && !hasFailed,
      records: () => (mine.isOpen ? memory.records(partition) : []),
      memoryBytes: memory.bytes,
      async close() {
        isClosed = true
        await attempt('close', async (store) => store.close?.())
      },
    }
  }

  return {
    open(partition, onLeft) {
      leave(tenancy)
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
    hear,
    look: lookAtLog,
    doubt,
  }
}

/** Whether two purges are one: the log knows no names of purges. */
const isSame =
  (one: Purge) =>
  (other: Purge): boolean =>
    one.at === other.at && one.mode === other.mode && JSON.stringify(one.selector) === JSON.stringify(other.selector)

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

const asWrite = ({ selector, mode, at }: Purge): Write => ({ kind: 'purge', purge: { selector, mode, at } })

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
