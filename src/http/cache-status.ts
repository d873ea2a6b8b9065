import type { Ms } from './message.ts'
import { serialiseName } from './structured-fields.ts'

/** How one response was handled (RFC 9211 §2). `hit` and `why` exclude each other; `status`, `stored` and `collapsed` go with `why`. */
export interface CacheStatus {
  /** Names the cache. */
  readonly name: string
  readonly hit?: boolean | undefined
  /** Why the request went forward; a token, as `uri-miss`. */
  readonly why?: string | undefined
  /** The status of the response to the forwarded request. */
  readonly status?: number | undefined
  readonly stored?: boolean | undefined
  /** `false` where it waited for another request in vain. */
  readonly collapsed?: boolean | undefined
  /** Freshness left, negative when stale, in milliseconds; told in seconds, rounded down. */
  readonly ttlMs?: Ms | undefined
  readonly detail?: string | undefined
}

/** One member of `Cache-Status`. Never with `key`: it helps those who probe (RFC 9211 §6). */
export function cacheStatusMember({ name, hit, why, status, stored, collapsed, ttlMs, detail }: CacheStatus): string {
  return [
    serialiseName(name),
    hit && 'hit',
    !hit && why && `fwd=${why}`,
    !hit && status && `fwd-status=${status}`,
    !hit && stored && 'stored',
    !hit && collapsed !== undefined && (collapsed ? 'collapsed' : 'collapsed=?0'),
    ttlMs !== undefined && Number.isFinite(ttlMs) && `ttl=${Math.floor(ttlMs / 1000)}`,
    detail && `detail=${serialiseName(detail)}`,
  ]
    .filter(Boolean)
    .join('; ')
}

/** The field with our member last: the last one is the nearest to the user (RFC 9211 §2). */
export const appendCacheStatus = (existing: string | undefined, member: string): string =>
  existing ? `${existing}, ${member}` : member
