import type { StoredResponse } from '../http/message.ts'

// What memory holds of a key and what lies beneath, made one.

/** The responses of both, the most recently received last. Of a body that both have, the one that was validated last counts. */
export function merge(held: readonly StoredResponse[], found: readonly StoredResponse[]): StoredResponse[] {
  const isOlderThan = (other: StoredResponse) => (one: StoredResponse) =>
    one.body.id === other.body.id && one.responseTime < other.responseTime
  const isSame = (other: StoredResponse) => (one: StoredResponse) => one.body.id === other.body.id
  return [
    ...found.filter((one) => !held.some(isSame(one)) || held.some(isOlderThan(one))),
    ...held.filter((one) => !found.some((other) => isOlderThan(other)(one))),
  ].sort((one, other) => one.responseTime - other.responseTime)
}

/** The same response over bytes that are held already, where there are such: what was parsed of them keeps its reference. */
export function withSameBytes(stored: StoredResponse, held: readonly StoredResponse[]): StoredResponse {
  const { bytes, size } = stored.body
  const same = held.find(
    ({ body }) => body.size === size && body.bytes?.every((byte, index) => byte === bytes?.[index]),
  )?.body.bytes
  return same ? { ...stored, body: { ...stored.body, bytes: same } } : stored
}
