import { promisifyRequest } from 'idb-keyval'
import type { StoreNotice } from '../ports/store.ts'
import { bodyKey, isRecordKey, SPACE } from './database-keys.ts'
import { isNumber, isObject, isStoredRecord, sizeOf } from './stored-record.ts'

/** The account of bytes: what lies under `['meta', 'space']`. */
export interface Space {
  readonly bytes: number
  /** How many of them belong to a partition that has a name. */
  readonly named: number
  /** The record at which the next eviction starts. */
  readonly hand?: IDBValidKey | undefined
}

/** Passes of the hand: the first takes the visited bits, the second finds who has none, the third spares nobody. */
const MAX_PASSES = 3

/** The account; a damaged one starts again at nothing, and is right again after the next whole pass of the hand. */
export async function spaceOf(objects: IDBObjectStore): Promise<Space> {
  const space = await promisifyRequest<unknown>(objects.get(SPACE))
  if (!isObject(space) || !isNumber(space.bytes)) return { bytes: 0, named: 0 }
  return {
    bytes: space.bytes,
    named: isNumber(space.named) ? space.named : 0,
    hand: isRecordKey(space.hand) ? (space.hand as unknown as IDBValidKey) : undefined,
  }
}

/**
 * Moves the hand over the records in the order of their keys, from where it stopped: what was used since loses its bit, what was not goes (SIEVE). Only removes: the accounts are the
 * caller's.
 *
 * @param spared - names of records that are just being written: the last to go
 * @param evicted - is told what went
 */
export async function evict(
  objects: IDBObjectStore,
  keyRange: typeof IDBKeyRange,
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
