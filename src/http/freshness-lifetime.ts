import type { Ms, StoredResponse } from './message.ts'

/** A lifetime that a rule of the caller gives, in milliseconds. */
export interface LifetimePolicy {
  readonly maxAgeMs?: Ms | undefined
  /** The same for 404 and 410, in the place of the one above. */
  readonly negativeMaxAgeMs?: Ms | undefined
  /** Whether it goes before what the response says; else it is used only where the response says nothing. */
  readonly override?: boolean | undefined
}

/** How long a response is fresh, in milliseconds, and where that comes from. */
export interface FreshnessLifetime {
  readonly ms: Ms
  readonly source: 'max-age' | 'expires' | 'rule' | 'heuristic' | 'none'
}

/** No heuristic lifetime is longer. */
const MAX_HEURISTIC: Ms = 24 * 3_600_000

/** Statuses to which a lifetime may be given when the origin gives none (RFC 9110 §15.1). */
export const isHeuristicallyCacheable = (status: number): boolean =>
  [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501].includes(status)

/** The lifetime that a rule gives to responses of this status: to what is missing, a short one of its own. */
export const givenMaxAge = (status: number, { maxAgeMs, negativeMaxAgeMs }: LifetimePolicy): Ms | undefined =>
  status === 404 || status === 410 ? (negativeMaxAgeMs ?? maxAgeMs) : maxAgeMs

/**
 * How long `stored` is fresh: by the first of `max-age`, `Expires`, the caller's rule (for statuses that a heuristic may serve) and the heuristic that there is.
 *
 * An unreadable `Expires` is a lifetime of 0, not an absent one (RFC 9111 §5.3). The heuristic is a tenth of the time since
 * `Last-Modified`, at most a day, and only for statuses that allow it or responses marked `public`. Nothing meant for shared caches counts.
 *
 * @see RFC 9111 sections 4.2.1 and 4.2.2
 */
export function freshnessLifetime(
  stored: Pick<StoredResponse, 'status' | 'directives' | 'expires' | 'lastModified' | 'dateValue'>,
  policy: LifetimePolicy = {},
): FreshnessLifetime {
  const { status, directives, expires, lastModified, dateValue } = stored
  const maxAgeMs = givenMaxAge(status, policy)
  const { override } = policy
  const mayBeGiven = maxAgeMs !== undefined && isHeuristicallyCacheable(status)
  if (override && mayBeGiven) return { ms: maxAgeMs, source: 'rule' }
  if (directives.maxAge !== undefined) return { ms: directives.maxAge, source: 'max-age' }
  if (expires !== undefined) {
    return { ms: expires === 'unreadable' ? 0 : Math.max(0, expires - dateValue), source: 'expires' }
  }
  if (mayBeGiven) return { ms: maxAgeMs, source: 'rule' }
  if (lastModified === undefined || !(directives.public || isHeuristicallyCacheable(status)))
    return { ms: 0, source: 'none' }
  return { ms: Math.min(Math.max(0, dateValue - lastModified) / 10, MAX_HEURISTIC), source: 'heuristic' }
}
