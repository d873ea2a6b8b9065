import type { StoredRecord, StoreKey } from '../ports/store.ts'
import { checksum, packedRecord, unpackedRecord } from './packed-record.ts'
import { isObject, isStoredRecord } from './stored-record.ts'

/** Injective: no two keys have one name. */
export const nameOf = (key: StoreKey): string => JSON.stringify(key)

/** A record as it lies on disk: its bytes under a checksum, with the name of its key. */
export const sealedRecord = (record: StoredRecord, name: string) => ({ v: 2, bytes: packedRecord(record, name) })

/** A body that lies apart, under a checksum over its key and its bytes. */
export function sealedBody(bytes: Uint8Array<ArrayBuffer>, name: string) {
  // A database clones what a view is of, and not only what it shows.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
  return { v: 2, bytes: own, sum: checksum(own, bytewise(name)) }
}

/** The record in what lies on disk, if that is whole and was written for the key of this name: as today, or as version 0.1 wrote it. */
export function unsealedRecord(value: unknown, name: string): StoredRecord | undefined {
  if (isObject(value) && value.v === 2) return unpackedRecord(value.bytes, name)
  if (!isStoredRecord(value, name)) return undefined
  const { responses } = value
  return 'sum' in value && value.sum === plainSum(value, name) ? { v: 1, responses } : undefined
}

export function unsealedBody(value: unknown, name: string): Uint8Array<ArrayBuffer> | undefined {
  if (!isObject(value) || !(value.bytes instanceof Uint8Array)) return undefined
  const bytes = value.bytes as Uint8Array<ArrayBuffer>
  const sum = value.v === 2 ? checksum(bytes, bytewise(name)) : bytewise(name, [bytes])
  return value.sum === sum ? bytes : undefined
}

/** The checksum of a record of version 0.1, which lay there as it is. */
function plainSum({ responses }: StoredRecord, name: string): number {
  const bodies = responses.flatMap(({ body }) => body.bytes ?? [])
  const fields = responses.map(({ body: { bytes: _, ...body }, ...fields }) => ({ ...fields, body }))
  try {
    return bytewise(`[${name},${JSON.stringify(fields)}]`, bodies)
  } catch {
    return Number.NaN // what is in no JSON was not written here
  }
}

/** The checksum of version 0.1 (FNV-1a, 32 bits): by characters and bytes, which takes four times as long. */
function bytewise(text: string, parts: readonly Uint8Array[] = []): number {
  let sum = 0x811c9dc5
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  for (const bytes of parts)
    for (let index = 0; index < bytes.length; index++) sum = Math.imul(sum ^ (bytes[index] as number), 0x01000193)
  return sum >>> 0
}
