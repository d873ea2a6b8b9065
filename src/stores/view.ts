import { promisifyRequest } from 'idb-keyval'
import type { PurgeLog } from '../http/message.ts'
import type { Snapshot, StoredRecord, StoreKey } from '../ports/store.ts'
import { LOG, PURGES } from './database-keys.ts'
import { nameOf, unsealedBody, unsealedRecord } from './seal.ts'
import { arePurges, isNumber, isObject, isText } from './stored-record.ts'

/** What lies under `['meta', 'log']`: the purge log without its purges, which are read only when it has moved on, and whose database it is. */
type Head = Pick<PurgeLog, 'incarnation' | 'last' | 'floor'> & { readonly partition?: string }

/** What a transaction has in hand: values by the names of their keys, as they are after its own writes. `undefined` is looked for and not there. */
export interface View {
  readonly log: PurgeLog | undefined
  readonly partition: string | undefined
  readonly records: Map<string, StoredRecord | undefined>
  readonly bodies: Map<string, Uint8Array<ArrayBuffer>>
  /** Places where there is something of no use, or no body though a record may name one. */
  readonly damaged: StoreKey[]
}

/**
 * Everything asked for in one go: requests are made at once and awaited together, and nothing else is awaited.
 *
 * @param seen - the log as last seen, which need not be read again when nothing was purged since
 */
export async function look(
  objects: IDBObjectStore,
  keys: readonly StoreKey[],
  seen: PurgeLog | undefined,
): Promise<View> {
  const [head, ...values] = await Promise.all([LOG, ...keys].map((key) => valueUnder(objects, key as IDBValidKey)))
  const log = await logOf(objects, head, seen)
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

/** What a transaction has in hand, as it is now: later writes do not show. */
export function snapshotOf({ partition, records, bodies }: Omit<View, 'log' | 'damaged'>, log: PurgeLog): Snapshot {
  const [heldRecords, heldBodies] = [new Map(records), new Map(bodies)]
  return {
    log,
    partition,
    record: (partition, key) => heldRecords.get(nameOf(['record', partition, key])),
    body: (partition, key, id) => heldBodies.get(nameOf(['body', partition, key, id])),
  }
}

export function putLog(
  objects: IDBObjectStore,
  { purges, incarnation, last, floor }: PurgeLog,
  partition: string | undefined,
): void {
  objects.put({ incarnation, last, floor, ...(partition !== undefined && { partition }) } satisfies Head, LOG)
  objects.put(purges, PURGES)
}

/** The log that the head stands for: what was seen before, unless something was purged since. A damaged one is none at all, and a new life begins. */
async function logOf(
  objects: IDBObjectStore,
  head: unknown,
  seen: PurgeLog | undefined,
): Promise<PurgeLog | undefined> {
  if (!isObject(head)) return undefined
  const { incarnation, last, floor } = head
  if (!isText(incarnation) || !isNumber(last) || !isNumber(floor)) return undefined
  if (seen?.incarnation === incarnation && seen.last === last) return seen
  const purges: unknown = last === 0 ? [] : await promisifyRequest(objects.get(PURGES))
  return arePurges(purges, last) ? { incarnation, last, floor, purges } : undefined
}

/** What lies under a key; something of no use where the database cannot read it any more. */
function valueUnder(objects: IDBObjectStore, key: IDBValidKey): Promise<unknown> {
  const request = objects.get(key)
  const isUnreadable = () => ['NotReadableError', 'DataError'].includes(request.error?.name ?? '')
  // Otherwise it would abort the transaction, and fail those who asked for something else.
  request.addEventListener('error', (event) => isUnreadable() && event.preventDefault())
  return promisifyRequest<unknown>(request).catch((error: unknown) => {
    // About one value, not about the database.
    if (isUnreadable()) return null
    throw error
  })
}
