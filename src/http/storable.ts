import { contentRange } from './byte-range.ts'
import { fieldValue } from './fields.ts'
import { isHeuristicallyCacheable } from './freshness-lifetime.ts'
import type { HeaderList, Ms, PresentedRequest, ResponseDirectives } from './message.ts'
import { varyOf } from './nominated-fields.ts'
import { sameOriginUrl } from './url.ts'

/** A request and what came of it, as far as storing depends on them. */
export interface StorableExchange {
  readonly request: Pick<PresentedRequest, 'method' | 'url' | 'directives'>
  readonly status: number
  readonly headers: HeaderList
  readonly directives: ResponseDirectives
  /** The lifetime that a rule of the caller gives: enough to be worth storing. */
  readonly maxAgeMs?: Ms | undefined
  /** Whether the response came by way of a redirect. */
  readonly redirected?: boolean
}

/** Why a response is not stored. */
export type Unstorable =
  /** Only GET, and POST as RFC 9110 §9.3.3 allows. */
  | 'method'
  /** The hops are unseen and may say `no-store`: not under the URL that was asked for. */
  | 'redirected'
  /** Not final, or an answer to conditions or ranges that are no part of the key. */
  | 'status'
  /** A part that cannot be placed. */
  | 'partial'
  | 'request-no-store'
  | 'no-store'
  | 'not-understood'
  /** `Vary: *`: could never be selected. */
  | 'vary'
  /** Nothing says that it may be stored. */
  | 'not-cacheable'
  /** Neither fresh for any time nor to be validated. */
  | 'useless'

/**
 * Whether the status is one of RFC 9110 §15, whose rules for caches this one follows (RFC 9111 §3).
 */
export const isUnderstood = (status: number): boolean =>
  status <= ([206, 308, 417, 505][Math.floor(status / 100) - 2] ?? -1) || [421, 422, 426].includes(status)

/** Whether `no-store` binds: not where `must-understand` stands beside it and the status is understood (RFC 9111 §5.2.2.3). */
export const isNoStore = ({ noStore, mustUnderstand }: ResponseDirectives, status: number): boolean =>
  noStore === true && !(mustUnderstand && isUnderstood(status))

/**
 * Whether a private cache may store the response, and whether it is worth it.
 *
 * @see RFC 9111 section 3; RFC 9110 section 9.3.3 for POST
 */
export function storability(exchange: StorableExchange): 'storable' | Unstorable {
  const { request, status, headers, directives, maxAgeMs, redirected } = exchange
  const has = (name: string) => fieldValue(headers, name) !== undefined
  const isExplicit = directives.maxAge !== undefined || has('expires')
  if (
    request.method !== 'GET' &&
    !(request.method === 'POST' && isExplicit && status < 206 && describesTarget(exchange))
  ) {
    return 'method'
  }
  if (redirected) return 'redirected'
  if (status < 200 || status > 599 || [304, 412, 416].includes(status)) return 'status'
  if (
    status === 206 &&
    (has('content-encoding') || isSeveral(headers) || !contentRange(fieldValue(headers, 'content-range') ?? ''))
  )
    return 'partial'
  if (request.directives.noStore) return 'request-no-store'
  if (isNoStore(directives, status)) return 'no-store'
  if (directives.mustUnderstand && !isUnderstood(status)) return 'not-understood'
  if (varyOf(headers, 'basic') === '*') return 'vary'
  // A rule gives a lifetime where a heuristic might, not to failures (RFC 9111 §4.2.2).
  const hasLifetime = isExplicit || (maxAgeMs !== undefined && isHeuristicallyCacheable(status))
  if (!hasLifetime && !directives.public && !directives.private && !isHeuristicallyCacheable(status))
    return 'not-cacheable'
  return hasLifetime || has('etag') || has('last-modified') ? 'storable' : 'useless'
}

/** Whether a 206 holds several parts, each with its own `Content-Range` (RFC 9110 §15.3.7.2). */
const isSeveral = (headers: HeaderList): boolean =>
  /^multipart\/byteranges/i.test(fieldValue(headers, 'content-type') ?? '')

/** Whether the content is what a GET of the same URL would give. */
function describesTarget({ request: { url }, headers }: StorableExchange): boolean {
  const location = fieldValue(headers, 'content-location')
  return location !== undefined && sameOriginUrl(location, url) === url
}
