import { fieldValue } from './fields.ts'
import type { HeaderList, LogSelector, PresentedRequest } from './message.ts'
import { groupsOf } from './tags.ts'
import { sameOriginUrl, withoutFragment } from './url.ts'

/** Whether a method may change state at the origin: all but the safe ones, those that we do not know included (RFC 9110 §9.2.1, RFC 10008). */
export const isUnsafe = (method: string): boolean => !['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'].includes(method)

/**
 * What a response to an unsafe method invalidates (RFC 9111 §4.4): its URL, and of the same origin `Location`, `Content-Location`
 * and the groups of `Cache-Group-Invalidation` (RFC 9875 §3). Nothing when the method is safe or the request has failed.
 *
 * A status of 0 is one that script may not see, as a redirect's that was not followed: it may have succeeded, so it invalidates.
 *
 * A redirect that was followed was no failure, whatever came in the end. Whether that was asked for by a safe method cannot be told, and it may be another origin's: it counts for its own URL, where
 * that is of the same origin, and what it names does not.
 *
 * @param response.reached - the URL that a redirect has led to
 */
export function invalidatedBy(
  { method, url }: Pick<PresentedRequest, 'method' | 'url'>,
  {
    status,
    headers,
    reached,
  }: { readonly status: number; readonly headers: HeaderList; readonly reached?: string | undefined },
): LogSelector | undefined {
  if (!isUnsafe(method) || (status >= 400 && reached === undefined)) return undefined
  const references =
    reached === undefined
      ? ['location', 'content-location'].map((name) => fieldValue(headers, name))
      : [status < 400 ? reached : undefined]
  const related = references.flatMap((reference) => (reference !== undefined && sameOriginUrl(reference, url)) || [])
  const tags = reached === undefined ? groupsOf(headers, 'cache-group-invalidation', url) : []
  return { urls: [...new Set([withoutFragment(url), ...related])], ...(tags.length > 0 && { tags }) }
}
