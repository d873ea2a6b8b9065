import { canSatisfyRange, requestedRange } from './byte-range.ts'
import { currentAge, isAgeTrustworthy } from './current-age.ts'
import { installShare, isEarly } from './early-expiry.ts'
import { fieldValue } from './fields.ts'
import { type FreshnessLifetime, freshnessLifetime, type LifetimePolicy } from './freshness-lifetime.ts'
import type { EpochMs, HeaderList, Ms, PresentedRequest, PurgeLog, StoredResponse } from './message.ts'
import { matchesNominated } from './nominated-fields.ts'
import { type PurgeEffect, purgeEffect } from './purge-effect.ts'
import { etagsMatch } from './validation.ts'

/** Why a response was served as it was: exactly one per response; also the `detail` of `Cache-Status`. */
export type Cause =
  // served from the store
  | 'fresh'
  | 'early-refresh'
  | 'stale-while-revalidate'
  | 'stale-if-error'
  | 'soft-deadline'
  | 'max-stale'
  // nothing to serve, and the origin out of reach: the rule's fallback
  | 'offline'
  // confirmed by the origin
  | 'validated'
  | 'browser-validated'
  // fetched from the origin
  | 'miss'
  | 'vary-miss'
  | 'expired'
  | 'no-cache'
  | 'request-directive'
  | 'purged'
  | 'invalidated'
  | 'collapsed'
  // not for the cache
  | 'method'
  | 'bypass'
  | 'only-if-cached'

/** Why a request goes to the origin, in the words of RFC 9211 §2.2. */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale' | 'partial'

/** The numbers that led to a decision. Durations are in milliseconds. */
export interface DecisionNumbers {
  readonly ageMs: Ms
  readonly lifetimeMs: Ms
  readonly lifetimeSource: FreshnessLifetime['source']
  /** How long it has been stale; negative: how long it will stay fresh. `Infinity` when the clock cannot be trusted. */
  readonly staleForMs: Ms
  /** How long after becoming stale it may be served while it is refreshed (RFC 5861 §3). 0: not at all. */
  readonly staleWhileRevalidateMs: Ms
  /** How long after becoming stale it may be served when the origin fails (RFC 5861 §4). 0: not at all. */
  readonly staleIfErrorMs: Ms
  /** How long before the end of its lifetime this install begins to refresh it behind: a share of the lifetime that is this install's own (see `earlyExpiry.phase`). Its lifetime stays what it is. */
  readonly phaseMs?: Ms
}

/** What the shell must do next, and why. */
export type Decision =
  | {
      readonly kind: 'reuse' | 'reuse-and-revalidate'
      readonly cause: Cause
      readonly stored: StoredResponse
      readonly numbers: DecisionNumbers
    }
  | {
      readonly kind: 'validate'
      readonly cause: Cause
      readonly why: ForwardReason
      readonly stored: StoredResponse
      readonly numbers: DecisionNumbers
    }
  | {
      readonly kind: 'forward'
      readonly cause: Cause
      readonly why: ForwardReason
      /** A stored response without a validator: what may be served if the origin fails. */
      readonly stored?: StoredResponse
      readonly numbers?: DecisionNumbers
      /** The beginning of the representation, already stored: only the rest need be asked for (RFC 9111 §3.3). */
      readonly partial?: StoredResponse
    }
  | { readonly kind: 'refuse'; readonly cause: 'only-if-cached' }

/** What a rule of the caller allows beyond the response's own words. Durations are in milliseconds. */
export interface DecisionPolicy extends LifetimePolicy {
  readonly staleWhileRevalidateMs?: Ms | undefined
  readonly staleIfErrorMs?: Ms | undefined
  /** β of the early expiry; 0: never early by chance. */
  readonly beta?: number | undefined
  /** The greatest share of a lifetime by which any install is early; 0: none. */
  readonly phase?: number | undefined
  /** The window in the place of `staleIfErrorMs` while the origin is ill, where it is longer. */
  readonly graceMs?: Ms | undefined
}

/** What a decision depends on beside the request and the stored responses. */
export interface DecisionContext {
  /** Read once per presented request, so that one request sees one moment. */
  readonly now: EpochMs
  readonly log: PurgeLog
  readonly random: () => number
  /** Asked before a refresh that nobody needs yet: whether there is reason to leave it. @default never a reason */
  readonly mayRefreshEarly?: (() => boolean) | undefined
  readonly policy?: DecisionPolicy | undefined
  /** Fields that the platform adds below script and that are constant in this profile, as `accept-language`. */
  readonly implied?: HeaderList
  /** Whether the store belongs to one user: then `Vary: Cookie` is answered by the partition. */
  readonly partitioned?: boolean
}

/**
 * What to do with a presented request, given the responses stored under its key.
 *
 * Pure: the same arguments, the same answer. Nothing is served beyond what the headers, the request and an explicit rule
 * allow, and a prohibition beats every permission.
 *
 * @see RFC 9111 section 4, in its order; RFC 5861; RFC 8246
 */
