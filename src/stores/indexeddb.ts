import type { EpochMs, Ms, PurgeLog } from '../http/message.ts'
import { appendPurge } from '../http/purge-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { Idle } from '../ports/idle.ts'
import type { Random } from '../ports/random.ts'
import type { Snapshot, Store, StoredRecord, StoreKey, StoreNotice, WriteOptions } from '../ports/store.ts'
import { apply, type Change } from './apply.ts'
import { createConnection } from './connection.ts'
import { type Entered, enterIn, forgetIn, staysIn, type Wish } from './enter.ts'
import { type Evicted, evict, type Growth, spaceOf } from './space.ts'
import { known, look, snapshotOf, type View } from './view.ts'

export interface IndexedDbOptions {
  /** The database's name. */
  readonly name: string
  readonly factory: IDBFactory
  readonly keyRange: typeof IDBKeyRange
  readonly clock: Clock
  readonly random: Random
  /** Bytes kept at most, by our own count. */
  readonly maxBytes: number
  /** A response with a larger body is not written. */
  readonly maxEntryBytes: number
  /**
   * A body up to this size lies inside its record, so that one get answers and one put stores; a larger one lies apart, so that a validation rewrites only the record. In bytes.
   *
   * @default 65,536
   */
  readonly inlineBytes?: number
  /** How long an operation may take. @default 3,000 */
  readonly deadlineMs?: Ms
  /** When to sweep: to remove what no read can use any more. Without it that is left to eviction. */
  readonly idle?: Idle
  onNotice(notice: StoreNotice): void
}

/** A store that can begin to open before it is used. */
export interface IndexedDbStore extends Store {
  prepare(): void
}

interface Reader {
  readonly keys: readonly StoreKey[]
  resolve(snapshot: Snapshot): void
  reject(error: unknown): void
}

interface Writer extends Change {
  resolve(log: PurgeLog): void
  reject(error: unknown): void
}

/** Updates that share one transaction at most, so that none keeps the page from everything else, or those who read waiting. */
const MAX_WRITERS = 50

/** For how long a read waits for those of another transaction at most, in milliseconds. */
const SHARED_MS: Ms = 50

/** Visited bits written along with one transaction, and remembered at most. */
const MAX_VISITED = 100

/** After the disk was full, no room is made again for this long, in milliseconds: if that did not help, it would only cost what is stored. */
const FULL_MS: Ms = 60_000

/**
 * Keeps everything in one IndexedDB database. A record, its bodies and the log are read and written in one transaction, so that a tab killed in the middle leaves the old or the
 * new, never half. What comes while others read shares the next transaction of reads, and so with writes.
 *
 * | key | value |
 * |---|---|
 * | `['record', partition, key]` | a `StoredRecord`, [packed](packed-record.ts) |
 * | `['body', partition, key, id]` | the bytes of a large body with their checksum |
 * | `['visited', partition, key]` | 1: the record was used since the hand last passed |
 * | `['route', partition, name]` | the keys of a route whose number is limited |
 * | `['meta', 'log']`, `['meta', 'purges']` | the purge log |
 * | `['meta', 'space']` | bytes in use, and the hand |
 * | `['meta', 'sweep']` | how far the sweeping has come |
 */
