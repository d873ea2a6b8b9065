import { isIdentity } from './byte-range.ts'
import { fieldValue } from './fields.ts'
import type { HeaderList, PresentedRequest, StoredResponse } from './message.ts'
import { freshenedFields } from './stored-fields.ts'
import { storedResponse } from './stored-response.ts'
import { tagsOf } from './tags.ts'

/** What a validation brought: its fields, and the exchange that they came in. */
export interface ValidationUpdate
  extends Pick<StoredResponse, 'requestTime' | 'responseTime' | 'epoch' | 'context' | 'sequence' | 'delta'> {
  readonly headers: HeaderList
}

/** The fields that ask the origin whether `stored` is still current, byte for byte as it gave them (RFC 9111 §4.3.1). */
export function conditionalFields(stored: Pick<StoredResponse, 'headers' | 'etag' | 'lastModified'>): HeaderList {
  const { headers, etag, lastModified } = stored
  const conditions = [
    ['if-none-match', etag],
    ['if-modified-since', lastModified === undefined ? undefined : fieldValue(headers, 'last-modified')],
  ] as const
  return conditions.filter((line): line is typeof line & [string, string] => line[1] !== undefined)
}

/** Whether `etag` is a well-formed strong entity tag (RFC 9110 §8.8.3). Anything else is opaque, and never strong. */
const isStrong = (etag: string | undefined): etag is string => etag !== undefined && /^"[!#-~\x80-\xff]*"$/.test(etag)

/** Strong comparison: both strong and identical. Weak comparison: identical but for `W/` (RFC 9110 §8.8.3.2). */
export const etagsMatch = (a: string | undefined, b: string | undefined, comparison: 'strong' | 'weak'): boolean =>
  comparison === 'strong' ? a === b && isStrong(a) : a !== undefined && opaque(a) === opaque(b)

const opaque = (etag: string | undefined): string | undefined => etag?.replace(/^W\//, '')

/**
 * The stored responses that a 304 freshens, of those that could have been selected for the request (RFC 9111 §4.3.4): all with the
 * same strong entity tag; else the most recent one that matches its weak validators; else, where it has no validator, the only one there is.
 *
 * In the last case RFC 9111 wants the stored response to have no validator either. Many origins leave the validator out of
 * their 304 (against RFC 9110 §15.4.5); as it answers conditions that named one stored response, it can mean no other.
 *
 * @param asked - the stored response whose validators, and no others, were sent
 */
export function freshenedBy(
  candidates: readonly StoredResponse[],
  headers: HeaderList,
  asked: StoredResponse | undefined = candidates.length === 1 ? candidates[0] : undefined,
): readonly StoredResponse[] {
  const etag = fieldValue(headers, 'etag')
  const lastModified = fieldValue(headers, 'last-modified')
  if (isStrong(etag)) return candidates.filter((stored) => stored.etag === etag)
  if (etag === undefined && lastModified === undefined) return asked ? [asked] : []
  const matching = candidates.filter((stored) =>
    etag === undefined || stored.etag === undefined
      ? lastModified !== undefined && lastModified === fieldValue(stored.headers, 'last-modified')
      : etagsMatch(etag, stored.etag, 'weak'),
  )
  return matching.sort((a, b) => b.dateValue - a.dateValue || b.responseTime - a.responseTime).slice(0, 1)
}

/**
 * `stored` after a validation (RFC 9111 §4.3.4): its fields updated, its age inputs those of the validation alone, its body as it was.
 *
 * What the update does not mention keeps its meaning, also where the field itself is not stored; a new `Vary` nominates anew, from
 * the request that was validated.
 */
export function freshen(
  { staleSince: _, ...stored }: StoredResponse,
  { headers: update, ...exchange }: ValidationUpdate,
  request: Pick<PresentedRequest, 'headers'>,
  { implied, tagField }: { readonly implied?: HeaderList; readonly tagField?: string | undefined } = {},
): StoredResponse {
  const { url, directives, expires, vary, nominated } = stored
  const has = (name: string) => fieldValue(update, name) !== undefined
  // Age and Date are inputs of the exchange that they came in.
  const kept = stored.headers.filter(([name]) => name !== 'age' && name !== 'date')
  const headers = freshenedFields(kept, update)
  const ownTags = tagsOf(stored.headers, url, tagField)
  const tags = [...tagsOf(headers, url, tagField), ...stored.tags.filter((tag) => !ownTags.includes(tag))]
  const next = storedResponse({ ...stored, ...exchange, headers, tags, request, implied })
  return {
    ...next,
    ...(expires !== undefined && !has('expires') && { expires }),
    ...(!has('cache-control') && { directives }),
    ...(!has('vary') && { vary, nominated }),
  }
}

/**
 * What a 200 to HEAD means for a stored response to GET: `freshen` when every validator that it has, and the length, are the stored
 * ones; else the representation has changed and the stored response is stale (RFC 9111 §4.3.5). Lengths are compared only where
 * the content is stored as it came over the wire.
 */
export function headUpdates(stored: StoredResponse, headers: HeaderList): 'freshen' | 'stale' {
  const same = (name: string, mine: string | undefined) => {
    const theirs = fieldValue(headers, name)
    return theirs === undefined || theirs === mine
  }
  const size = stored.part ? stored.part.size : stored.body.size
  const isComparable = size !== undefined && isIdentity(stored) && fieldValue(headers, 'content-encoding') === undefined
  return same('etag', stored.etag) &&
    same('last-modified', fieldValue(stored.headers, 'last-modified')) &&
    (!isComparable || same('content-length', String(size)))
    ? 'freshen'
    : 'stale'
}