export function decide(
  presented: PresentedRequest,
  candidates: readonly StoredResponse[],
  context: DecisionContext,
): Decision {
  const decision = decideFreely(presented, candidates, context)
  if (!isOnlyIfCached(presented)) return decision
  if (decision.kind === 'reuse-and-revalidate') return { ...decision, kind: 'reuse' }
  return decision.kind === 'reuse' ? decision : { kind: 'refuse', cause: 'only-if-cached' }
}

/** Whether the request asks not to use the network at all. */
export const isOnlyIfCached = (presented: PresentedRequest): boolean =>
  presented.directives.onlyIfCached === true || presented.cacheMode === 'only-if-cached'

function decideFreely(
  presented: PresentedRequest,
  candidates: readonly StoredResponse[],
  context: DecisionContext,
): Decision {
  if (presented.cacheMode === 'reload') return { kind: 'forward', cause: 'request-directive', why: 'request' }
  // Every hit comes by here: loops, and nothing made that need not be.
  let areAllGone = true
  let matching: StoredResponse[] | undefined
  for (const stored of candidates) {
    if (purgeEffect(stored, context.log)?.mode === 'hard') continue
    areAllGone = false
    if (!matchesNominated(stored, presented, context)) continue
    if (matching) matching.push(stored)
    else matching = [stored]
  }
  if (areAllGone) return { kind: 'forward', cause: candidates.length > 0 ? 'purged' : 'miss', why: 'uri-miss' }
  if (!matching) return { kind: 'forward', cause: 'vary-miss', why: 'vary-miss' }

  // HEAD knows no ranges (RFC 9110 §14.2).
  const range = presented.method === 'HEAD' ? undefined : fieldValue(presented.headers, 'range')
  const wanted = range === undefined ? undefined : requestedRange(range)
  const stored = mostRecent(
    range === undefined && !matching.some(isPart)
      ? matching
      : matching.filter((one) => (range === undefined ? !one.part : wanted && canSatisfyRange(one, wanted))),
  )
  if (stored) return decideOn(stored, presented, context)

  const beginning = range === undefined ? mostRecent(matching.filter(isBeginning)) : undefined
  const partial = beginning && decideOn(beginning, presented, context).kind === 'reuse' ? beginning : undefined
  return { kind: 'forward', cause: 'miss', why: 'partial', ...(partial && { partial }) }
}

const isPart = ({ part }: StoredResponse): boolean => part !== undefined

/**
 * Whether the rest of it is worth asking for: where there is a rest, and no validator forbids to join it (a weak one does, RFC 9110 §15.3.7.3). Where there is none yet, the rest
 * may bring one.
 */
const isBeginning = ({ part, etag }: StoredResponse): boolean =>
  part?.first === 0 && part.last + 1 !== part.size && (etag === undefined || etagsMatch(etag, etag, 'strong'))

/** The most recent of several suitable responses, preferring those with a valid `Vary` where some omit it (RFC 9111 §4, §4.1). */
function mostRecent(suitable: readonly StoredResponse[]): StoredResponse | undefined {
  if (suitable.length < 2) return suitable[0]
  const negotiated = suitable.filter((stored) => stored.vary.length > 0)
  return (negotiated.length > 0 ? negotiated : suitable).reduce<StoredResponse | undefined>(
    (best, stored) =>
      best && (best.dateValue - stored.dateValue || best.responseTime - stored.responseTime) > 0 ? best : stored,
    undefined,
  )
}

function decideOn(stored: StoredResponse, presented: PresentedRequest, context: DecisionContext): Decision {
  const { directives, cacheMode } = presented
  const { log, random, policy } = context
  const purge = purgeEffect(stored, log)
  const numbers = measure(stored, presented, context, purge)
  const { ageMs, lifetimeMs, staleForMs, phaseMs = 0 } = numbers

  if (purge?.mode === 'invalidate') return ask('invalidated', 'stale', stored, numbers)
  if (cacheMode === 'no-cache' || directives.noCache) return ask('request-directive', 'request', stored, numbers)
  if ((cacheMode === 'force-cache' || cacheMode === 'only-if-cached') && !purge) {
    return { kind: 'reuse', cause: staleForMs < 0 ? 'fresh' : 'max-stale', stored, numbers }
  }
  if (stored.directives.noCache === true) return ask('no-cache', 'stale', stored, numbers)

  const maxStale = stored.directives.mustRevalidate ? -1 : Math.max(directives.maxStale ?? -1, presented.maxStale ?? -1)
  const { maxAge = Number.POSITIVE_INFINITY, minFresh = 0 } = directives
  if (staleForMs < 0 && ageMs <= maxAge && -staleForMs >= minFresh) {
    const mayRefresh = cacheMode === 'default' && !directives.onlyIfCached && !stored.directives.immutable
    const early = {
      remaining: -staleForMs,
      lifetime: lifetimeMs,
      delta: stored.delta,
      beta: policy?.beta ?? 0,
      phaseMs,
    }
    return mayRefresh && isEarly(early, random) && (context.mayRefreshEarly?.() ?? true)
      ? { kind: 'reuse-and-revalidate', cause: 'early-refresh', stored, numbers }
      : { kind: 'reuse', cause: 'fresh', stored, numbers }
  }
  const tooStale = Math.max(staleForMs, ageMs - maxAge, minFresh + staleForMs)
  if (maxStale >= 0 && tooStale <= maxStale) return { kind: 'reuse', cause: 'max-stale', stored, numbers }
  // What the request asks for beyond freshness is not met by a window that the origin grants.
  if (ageMs > maxAge || minFresh > 0) return ask('request-directive', 'request', stored, numbers)
  if (staleForMs <= numbers.staleWhileRevalidateMs && numbers.staleWhileRevalidateMs > 0) {
    return { kind: 'reuse-and-revalidate', cause: 'stale-while-revalidate', stored, numbers }
  }
  return ask(purge ? 'purged' : 'expired', 'stale', stored, numbers)
}

