import { CacheError } from '../errors.ts'
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

/** A member of a list of entity tags: `*` and what stands outside quotes is taken as it is. */
const member = /[ \t]*((?:W\/)?"[^"]*"|[^",]+?)[ \t]*(?:,|$)/y

/**
 * Whether `If-None-Match` names the current representation, by weak comparison (RFC 9110 §13.1.2). `*` alone stands for any; among tags it is invalid, and matches nothing.
 *
 * @param etag - the tag of the current representation, if it has one
 */
export function matchesAny(ifNoneMatch: string, etag: string | null): boolean {
  if (/^[ \t]*\*[ \t]*$/.test(ifNoneMatch)) return true
  if (etag === null) return false
  const members: string[] = []
  member.lastIndex = 0
  while (member.lastIndex < ifNoneMatch.length) {
    const from = member.lastIndex
    const found = member.exec(ifNoneMatch)
    // An empty member, or something odd: go on behind its comma.
    if (!found) member.lastIndex = ifNoneMatch.indexOf(',', from) + 1 || ifNoneMatch.length
    else members.push(found[1] as string)
  }
  return members.some((one) => opaque(one) === opaque(etag))
}

const opaque = (etag: string): string => etag.replace(/^W\//, '')
