import { bare } from '../http/given.ts'
import type { StoredResponse } from '../http/message.ts'
import type { StoredRecord } from '../ports/store.ts'
import { checksum } from '../stores/seal.ts'
import { isObject, isStoredRecord } from '../stores/stored-record.ts'

/** Bytes before the text: a checksum of the rest, and how long the text is. */
const HEAD = 8

/**
 * A record as bytes: a checksum, the length of the text, the record as JSON without its bodies, and the bodies one after the other.
 *
 * @param name - of its key: a record that lies under another one is none
 */
export function packedRecord({ responses }: StoredRecord, name: string): Uint8Array<ArrayBuffer> {
  const bodies = responses.map(({ body }) => body.bytes ?? new Uint8Array())
  const plain = responses.map((one) => ({ ...one, body: { id: one.body.id, size: one.body.size } }))
  const text = new TextEncoder().encode(JSON.stringify({ v: 1, name, responses: plain }))
  const bytes = new Uint8Array(bodies.reduce((sum, { byteLength }) => sum + byteLength, HEAD + text.byteLength))
  const view = new DataView(bytes.buffer)
  view.setUint32(4, text.byteLength)
  bytes.set(text, HEAD)
  let at = HEAD + text.byteLength
  for (const body of bodies) {
    bytes.set(body, at)
    at += body.byteLength
  }
  view.setUint32(0, checksum('', [bytes.subarray(4)]))
  return bytes
}

/** Reads it back. @returns `undefined` when it is damaged, of another format, or of another key */
export function unpackedRecord(bytes: Uint8Array<ArrayBuffer>, name: string): StoredRecord | undefined {
  if (bytes.byteLength < HEAD) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (view.getUint32(0) !== checksum('', [bytes.subarray(4)])) return undefined
  let at = HEAD + view.getUint32(4)
  try {
    const { responses, ...rest } = JSON.parse(new TextDecoder().decode(bytes.subarray(HEAD, at)))
    if (rest.v !== 1 || rest.name !== name || !Array.isArray(responses)) return undefined
    const whole = responses.map((one: StoredResponse) => {
      const body = { ...one.body, bytes: bytes.slice(at, at + one.body.size) }
      at += one.body.size
      return { ...one, directives: isObject(one.directives) ? bare(one.directives) : one.directives, body }
    })
    const record = { v: 1, responses: whole }
    return isStoredRecord(record) ? record : undefined
  } catch {
    return undefined
  }
}
