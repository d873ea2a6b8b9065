import type { StoredRecord, StoreKey } from '../ports/store.ts'
import { isObject, isStoredRecord } from './stored-record.ts'

/** Injective: no two keys have one name. */
export const nameOf = (key: StoreKey): string => JSON.stringify(key)

/** A record as it lies on disk: with a checksum over its key and all that is in it. */
export const sealedRecord = (record: StoredRecord, key: StoreKey) => ({ ...record, sum: sumOf(record, key) })

/** The same for a body that lies apart. */
export const sealedBody = (bytes: Uint8Array, key: StoreKey) => ({ bytes, sum: checksum(nameOf(key), [bytes]) })

/** The record in what lies on disk, if that is whole and was written for this key. */
export function unsealedRecord(value: unknown, key: StoreKey): StoredRecord | undefined {
  if (!isStoredRecord(value)) return undefined
  const { responses } = value
  return 'sum' in value && value.sum === sumOf(value, key) ? { v: 1, responses } : undefined
}

export function unsealedBody(value: unknown, key: StoreKey): Uint8Array<ArrayBuffer> | undefined {
  if (!isObject(value) || !(value.bytes instanceof Uint8Array)) return undefined
  return value.sum === checksum(nameOf(key), [value.bytes]) ? (value.bytes as Uint8Array<ArrayBuffer>) : undefined
}

function sumOf({ responses }: StoredRecord, key: StoreKey): number {
  const bodies = responses.flatMap(({ body }) => body.bytes ?? [])
  const fields = responses.map(({ body: { bytes: _, ...body }, ...fields }) => ({ ...fields, body }))
  try {
    return checksum(JSON.stringify([key, fields]), bodies)
  } catch {
    return Number.NaN // what is in no JSON was not written here
  }
}

/**
 * Tells damaged data from what was written (FNV-1a, 32 bits): a change in one place always shows, any other but once in 4 billion times. No protection against somebody who writes here on
 * purpose.
 */
export function checksum(text: string, parts: readonly Uint8Array[]): number {
  let sum = 0x811c9dc5
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  for (const bytes of parts)
    for (let index = 0; index < bytes.length; index++) sum = Math.imul(sum ^ (bytes[index] as number), 0x01000193)
  return sum >>> 0
}
