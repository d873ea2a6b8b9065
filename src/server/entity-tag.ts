import { CacheError } from '../errors.ts'
import { trimmed } from '../http/fields.ts'
import { platform } from '../platform/platform.ts'

/** A strong entity tag of these bytes (RFC 9110 §8.8.3): the first 144 bits of their SHA-256, in base64url. Other bytes, another tag. */
export async function strongTag(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await subtle().digest('SHA-256', bytes))
  const text = btoa(String.fromCharCode(...digest.subarray(0, 18)))
  return `"${text.replaceAll('+', '-').replaceAll('/', '_')}"`
}

/** WebCrypto, which every server runtime of the last years has. */
export function subtle(): SubtleCrypto {
  const cipher = platform().cipher()
  if (!cipher)
    throw new CacheError('option', 'This runtime has no WebCrypto (crypto.subtle), which nearcache/server needs')
  return cipher.subtle
}

/**
 * Whether a list of tags names the current representation: `If-None-Match` by weak comparison (RFC 9110 §13.1.2), `If-Match` by strong (§13.1.1). `*` alone stands for any; among tags it is
 * invalid, and matches nothing.
 *
 * @param etag - the tag of the current representation, if it has one
 */
export function matchesAny(list: string, etag: string | null, comparison: 'weak' | 'strong' = 'weak'): boolean {
  if (trimmed(list) === '*') return true
  if (etag === null || (comparison === 'strong' && isWeak(etag))) return false
  // Split at the commas outside quotes, in which no backslash escapes anything (§8.8.3). Nothing has to follow a member, so that none is ever looked at twice.
  const members = list.match(/(?:[^",]|"[^"]*"?)+/g) ?? []
  const named = members.map(trimmed).filter((one) => comparison === 'weak' || !isWeak(one))
  return named.some((one) => opaque(one) === opaque(etag))
}

/** Whether `If-Range` names the representation of which these are the fields: its tag, by strong comparison, or the very moment of its modification (RFC 9110 §13.1.5). */
export const matchesRange = (ifRange: string, headers: Headers): boolean =>
  ifRange === headers.get(ifRange.startsWith('"') ? 'etag' : 'last-modified')

const isWeak = (etag: string): boolean => etag.startsWith('W/')
const opaque = (etag: string): string => etag.replace(/^W\//, '')
