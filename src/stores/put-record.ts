import type { StoredResponse } from '../http/message.ts'
import type { StoredRecord, Write } from '../ports/store.ts'
import { bodyKey, recordKey } from './database-keys.ts'
import { nameOf, sealedBody, sealedRecord } from './seal.ts'
import { sizeOf, withinHalf } from './stored-record.ts'
import type { View } from './view.ts'

/** What may lie on disk, and how. In bytes. */
export interface RecordLimits {
  /** Kept at most, by our own count. */
  readonly maxBytes: number
  /** A response with a larger body is not written. */
  readonly maxEntryBytes: number
  /** A body up to this size lies inside its record, a larger one apart. */
  readonly inlineBytes: number
}

/** Puts or removes one record with its bodies; returns by how many bytes that changes what is stored. */
export function putRecord(
  objects: IDBObjectStore,
  { records, bodies }: View,
  { partition, key, value }: Extract<Write, { kind: 'record' }>,
  { maxBytes, maxEntryBytes, inlineBytes }: RecordLimits,
): number {
  const name = nameOf(['record', partition, key])
  const before = records.get(name)
  const former = ({ body }: StoredResponse) => before?.responses.find((one) => one.body.id === body.id)
  const responses = withinHalf(value?.responses ?? [], maxBytes).flatMap((one) => {
    const { id, size, bytes = former(one)?.body.bytes } = one.body
    if (one.memoryOnly || size > maxEntryBytes || !(bytes ?? former(one))) return []
    const isApart = !bytes || bytes.byteLength > inlineBytes
    if (isApart && bytes && !former(one)) {
      const name = nameOf(['body', partition, key, id])
      objects.put(sealedBody(bytes, name), bodyKey(partition, key, id))
      bodies.set(name, bytes)
    }
    return [{ ...one, body: isApart ? { id, size } : { id, size, bytes } }]
  })
  for (const { body } of before?.responses ?? []) {
    if (body.bytes || responses.some((one) => one.body.id === body.id)) continue
    objects.delete(bodyKey(partition, key, body.id))
    bodies.delete(nameOf(['body', partition, key, body.id]))
  }
  const after: StoredRecord | undefined = responses.length > 0 ? { v: 1, responses } : undefined
  if (after) objects.put(sealedRecord(after, name), recordKey(partition, key))
  else objects.delete(recordKey(partition, key))
  records.set(name, after)
  return (after ? sizeOf(after) : 0) - (before ? sizeOf(before) : 0)
}
