import { promisifyRequest } from 'idb-keyval'
import type { Ms, PurgeLog, StoredResponse } from '../http/message.ts'
import { appendPurge, emptyLog } from '../http/purge-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type {
  CacheKey,
  Snapshot,
  Store,
  StoredRecord,
  StoreKey,
  StoreNotice,
  Write,
  WriteOptions,
} from '../ports/store.ts'
import { createConnection } from './connection.ts'
import { nameOf, sealedBody, sealedRecord, unsealedBody, unsealedRecord } from './seal.ts'
import {
  arePurges,
  isForeign,
  isNumber,
  isObject,
  isRecordKey,
  isStoredRecord,
  isText,
  sizeOf,
  withinHalf,
} from './stored-record.ts'

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
  onNotice(notice: StoreNotice): void
}

/** What lies under `['meta', 'log']`: the purge log without its purges, which are read only when it has moved on, and whose database it is. */
type Head = Pick<PurgeLog, 'incarnation' | 'last' | 'floor'> & { readonly partition?: string }

/** What lies under `['meta', 'space']`. */
interface Space {
  readonly bytes: number
  /** How many of them belong to a partition that has a name. */
  readonly named: number
  /** The record at which the next eviction starts. */
  readonly hand?: IDBValidKey | undefined
}

/** What a transaction has in hand: values by the names of their keys, as they are after its own writes. `undefined` is looked for and not there. */
interface View {
  log: PurgeLog | undefined
  readonly partition: string | undefined
  readonly records: Map<string, StoredRecord | undefined>
  readonly bodies: Map<string, Uint8Array<ArrayBuffer>>
  /** Places where there is something of no use, or no body though a record may name one. */
  readonly damaged: StoreKey[]
}

interface Reader {
  readonly keys: readonly StoreKey[]
  resolve(snapshot: Snapshot): void
  reject(error: unknown): void
}

interface Writer {
  readonly keys: readonly StoreKey[]
  readonly change: (snapshot: Snapshot) => readonly Write[]
  resolve(log: PurgeLog): void
  reject(error: unknown): void
}

const LOG: IDBValidKey = ['meta', 'log']
const PURGES: IDBValidKey = ['meta', 'purges']
const SPACE: IDBValidKey = ['meta', 'space']

/** Passes of the hand: the first takes the visited bits, the second finds who has none, the third spares nobody. */
const MAX_PASSES = 3

/** Visited bits written along with one transaction, and remembered at most. */
const MAX_VISITED = 100

/** After the disk was full, no room is made again for this long, in milliseconds: if that did not help, it would only cost what is stored. */
const FULL_MS: Ms = 60_000

const NOTHING = { bytes: 0, named: 0 }

/**
 * Keeps everything in one IndexedDB database. A record, its bodies and the log are read and written in one transaction, so that a tab killed in the middle leaves the old or the
 * new, never half. Reads of the same moment share a transaction, and so do writes that come while another one is under way.
 *
 * | key | value |
 * |---|---|
 * | `['record', partition, key]` | a `StoredRecord` with its checksum |
 * | `['body', partition, key, id]` | the bytes of a large body with theirs |
 * | `['visited', partition, key]` | 1: the record was used since the hand last passed |
 * | `['meta', 'log']`, `['meta', 'purges']` | the purge log |
 * | `['meta', 'space']` | bytes in use, and the hand |
 */
