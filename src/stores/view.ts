import type { EpochMs, PurgeLog } from '../http/message.ts'
import type { Snapshot, StoredRecord, StoreKey } from '../ports/store.ts'
import { LOG, PURGES } from './database-keys.ts'
import { nameOf, unsealedBody, unsealedRecord } from './seal.ts'
import { arePurges, isNumber, isObject, isText } from './stored-record.ts'

/** What lies under `['meta', 'log']`: the purge log without its purges, which are read only when it has moved on, and whose database it is. */
type Head = Pick<PurgeLog, 'incarnation' | 'last' | 'floor'> & {
  readonly partition?: string
  readonly unnamed?: boolean
  readonly enteredAt?: EpochMs
  readonly sitting?: string
}

/** What a transaction has in hand: values by the names of their keys, as they are after its own writes. `undefined` is looked for and not there. */
export interface View {
  readonly log: PurgeLog | undefined
  readonly partition: string | undefined
  readonly unnamed?: boolean | undefined
  /** When it was asked for that partition; absent where an earlier version has written it. */
  readonly enteredAt?: EpochMs | undefined
  readonly sitting?: string | undefined
  readonly records: Map<string, StoredRecord | undefined>
  readonly bodies: Map<string, Uint8Array<ArrayBuffer>>
  /** Places where there is something of no use, or no body though a record may name one. */
  readonly damaged: StoreKey[]
}

/** What is known of the database before anything that is stored: the purge log, none in a new database, and whose it is. */
type Known = Pick<View, 'log' | 'partition' | 'unnamed' | 'enteredAt' | 'sitting'>

/**
 * The log, which is to be asked for before anything else.
 *
 * @param seen - the log as last seen, whose purges need not be read again when nothing was purged since
 */
export async function known(objects: IDBObjectStore, seen: PurgeLog | undefined): Promise<Known> {
  const purges = () => valueUnder(objects, PURGES)
  const [head, early] = await Promise.all([valueUnder(objects, LOG), seen ? undefined : purges()])
  const nothing = { log: undefined, partition: undefined }
  if (!isObject(head)) return nothing
  const { incarnation, last, floor, partition, enteredAt, sitting } = head
  if (!isText(incarnation) || !isNumber(last) || !isNumber(floor)) return nothing
  const whose = isText(partition)
    ? {
        partition,
        unnamed: head.unnamed === true,
        enteredAt: isNumber(enteredAt) ? enteredAt : undefined,
        sitting: isText(sitting) ? sitting : undefined,
      }
    : { partition: undefined }
  if (seen?.incarnation === incarnation && seen.last === last) return { log: seen, ...whose }
  const found = last === 0 ? [] : (early ?? (await purges()))
  // A damaged log is none at all, and a new life begins.
  return arePurges(found, last) ? { log: { incarnation, last, floor, purges: found }, ...whose } : nothing
}

/** Everything asked for in one go: requests are made at once and awaited together, and nothing else is awaited. */
export async function look(objects: IDBObjectStore, keys: readonly StoreKey[], knowing: Promise<Known>): Promise<View> {
  const [about, ...values] = await Promise.all([
    knowing,
    ...keys.map((key) => valueUnder(objects, key as unknown as IDBValidKey)),
  ])
  const view: View = { ...about, records: new Map(), bodies: new Map(), damaged: [] }
  for (const [index, key] of keys.entries()) {
    const value = values[index]
    const name = nameOf(key)
    if (key[0] === 'record') {
      const record = unsealedRecord(value, name)
      view.records.set(name, record)
      if (value !== undefined && !record) view.damaged.push(key)
    } else {
      const bytes = unsealedBody(value, name)
      if (bytes) view.bodies.set(name, bytes)
      else view.damaged.push(key)
    }
  }
  return view
}

/** What a transaction has in hand. */
export const snapshotOf = ({ records, bodies, ...about }: Omit<View, 'log' | 'damaged'>, log: PurgeLog): Snapshot => ({
  ...about,
  log,
  record: (partition, key) => records.get(nameOf(['record', partition, key])),
  body: (partition, key, id) => bodies.get(nameOf(['body', partition, key, id])),
})

/** The same as it is now: later writes do not show. */
export const asItIs = ({ records, bodies, ...view }: View): View => ({
  ...view,
  records: new Map(records),
  bodies: new Map(bodies),
})

export function putLog(objects: IDBObjectStore, log: PurgeLog, whose: Omit<Known, 'log'>): void {
  putHead(objects, log, whose)
  objects.put(log.purges, PURGES)
}

/** The log as it is but for whose it is: its purges stay where they are. */
export function putHead(
  objects: IDBObjectStore,
  { incarnation, last, floor }: PurgeLog,
  { partition, unnamed, enteredAt, sitting }: Omit<Known, 'log'>,
): void {
  const head: Head = {
    incarnation,
    last,
    floor,
    ...(partition !== undefined && { partition }),
    ...(unnamed && { unnamed }),
    ...(enteredAt !== undefined && { enteredAt }),
    ...(sitting !== undefined && { sitting }),
  }
  objects.put(head, LOG)
}

/** What lies under a key; something of no use where the database cannot read it any more. */
function valueUnder(objects: IDBObjectStore, key: IDBValidKey): Promise<unknown> {
  const request = objects.get(key)
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = (event) => {
      const { error } = request
      if (!['NotReadableError', 'DataError'].includes(error?.name ?? '')) return reject(error)
      // About one value, not about the database: it must not abort the transaction, and fail those who asked for something else.
      event.preventDefault()
      resolve(null)
    }
  })
}
