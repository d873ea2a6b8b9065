import { fieldValue } from './fields.ts'
import type { HeaderList, StoredPart, StoredResponse } from './message.ts'

/** One range of bytes, both ends included; without `last` to the end. Or the last `suffix` bytes. */
export type ByteRange = { readonly first: number; readonly last?: number } | { readonly suffix: number }

/** What a request asks for by `Range`; `undefined` for several ranges, other units and what is malformed (RFC 9110 §14.1.2, §14.2). */
export function requestedRange(value: string): ByteRange | undefined {
  const found = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/i.exec(value)
  if (!found) return undefined
  if (found[3] !== undefined) return { suffix: Number(found[3]) }
  const first = Number(found[1])
  if (!found[2]) return { first }
  const last = Number(found[2])
  return last < first ? undefined : { first, last }
}

/** Which part a 206 holds; `undefined` when it is invalid: it ends before it begins, or beyond the whole (RFC 9110 §14.4). */
export function contentRange(value: string): StoredPart | undefined {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(value)
  const [first, last, size] = [1, 2, 3].map((group) => Number(found?.[group])) as [number, number, number]
  if (!(first <= last) || size <= last) return undefined
  return size > last ? { first, last, size } : { first, last }
}

/** What must be known of a response to cut it. */
type Cut = Pick<StoredResponse, 'headers' | 'type'> & { readonly body: { readonly size: number } }

/**
 * Whether the stored bytes are those of the representation: ranges count in its encoded form (RFC 9110 §14.1.2), and what is stored
 * is decoded. Where `Content-Encoding` may be hidden (cross-origin), only a `Content-Length` that fits shows it.
 */
export function isIdentity({ headers, type, body }: Cut): boolean {
  if (fieldValue(headers, 'content-encoding') !== undefined) return false
  return type !== 'cors' || fieldValue(headers, 'content-length') === String(body.size)
}

/** Whether a stored 200 or 206 holds the range. */
export const canSatisfyRange = (stored: StoredResponse, range: ByteRange): boolean =>
  sliceOf(stored, range) !== undefined

/**
 * Where a range lies in the stored body (`from` included, `to` not), and the `Content-Range` that says so. `undefined` when it is not all
 * there, lies beyond the end, or the response cannot be cut.
 *
 * A part that reaches the end of the representation may hold fewer bytes than it claims: what is asked for to the end is what it
 * holds to its end.
 */
export function sliceOf(
  stored: Cut & Pick<StoredResponse, 'status' | 'part'>,
  range: ByteRange,
): { from: number; to: number; contentRange: string } | undefined {
  if ((stored.status !== 200 && !stored.part) || !isIdentity(stored)) return undefined
  const held = stored.body.size
  const { first: start, last: claimed, size } = stored.part ?? { first: 0, last: held - 1, size: held }
  const { first, last = Number.NaN } =
    'first' in range ? range : { first: start + held - Math.min(range.suffix, size ?? held) }
  const from = first - start
  const to = claimed + 1 === size && !(last < claimed) ? held : last - start + 1
  if (from < 0 || !(from < to) || to > held) return undefined
  return { from, to, contentRange: `bytes ${first}-${start + to - 1}/${size ?? '*'}` }
}

/**
 * Whether a 206 with these fields is the rest of `beginning`: it starts where that ends and goes to the end of a whole of the same size,
 * and both have the same strong entity tag (RFC 9110 §15.3.7.3).
 */
export function canComplete(beginning: StoredResponse, headers: HeaderList): boolean {
  const rest = contentRange(fieldValue(headers, 'content-range') ?? '')
  const { part, body, etag = '' } = beginning
  return (
    part?.first === 0 &&
    rest?.size !== undefined &&
    rest.first === body.size &&
    rest.first === part.last + 1 &&
    rest.last + 1 === rest.size &&
    rest.size === (part.size ?? rest.size) &&
    /^"[!#-~\x80-\xff]*"$/.test(etag) &&
    fieldValue(headers, 'etag') === etag &&
    isIdentity(beginning) &&
    fieldValue(headers, 'content-encoding') === undefined
  )
}