export function createIndexedDbStore({
  factory,
  keyRange,
  random,
  maxBytes,
  maxEntryBytes,
  inlineBytes = 65_536,
  deadlineMs = 3_000,
  onNotice,
  clock,
  ...place
}: IndexedDbOptions): Store {
  const connection = createConnection({ ...place, factory, clock, deadlineMs })
  let readers: Reader[] = []
  let writers: Writer[] = []
  let isWriting = false
  /** The log as last seen, with its purges. */
  let seen: PurgeLog | undefined
  /** Records read since their visited bits were last written. */
  const visited = new Map<string, IDBValidKey>()
  /** When the disk was last found to be full. */
  let fullAt = Number.NEGATIVE_INFINITY
  /** What was removed since then, and is in no account yet. */
  let unaccounted = NOTHING

  /** Everything asked for in one go: requests are made at once and awaited together, and nothing else is awaited. */
  async function look(objects: IDBObjectStore, keys: readonly StoreKey[]): Promise<View> {
    const [head, ...values] = await Promise.all([LOG, ...keys].map((key) => valueUnder(objects, key as IDBValidKey)))
    const log = await logOf(objects, head)
    const partition = log && isObject(head) && isText(head.partition) ? head.partition : undefined
    const view: View = { log, partition, records: new Map(), bodies: new Map(), damaged: [] }
    for (const [index, key] of keys.entries()) {
      const value = values[index]
      if (key[0] === 'record') {
        const record = unsealedRecord(value, key)
        view.records.set(nameOf(key), record)
        if (value !== undefined && !record) view.damaged.push(key)
      } else {
        const bytes = unsealedBody(value, key)
        if (bytes) view.bodies.set(nameOf(key), bytes)
        else view.damaged.push(key)
      }
    }
    return view
  }

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

  /** Looks within a transaction that writes: records of no use are gone afterwards, with their bodies. */
  async function lookAndTidy(objects: IDBObjectStore, keys: readonly StoreKey[]): Promise<View> {
    const view = await look(objects, keys)
    for (const [kind, partition, key] of view.damaged) {
      if (kind !== 'record') continue
      objects.delete(['record', partition, key as string[]])
      objects.delete(keyRange.bound(['body', partition, key], ['body', partition, key, []]))
    }
    return view
  }

  /** The log that the head stands for: what was seen before, unless something was purged since. A damaged one is none at all, and a new life begins. */
  async function logOf(objects: IDBObjectStore, head: unknown): Promise<PurgeLog | undefined> {
    if (!isObject(head)) return undefined
    const { incarnation, last, floor } = head
    if (!isText(incarnation) || !isNumber(last) || !isNumber(floor)) return undefined
    if (seen?.incarnation === incarnation && seen.last === last) return seen
    const purges: unknown = last === 0 ? [] : await promisifyRequest(objects.get(PURGES))
    return arePurges(purges, last) ? { incarnation, last, floor, purges } : undefined
  }

  async function flushReads(): Promise<void> {
    const flushed = readers
    readers = []
    try {
      const keys = flushed.flatMap((reader) => reader.keys)
      const view = await connection.transact('readonly', 'relaxed', (objects) => look(objects, keys))
      for (const key of keys) {
        if (key[0] === 'record' && view.records.get(nameOf(key)) && visited.size < MAX_VISITED)
          visited.set(nameOf(key), ['visited', key[1], key[2] as string[]])
      }
      // A new database is named in a transaction that writes: whoever comes first decides.
      seen = view.log ?? (await commit([{ keys: [], change: () => [] }], 'relaxed'))[0]
      const snapshot = snapshotOf(view, seen as PurgeLog)
      for (const reader of flushed) reader.resolve(snapshot)
      repair(view.damaged)
    } catch (error) {
      for (const reader of flushed) reader.reject(error)
    }
  }

  async function flushWrites(): Promise<void> {
    if (isWriting) return
    isWriting = true
    // The rest of this tick comes along, and then whatever comes while a transaction is under way.
    await undefined
    while (writers.length > 0) {
      const flushed = writers
      writers = []
      await write(flushed, 'relaxed')
    }
    isWriting = false
  }

  /** Writes together; when that fails, each alone, so that nobody fails for another's sake. At the deadline all have failed. */
  async function write(together: readonly Writer[], durability: WriteOptions['durability']): Promise<void> {
    try {
      const logs = await commit(together, durability)
      for (const [index, writer] of together.entries()) writer.resolve(logs[index] as PurgeLog)
    } catch (error) {
      if (together.length === 1 || isNamed(error, 'TimeoutError')) for (const writer of together) writer.reject(error)
      else for (const writer of together) await write([writer], durability)
    }
  }

  /** @returns the log after each of the changes */
  async function commit(
    changes: readonly Pick<Writer, 'keys' | 'change'>[],
    durability: WriteOptions['durability'],
  ): Promise<PurgeLog[]> {
    const bits = new Map(visited)
    const evicted: StoreNotice[] = []
    const run = () =>
      connection.transact('readwrite', durability, async (objects) => {
        evicted.length = 0
        return apply(objects, changes, bits, evicted)
      })
    const logs = await run()
      .catch(async (error: unknown) => {
        const since = clock.now() - fullAt
        if (!isNamed(error, 'QuotaExceededError') || (durability === 'relaxed' && since >= 0 && since < FULL_MS))
          throw error
        // The disk has less room than we were given: give up half of what is there, and try once more. A full disk takes nothing at all, so the accounts have to wait.
        fullAt = clock.now()
        const freed = await connection.transact('readwrite', 'relaxed', async (objects) => {
          const space = await spaceOf(objects)
          const { bytes, named } = await evict(objects, space, space.bytes / 2, new Set(), evicted)
          return { bytes: space.bytes - bytes, named: space.named - named }
        })
        for (const notice of evicted) onNotice(notice)
        unaccounted = { bytes: unaccounted.bytes + freed.bytes, named: unaccounted.named + freed.named }
        return run()
      })
      .catch(async (error: unknown) => {
        if (!isNamed(error, 'QuotaExceededError') || durability === 'relaxed') throw error
        // Not even room for a purge: where nothing is left, it holds.
        let { log } = await forget()
        const nothing = { partition: undefined, records: new Map(), bodies: new Map() }
        return changes.map(({ change }) => {
          for (const one of change(snapshotOf(nothing, log)))
            if (one.kind === 'purge') log = appendPurge(log, one.purge)
          return log
        })
      })
    // Only now: what was aborted has not been seen.
    seen = logs.at(-1)
    unaccounted = NOTHING
    for (const name of bits.keys()) visited.delete(name)
    for (const notice of evicted) onNotice(notice)
    return logs
  }

  async function apply(
    objects: IDBObjectStore,
    changes: readonly Pick<Writer, 'keys' | 'change'>[],
    bits: ReadonlyMap<string, IDBValidKey>,
    evicted: StoreNotice[],
  ): Promise<PurgeLog[]> {
    const view = await lookAndTidy(
      objects,
      changes.flatMap(({ keys }) => keys),
    )
    for (const bit of bits.values()) {
      // What was read of a partition that has been left since, or is not known to a new database, leaves no trace.
      if (Array.isArray(bit) && (bit[1] === '' || bit[1] === view.partition)) objects.put(1, bit)
    }
    const before = view.log
    let log = before ?? emptyLog(token(random))
    const growth = { bytes: -unaccounted.bytes, named: -unaccounted.named }
    const written = new Set<string>()
    const logs: PurgeLog[] = []
    for (const { change } of changes) {
      for (const one of change(snapshotOf(view, log))) {
        if (one.kind === 'purge') log = appendPurge(log, one.purge)
        else if (!isForeign(one.partition, view.partition)) {
          const name = nameOf(['record', one.partition, one.key])
          if (!view.records.has(name)) {
            const { records } = await lookAndTidy(objects, [['record', one.partition, one.key]])
            view.records.set(name, records.get(name))
          }
          const bytes = putRecord(objects, view, one)
          growth.bytes += bytes
          if (one.partition !== '') growth.named += bytes
          written.add(name)
        }
      }
      logs.push(log)
    }
    if (log !== before) putLog(objects, log, view.partition)
    if (growth.bytes !== 0) {
      const space = await spaceOf(objects)
      const bytes = Math.max(0, space.bytes + growth.bytes)
      const grown = { ...space, bytes, named: Math.max(0, space.named + growth.named) }
      if (bytes <= maxBytes) objects.put(grown satisfies Space, SPACE)
      // A little more than needed, so that not every write has to.
      else objects.put(await evict(objects, grown, maxBytes - maxBytes / 16, written, evicted), SPACE)
    }
    return logs
  }

  function putLog(
    objects: IDBObjectStore,
    { purges, incarnation, last, floor }: PurgeLog,
    partition: string | undefined,
  ): void {
    objects.put({ incarnation, last, floor, ...(partition !== undefined && { partition }) } satisfies Head, LOG)
    objects.put(purges, PURGES)
  }

  /** Removes everything, which takes no room. The next life is named when there is some. */
  async function forget() {
    const log = emptyLog(token(random))
    const removed = await connection.transact('readwrite', 'strict', async (objects) => {
      const count = (kind: string) => promisifyRequest(objects.count(keyRange.bound([kind], [kind, []])))
      const [{ bytes }, records, bodies] = await Promise.all([spaceOf(objects), count('record'), count('body')])
      objects.clear()
      return { records, bodies, bytes }
    })
    return { log, removed }
  }

  async function enter(partition: string) {
    const entering = connection.transact('readwrite', 'strict', async (objects) => {
      const view = await look(objects, [])
      const log = view.log ?? emptyLog(token(random))
      if (view.log && view.partition === partition) return { log, removed: { records: 0, bodies: 0, bytes: 0 } }
      const removed = { record: 0, body: 0, visited: 0 }
      for (const kind of ['record', 'body', 'visited'] as const) {
        // Of ours nothing is left since another one was entered. An array comes after every string.
        const named = keyRange.bound([kind, '\0'], [kind, []])
        removed[kind] = await promisifyRequest(objects.count(named))
        objects.delete(named)
      }
      const space = await spaceOf(objects)
      // Where the hand stopped may be what is no more.
      const bytes = Math.max(0, space.bytes - space.named)
      objects.put({ bytes, named: 0 } satisfies Space, SPACE)
      putLog(objects, log, partition)
      return { log, removed: { records: removed.record, bodies: removed.body, bytes: space.named } }
    })
    const entered = await entering.catch((error: unknown) => {
      if (!isNamed(error, 'QuotaExceededError')) throw error
      return forget()
    })
    seen = entered.log
    visited.clear()
    return entered
  }

  /** Puts or removes one record with its bodies; returns by how many bytes that changes what is stored. */
  function putRecord(
    objects: IDBObjectStore,
    view: View,
    { partition, key, value }: Extract<Write, { kind: 'record' }>,
  ): number {
    const name = ['record', partition, key] as const
    const before = view.records.get(nameOf(name))
    const former = ({ body }: StoredResponse) => before?.responses.find((one) => one.body.id === body.id)
    const responses = withinHalf(value?.responses ?? [], maxBytes).flatMap((one) => {
      const { id, size, bytes = former(one)?.body.bytes } = one.body
      if (one.memoryOnly || size > maxEntryBytes || !(bytes ?? former(one))) return []
      const isApart = !bytes || bytes.byteLength > inlineBytes
      if (isApart && bytes && !former(one)) {
        const name = ['body', partition, key, id] as const
        objects.put(sealedBody(bytes, name), bodyKey(partition, key, id))
        view.bodies.set(nameOf(name), bytes)
      }
      return [{ ...one, body: isApart ? { id, size } : { id, size, bytes } }]
    })
    for (const { body } of before?.responses ?? []) {
      if (body.bytes || responses.some((one) => one.body.id === body.id)) continue
      objects.delete(bodyKey(partition, key, body.id))
      view.bodies.delete(nameOf(['body', partition, key, body.id]))
    }
    const after: StoredRecord | undefined = responses.length > 0 ? { v: 1, responses } : undefined
    if (after) objects.put(sealedRecord(after, name), name as unknown as IDBValidKey)
    else objects.delete(name as unknown as IDBValidKey)
    view.records.set(nameOf(name), after)
    return (after ? sizeOf(after) : 0) - (before ? sizeOf(before) : 0)
  }

  /** Moves the hand over the records in the order of their keys, from where it stopped: what was used since loses its bit, what was not goes (SIEVE). Only removes: the accounts are the caller's. */
  async function evict(
    objects: IDBObjectStore,
    { bytes, named, hand }: Space,
    goal: number,
    spared: ReadonlySet<string>,
    evicted: StoreNotice[],
  ): Promise<Space> {
    let start = hand
    for (let pass = 1; pass <= MAX_PASSES && bytes > goal; pass++) {
      const request = objects.openCursor(keyRange.lowerBound(start ?? ['record']))
      let cursor = await promisifyRequest(request)
      // From one end to the other everything is seen: what is counted then is what is there.
      let counted = start ? Number.NaN : 0
      for (; cursor && bytes > goal && Array.isArray(cursor.key) && cursor.key[0] === 'record'; ) {
        const { key, value } = cursor
        const record = isRecordKey(key) && isStoredRecord(value) ? value : undefined
        const size = record ? sizeOf(record) : 0
        const bit: IDBValidKey = ['visited', ...key.slice(1)]
        const isSpared =
          pass < MAX_PASSES &&
          record !== undefined &&
          (spared.has(JSON.stringify(key)) || (await promisifyRequest<unknown>(objects.get(bit))) !== undefined)
        objects.delete(bit)
        if (isSpared) counted += size
        else {
          bytes -= size
          if (key[1] !== '') named -= size
          cursor.delete()
          if (record && isRecordKey(key)) {
            const [, partition, name] = key
            for (const { body } of record.responses) if (!body.bytes) objects.delete(bodyKey(partition, name, body.id))
            evicted.push({ type: 'evicted', partition, key: name, bytes: size, tier: 'disk' })
          }
        }
        cursor.continue()
        cursor = await promisifyRequest(request)
      }
      start = bytes > goal ? undefined : cursor?.key
      if (bytes > goal && counted >= 0) bytes = counted
    }
    return { bytes: Math.max(0, bytes), named: Math.max(0, named), hand: start }
  }

  return {
    read: (keys) =>
      new Promise((resolve, reject) => {
        if (readers.length === 0) queueMicrotask(flushReads)
        readers.push({ keys, resolve, reject })
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
    close: connection.close,
  }
}

/** What a transaction has in hand, as it is now: later writes do not show. */
function snapshotOf({ partition, records, bodies }: Omit<View, 'log' | 'damaged'>, log: PurgeLog): Snapshot {
  const [heldRecords, heldBodies] = [new Map(records), new Map(bodies)]
  return {
    log,
    partition,
    record: (partition, key) => heldRecords.get(nameOf(['record', partition, key])),
    body: (partition, key, id) => heldBodies.get(nameOf(['body', partition, key, id])),
  }
}

/** What lies under a key; something of no use where the database cannot read it any more. */
function valueUnder(objects: IDBObjectStore, key: IDBValidKey): Promise<unknown> {
  const request = objects.get(key)
  const isUnreadable = () => UNREADABLE.some((name) => isNamed(request.error, name))
  // Otherwise it would abort the transaction, and fail those who asked for something else.
  request.addEventListener('error', (event) => isUnreadable() && event.preventDefault())
  return promisifyRequest<unknown>(request).catch((error: unknown) => {
    if (isUnreadable()) return null
    throw error
  })
}

async function spaceOf(objects: IDBObjectStore): Promise<Space> {
  const space = await promisifyRequest<unknown>(objects.get(SPACE))
  if (!isObject(space) || !isNumber(space.bytes)) return { bytes: 0, named: 0 }
  const named = isNumber(space.named) ? space.named : 0
  return {
    bytes: space.bytes,
    named,
    hand: isRecordKey(space.hand) ? (space.hand as unknown as IDBValidKey) : undefined,
  }
}

/** Errors that are about one value, not about the database. */
const UNREADABLE = ['NotReadableError', 'DataError']

const isNamed = (error: unknown, name: string): boolean => error instanceof DOMException && error.name === name

const bodyKey = (partition: string, key: CacheKey, id: string): IDBValidKey => [
  'body',
  partition,
  key as readonly string[] as string[],
  id,
]

/** 128 bits by chance, as hexadecimal digits. */
const token = (random: Random): string =>
  Array.from({ length: 8 }, () =>
    Math.floor(0x10000 + random() * 0x10000)
      .toString(16)
      .slice(1),
  ).join('')
