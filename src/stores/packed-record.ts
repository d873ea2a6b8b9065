import type { StoredResponse } from '../http/message.ts'
import type { StoredRecord } from '../ports/store.ts'
import { isStoredRecord } from './stored-record.ts'

/** Bytes before the text: a checksum of the rest, and how long the text is. */
const HEAD = 8

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]

/** A body in the text of a record: `at` is where its bytes are, counted from the end of the text; absent when they lie elsewhere. */
interface Packed extends Omit<StoredResponse, 'body'> {
  body: StoredResponse['body'] & { readonly at?: number }
}

/**
 * A record as bytes: a checksum, the length of the text, the record as JSON without the bytes of its bodies, and those one after the other. One value to be cloned, and one text to be parsed, is
 * what a database reads fastest.
 *
 * @param name - of its key: a record that lies under another one is none
 * @throws a `DataCloneError` for what is no record: what would be damaged when it is read is not written
 */
export function packedRecord(record: StoredRecord, name: string): Uint8Array<ArrayBuffer> {
  if (!isStoredRecord(record, name)) throw new DOMException('What is to be stored is no record', 'DataCloneError')
  const bodies: Uint8Array[] = []
  let size = 0
  const responses = record.responses.map(({ body: { bytes, ...body }, ...fields }) => {
    if (!bytes) return { ...fields, body }
    const at = size
    bodies.push(bytes)
    size += bytes.byteLength
    return { ...fields, body: { ...body, at } }
  })
  const text = encoder.encode(JSON.stringify({ v: 1, name, responses }))
  const packed = new Uint8Array(HEAD + text.byteLength + size)
  let at = HEAD
  for (const part of [text, ...bodies]) {
    packed.set(part, at)
    at += part.byteLength
  }
  const head = new Uint32Array(packed.buffer, 0, 2)
  head[1] = text.byteLength
  head[0] = checksum(packed.subarray(4))
  return packed
}

/** Reads it back, without a copy of the bodies. @returns `undefined` when it is damaged, of another format, or of another key */
export function unpackedRecord(value: unknown, name: string): StoredRecord | undefined {
  if (!(value instanceof Uint8Array) || value.byteLength < HEAD) return undefined
  const packed = aligned(value as Uint8Array<ArrayBuffer>)
  const [sum, length] = new Uint32Array(packed.buffer, packed.byteOffset, 2) as unknown as [number, number]
  if (sum !== checksum(packed.subarray(4))) return undefined
  const bodies = HEAD + length
  try {
    const { v, name: written, responses } = JSON.parse(decoder.decode(packed.subarray(HEAD, bodies)))
    if (written !== name) return undefined
    for (const one of responses as Packed[]) {
      const { id, size, at } = one.body
      if (at !== undefined) one.body = { id, size, bytes: packed.subarray(bodies + at, bodies + at + size) }
    }
    const record = { v, responses }
    return isStoredRecord(record, name) ? record : undefined
  } catch {
    return undefined // whole, but of another make
  }
}

/**
 * Tells damaged data from what was written: a change in one place always shows, any other but once in 4 billion times. Goes by words of 32 bits, in the order of this processor: on another one everything is
 * damaged. No protection against somebody who writes here on purpose.
 *
 * @param seed - what else it depends on
 */
export function checksum(bytes: Uint8Array<ArrayBuffer>, seed = 0x811c9dc5): number {
  const { buffer, byteOffset, byteLength } = aligned(bytes)
  const words = new Uint32Array(buffer, byteOffset, byteLength >> 2)
  let sum = seed
  for (let index = 0; index < words.length; index++) {
    sum = Math.imul(sum ^ (words[index] as number), 0x01000193)
    // Else what differs in the highest bits alone would stay there, and two such changes undo each other.
    sum ^= sum >>> 15
  }
  const rest = bytes.subarray(words.byteLength)
  for (let index = 0; index < rest.length; index++) sum = Math.imul(sum ^ (rest[index] as number), 0x01000193)
  return sum >>> 0
}

/** Where words can be read. */
const aligned = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
