import { promisifyRequest } from 'idb-keyval'
import type { CacheKey, StoreNotice } from '../ports/store.ts'
import { isRecordKey, recordKey, SPACE } from './database-keys.ts'
import { unsealedRecord } from './seal.ts'
import { isNumber, isObject, isPinned, sizeOf } from './stored-record.ts'

/** The account of bytes: what lies under `['meta', 'space']`. */
export interface Space {
  readonly bytes: number
  /** How many of them belong to a partition that has a name. */
  readonly named: number
  /** The record that the hand passed last. */
  readonly hand?: IDBValidKey | undefined
  /** Of an eviction that has not ended yet. */
  readonly passing?: Passing
}

interface Passing {
  /** How often the hand has come round. */
  readonly rounds: number
  /** Bytes that it left behind since it set out from the first record, and what that has grown by since: when it comes round again, what is there. Unknown where it set out from another one. */
  readonly counted: number
}

/** By how many bytes a record has grown, or shrunk. */
export interface Growth {
  readonly partition: string
  readonly key: CacheKey
  readonly bytes: number
}

export type Evicted = Extract<StoreNotice, { type: 'evicted' }>

/** Where nothing is. */
const NO_BYTES: Space = { bytes: 0, named: 0 }

/** From which round on nothing is spared any more but what is pinned, and then not even that: the rounds before took all visited bits. */
const PINNED_ONLY = 2
const NOTHING_SPARED = 3

/** Records that are looked at together, and that the hand passes in one transaction at most: those who read wait for it. */
const STRIDE = 16
const MAX_STEPS = 256

/** The account; a damaged one starts again at nothing, and is right again when the hand has come round. */
export async function spaceOf(objects: IDBObjectStore): Promise<Space> {
  const space = await promisifyRequest<unknown>(objects.get(SPACE))
  if (!isObject(space) || !isNumber(space.bytes)) return NO_BYTES
  const { bytes, named, hand, passing } = space
  return {
    bytes,
    named: isNumber(named) ? named : 0,
    hand: isRecordKey(hand) ? (hand as unknown as IDBValidKey) : undefined,
    ...(isObject(passing) && isNumber(passing.rounds) && { passing: passing as unknown as Passing }),
  }
}

/** The account when this has been written, or removed. What lies ahead of the hand is counted when the hand comes to it. */
export function grown(
  { bytes, named, hand, passing }: Space,
  growth: readonly Growth[],
  keyRange: typeof IDBKeyRange,
): Space {
  const passed = passing && hand ? keyRange.upperBound(hand) : undefined
  let behind = 0
  for (const one of growth) {
    bytes += one.bytes
    if (one.partition !== '') named += one.bytes
    if (passed?.includes(recordKey(one.partition, one.key))) behind += one.bytes
  }
  return {
    bytes: Math.max(0, bytes),
    named: Math.max(0, named),
    hand,
    ...(passing && { passing: { ...passing, counted: passing.counted + behind } }),
  }
}

/**
 * Moves the hand over the records in the order of their keys, from where it stopped: what was used since loses its bit, what was not goes (SIEVE). Stops at the goal, or when it has been
 * enough for one transaction: then it is to be called again in another one. Only removes: the accounts are the caller's.
 *
 * @param spared - names of records that are just being written: the last to go
 * @param evicted - is told what went
 */
export async function evict(
  objects: IDBObjectStore,
  keyRange: typeof IDBKeyRange,
  { bytes, named, hand, passing }: Space,
  goal: number,
  spared: ReadonlySet<string>,
  evicted: Evicted[],
): Promise<Space> {
  let { rounds, counted } = passing ?? { rounds: 0, counted: hand ? Number.NaN : 0 }
  for (let steps = 0; bytes > goal && steps < MAX_STEPS; steps += STRIDE) {
    const ahead = keyRange.bound(hand ?? ['record'], ['record', []], true)
    const [keys, values] = await Promise.all([
      promisifyRequest(objects.getAllKeys(ahead, STRIDE)),
      promisifyRequest<unknown[]>(objects.getAll(ahead, STRIDE)),
    ])
    if (keys.length === 0) {
      if (!hand) bytes = 0
      // From one end to the other everything was seen: what was counted is what is there.
      else if (counted >= 0) bytes = counted
      hand = undefined
      counted = 0
      rounds++
      continue
    }
    const bitOf = (key: IDBValidKey): IDBValidKey => ['visited', ...(key as IDBValidKey[]).slice(1)]
    const bits = await Promise.all(keys.map((key) => promisifyRequest<unknown>(objects.get(bitOf(key)))))
    for (const [index, key] of keys.entries()) {
      if (bytes <= goal) break
      hand = key
      const name = JSON.stringify(key)
      const record = isRecordKey(key) ? unsealedRecord(values[index], name) : undefined
      const size = record ? sizeOf(record) : 0
      if (bits[index] !== undefined) objects.delete(bitOf(key))
      const isUsed = bits[index] !== undefined || spared.has(name)
      if (record && (isPinned(record) ? rounds < NOTHING_SPARED : isUsed && rounds < PINNED_ONLY)) {
        counted += size
        continue
      }
      objects.delete(key)
      bytes -= size
      if (!isRecordKey(key)) continue
      const [, partition, place] = key
      if (partition !== '') named -= size
      // One that cannot be read may have bodies, too.
      if (!record?.responses.every(({ body }) => body.bytes))
        objects.delete(
          keyRange.bound(['body', partition, place as string[]], ['body', partition, place as string[], []]),
        )
      if (record) evicted.push({ type: 'evicted', partition, key: place, bytes: size, tier: 'disk' })
    }
  }
  bytes = Math.max(0, bytes)
  return {
    bytes,
    named: Math.min(bytes, Math.max(0, named)),
    hand,
    ...(bytes > goal && { passing: { rounds, counted } }),
  }
}