export function createIndexedDbStore({
  factory,
  keyRange,
  random,
  maxBytes,
  maxEntryBytes,
  inlineBytes = 65_536,
  deadlineMs = 3_000,
  idle,
  onNotice,
  clock,
  ...place
}: IndexedDbOptions): IndexedDbStore {
  const options = { keyRange, random, maxBytes, maxEntryBytes, inlineBytes }
  const connection = createConnection({ ...place, factory, clock, deadlineMs })
  const readers: Reader[] = []
  /** The transaction that others wait for, and since when it is under way. */
  let reading: { since: EpochMs } | undefined
  const writers: Writer[] = []
  let isWriting = false
  /** Whether there was more to evict than one transaction may. */
  let isOver = false
  /** Records that were written since: the last to be evicted. */
  let spared = new Set<string>()
  /** The log as last seen, with its purges. */
  let seen: PurgeLog | undefined
  /** The log for which it was last looked what is to be swept. */
  let swept: PurgeLog | undefined
  let isSweeping = false
  /** Until it is closed, and then until the next time. */
  let open = new AbortController()
  /** Names of the records read since their visited bits were last written. */
  const visited = new Set<string>()
  /** When the disk was last found to be full. */
  let fullAt = Number.NEGATIVE_INFINITY
  /** What was removed since then, and is in no account yet. */
  let unaccounted: Growth[] = []

  /** Removes records that are of no use, if they still are when their turn comes, and responses without their bodies. Nobody waits for it. */
  function repair(damaged: readonly StoreKey[]): void {
    for (const [kind, partition, key, id] of damaged) {
      writers.push({
        // A body is not looked at again: what cannot be read would take the transaction along.
        keys: [['record', partition, key]],
        change(snapshot) {
          const responses = snapshot.record(partition, key)?.responses ?? []
          const whole = responses.filter(({ body }) => kind === 'record' || body.bytes || body.id !== id)
          if (whole.length === responses.length) return []
          const value: StoredRecord | undefined = whole.length > 0 ? { v: 1, responses: whole } : undefined
          return [{ kind: 'record', partition, key, value }]
        },
        resolve() {},
        reject() {},
      })
    }
    if (damaged.length > 0) flushWrites()
  }

  /** Who comes while others read waits for them and shares the next transaction, which costs more than what is read; but not for one that hangs. */
  async function flushReads(): Promise<void> {
    if (reading && Math.abs(clock.now() - reading.since) < SHARED_MS) return
    const mine = { since: clock.now() }
    reading = mine
    // The rest of this tick comes along.
    await undefined
    while (readers.length > 0 && reading === mine) {
      mine.since = clock.now()
      await readTogether(readers.splice(0), mine)
    }
    if (reading === mine) reading = undefined
  }

  async function readTogether(flushed: readonly Reader[], mine: typeof reading): Promise<void> {
    const { signal } = open
    try {
      const views = await connection.transact('readonly', 'relaxed', (objects) => {
        const knowing = known(objects, seen)
        // Each is answered when its own has come: all at once would keep the page from everything else.
        return Promise.all(
          flushed.map(async (reader) => {
            const view = await look(objects, reader.keys, knowing)
            if (view.log) answer(reader, view, view.log)
            return view
          }),
        )
      })
      if (!views[0]?.log) {
        // That would open it anew.
        if (signal.aborted) throw new DOMException('The store was closed', 'AbortError')
        // A new database is named in a transaction that writes: whoever comes first decides.
        const [log] = await commit([{ keys: [], change: () => [] }], 'relaxed')
        for (const [index, reader] of flushed.entries()) answer(reader, views[index] as View, log as PurgeLog)
      }
      if (!signal.aborted) repair(views.flatMap(({ damaged }) => damaged))
    } catch (error) {
      // Who has waited for them has done so for nearly as long; but not who waits for others by now.
      const late = isNamed(error, 'TimeoutError') && reading === mine ? readers.splice(0) : []
      for (const reader of [...flushed, ...late]) reader.reject(error)
    }
  }

  function answer({ resolve }: Reader, view: View, log: PurgeLog): void {
    seen = log
    for (const [name, record] of view.records) if (record && visited.size < MAX_VISITED) visited.add(name)
    resolve(snapshotOf(view, log))
    sweep()
  }

  /** Sweeps when there is nothing else to do, if something may have been purged since the last time: in small transactions, and not while the database is ill. */
  async function sweep(): Promise<void> {
    if (!idle || swept === seen) return
    swept = seen
    if (isSweeping) return
    isSweeping = true
    const { signal } = open
    try {
      let looked: PurgeLog | undefined
      for (let isMore = true; !signal.aborted && (isMore || looked !== swept); ) {
        await idle(signal)
        // What no page needs at once.
        const { sweepSome } = await import('./sweep.ts')
        if (signal.aborted || connection.isIll()) {
          swept = undefined
          break
        }
        looked = swept
        isMore = await connection.transact('readwrite', 'relaxed', (objects) =>
          sweepSome(objects, keyRange, clock.now()),
        )
      }
    } catch {
      // Nothing depends on it: whoever comes next goes on.
    }
    isSweeping = false
  }

  async function flushWrites(): Promise<void> {
    if (isWriting) return
    isWriting = true
    // Closed meanwhile, the rest of an eviction waits for the next use.
    const { signal } = open
    // The rest of this tick comes along, and then whatever comes while a transaction is under way.
    await undefined
    while (writers.length > 0 || (isOver && !signal.aborted)) await write(writers.splice(0, MAX_WRITERS), 'relaxed')
    isWriting = false
    // What nobody waited for may have opened it anew.
    if (signal.aborted) close()
  }

  /** Writes together; when that fails, each alone, so that nobody fails for another's sake. At the deadline all have failed. */
  async function write(together: readonly Writer[], durability: WriteOptions['durability']): Promise<void> {
    try {
      const logs = await commit(together, durability)
      for (const [index, writer] of together.entries()) writer.resolve(logs[index] as PurgeLog)
    } catch (error) {
      // What is over then waits for the next write.
      if (together.length === 0) isOver = false
      if (together.length === 1 || isNamed(error, 'TimeoutError')) for (const writer of together) writer.reject(error)
      else for (const writer of together) await write([writer], durability)
    }
  }

  /** @returns the log after each of the changes */
  async function commit(
    changes: readonly Change[],
    durability: WriteOptions['durability'],
  ): Promise<readonly PurgeLog[]> {
    const bits = [...visited]
    const evicted: Evicted[] = []
    if (!isOver) spared = new Set()
    const run = async () => {
      // Taken along by one transaction, however many are under way; and by another one when this one fails.
      const taken = unaccounted
      unaccounted = []
      try {
        return await connection.transact('readwrite', durability, async (objects) => {
          evicted.length = 0
          return apply(objects, changes, { seen, bits, unaccounted: taken, spared, evicted }, options)
        })
      } catch (error) {
        unaccounted = [...taken, ...unaccounted]
        throw error
      }
    }
    const { logs, isOver: isMore = isOver } = await run()
      .catch(async (error: unknown) => {
        const since = clock.now() - fullAt
        if (!isNamed(error, 'QuotaExceededError') || (durability === 'relaxed' && since >= 0 && since < FULL_MS))
          throw error
        // The disk has less room than we were given: try once more.
        fullAt = clock.now()
        await halve()
        return run()
      })
      .catch(async (error: unknown) => {
        if (!isNamed(error, 'QuotaExceededError') || durability === 'relaxed') throw error
        // Not even room for a purge: where nothing is left, it holds.
        let { log } = await forget()
        const nothing = { partition: undefined, records: new Map(), bodies: new Map() }
        const logs = changes.map(({ change }) => {
          for (const one of change(snapshotOf(nothing, log)))
            if (one.kind === 'purge') log = appendPurge(log, one.purge)
          return log
        })
        return { logs, isOver: false }
      })
    // Only now: what was aborted has not been seen.
    seen = logs.at(-1) ?? seen
    isOver = isMore
    sweep()
    for (const name of bits) visited.delete(name)
    for (const notice of evicted) onNotice(notice)
    return logs
  }

  /** Gives up half of what is there. A full disk takes nothing at all, so the accounts have to wait. */
  async function halve(): Promise<void> {
    let left = await connection.transact('readonly', 'relaxed', spaceOf)
    const goal = left.bytes / 2
    while (left.bytes > goal) {
      let evicted: Evicted[] = []
      left = await connection.transact('readwrite', 'relaxed', (objects) => {
        evicted = []
        return evict(objects, keyRange, left, goal, new Set(), evicted)
      })
      for (const notice of evicted) {
        unaccounted.push({ ...notice, bytes: -notice.bytes })
        onNotice(notice)
      }
    }
  }

  /** Removes everything, unless another partition was asked for later. */
  async function forget(wish: Wish = {}): Promise<Entered> {
    const forgotten = await connection.transact('readwrite', 'strict', (objects) =>
      forgetIn(objects, wish, { ...options, seen, now: clock.now() }),
    )
    unaccounted = []
    return forgotten
  }

  async function enter(partition: string, at?: EpochMs): Promise<Entered> {
    const wish = { partition, at }
    const parts = () => ({ ...options, seen, now: clock.now() })
    /** Whoever is there already costs no write that has to be on disk. */
    const stays = (mode: IDBTransactionMode) =>
      connection.transact(mode, 'relaxed', (objects) => staysIn(objects, wish, parts()))
    const stayed = await stays('readwrite').catch(whenFull(() => stays('readonly')))
    // Without its name the tabs of whoever was here before would take it for theirs.
    const entered =
      stayed ??
      (await connection
        .transact('readwrite', 'strict', (objects) => enterIn(objects, wish, parts()))
        .catch(whenFull(() => forget(wish)))
        .catch(whenFull(() => forget({ at }))))
    seen = entered.log
    visited.clear()
    return entered
  }

  function close(): Promise<void> {
    open.abort()
    open = new AbortController()
    swept = undefined
    return connection.close()
  }

  return {
    read: (keys) =>
      new Promise((resolve, reject) => {
        readers.push({ keys, resolve, reject })
        flushReads()
      }),
    update: (keys, change, { durability }) =>
      new Promise((resolve, reject) => {
        const writer = { keys, change, resolve, reject }
        if (durability === 'strict') write([writer], durability)
        else {
          writers.push(writer)
          flushWrites()
        }
      }),
    enter,
    prepare: connection.prepare,
    close,
  }
}

const isNamed = (error: unknown, name: string): boolean => error instanceof DOMException && error.name === name

/** What is done instead when the disk is full; every other error goes on. */
const whenFull =
  <T>(instead: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (!isNamed(error, 'QuotaExceededError')) throw error
    return instead()
  }