/** With a validator where the stored response has one (RFC 9111 §4.3.1). */
function ask(cause: Cause, why: ForwardReason, stored: StoredResponse, numbers: DecisionNumbers): Decision {
  const hasValidator = stored.etag !== undefined || stored.lastModified !== undefined
  return hasValidator
    ? { kind: 'validate', cause, why, stored, numbers }
    : { kind: 'forward', cause, why, stored, numbers }
}

/** The numbers of one stored response at this moment, whatever would be decided. */
export const numbersOf = (
  stored: StoredResponse,
  presented: PresentedRequest,
  context: DecisionContext,
): DecisionNumbers => measure(stored, presented, context, purgeEffect(stored, context.log))

/** Age, lifetime and windows of `stored` at `now`. Windows that a prohibition closes are 0 (RFC 9111 §4.2.4). */
function measure(
  stored: StoredResponse,
  presented: PresentedRequest,
  { now, log, policy }: Pick<DecisionContext, 'now' | 'log' | 'policy'>,
  purge: PurgeEffect | undefined,
): DecisionNumbers {
  const ageMs = currentAge(stored, now)
  const lifetime = freshnessLifetime(stored, policy)
  const staleSince = Math.min(purge?.at ?? now + 1, stored.staleSince ?? now + 1)
  // A purge only ever shortens: the windows count from it, and still end where they would have ended anyway.
  const staleForMs = !isAgeTrustworthy(stored, now)
    ? Number.POSITIVE_INFINITY
    : Math.max(
        ageMs - lifetime.ms,
        purge || stored.staleSince !== undefined ? Math.max(0, now - staleSince) : Number.NEGATIVE_INFINITY,
      )
  const { noCache, mustRevalidate, staleWhileRevalidate, staleIfError, immutable } = stored.directives
  const prohibited = noCache === true || mustRevalidate || purge?.mode === 'invalidate'
  const numbers: { -readonly [Name in keyof DecisionNumbers]: DecisionNumbers[Name] } = {
    ageMs,
    lifetimeMs: lifetime.ms,
    lifetimeSource: lifetime.source,
    staleForMs,
    staleWhileRevalidateMs: prohibited
      ? 0
      : (windowOf(staleWhileRevalidate, policy?.staleWhileRevalidateMs, policy) ?? 0),
    staleIfErrorMs: prohibited
      ? 0
      : Math.max(
          windowOf(staleIfError, policy?.staleIfErrorMs, policy) ?? 0,
          presented.directives.staleIfError ?? 0,
          policy?.graceMs ?? 0,
        ),
  }
  if (policy?.phase && !immutable) numbers.phaseMs = lifetime.ms * policy.phase * installShare(log.incarnation)
  return numbers
}

const windowOf = (said: Ms | undefined, allowed: Ms | undefined, policy: DecisionPolicy | undefined): Ms | undefined =>
  policy?.override ? (allowed ?? said) : (said ?? allowed)

/**
 * Whether the stored response of a decision may be served now that the origin has failed: an error, or no answer in time.
 *
 * @returns the numbers at `now`, or `undefined` when nothing allows it
 * @see RFC 5861 section 4; a prohibition (`no-cache`, `must-revalidate`, invalidation, a hard purge) beats it, RFC 9111 section 4.2.4
 */
export function mayServeOnError(
  stored: StoredResponse,
  presented: PresentedRequest,
  context: DecisionContext,
): DecisionNumbers | undefined {
  const purge = purgeEffect(stored, context.log)
  if (purge?.mode === 'hard' || presented.directives.noCache || presented.cacheMode === 'no-cache') return undefined
  const numbers = measure(stored, presented, context, purge)
  const { maxAge = Number.POSITIVE_INFINITY, minFresh = 0 } = presented.directives
  if (numbers.ageMs > maxAge || minFresh > 0) return undefined
  return numbers.staleIfErrorMs > 0 && numbers.staleForMs <= numbers.staleIfErrorMs ? numbers : undefined
}

/** Statuses that count as a failing origin (RFC 5861 §4). No other one does. */
export const isOriginError = (status: number): boolean => status === 500 || (status >= 502 && status <= 504)
