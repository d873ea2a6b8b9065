import { fieldValue } from '../http/fields.ts'
import type { HeaderList, StoredResponse } from '../http/message.ts'
import { matchesNominated } from '../http/nominated-fields.ts'
import { purgeEffect } from '../http/purge-effect.ts'
import { conditionalFields, freshen, freshenedBy } from '../http/validation.ts'
import { type Accept, type Arrival, type Asking, type Dispatch, discard, type Landing } from './arrival.ts'
import { type Core, decisionContext } from './core.ts'
import { headerList, toHeaders } from './header-list.ts'
import { heed } from './invalidate.ts'
import { drop, keepFreshened, scoped, withTags } from './keep.ts'
import type { Presented } from './presented.ts'
import { complete, receive } from './receive.ts'

/**
 * Asks the origin, with what the decision has at hand: validators, or a stored beginning to be completed. An answer that is of no use for what was asked
 * (a 304 that names another validator, a rest of something else, no rest at all) is followed by one request without conditions.
 *
 * @throws what the transport throws
 */
export async function exchange(
  presented: Presented,
  asked: Asking,
  core: Core,
  signal: AbortSignal,
  landing: Landing,
  accept?: Accept,
): Promise<Arrival> {
  // While this request waited for its turn, what it was to validate may have been purged.
  const stored = asked.stored ?? (asked.kind === 'forward' ? asked.partial : undefined)
  const isGone = stored && purgeEffect(stored, core.store.log())?.mode === 'hard'
  const conditions = isGone ? undefined : conditionsFor(presented, asked)
  for (const fields of conditions ? [conditions, undefined] : [undefined]) {
    const dispatch: Dispatch = {
      epoch: core.store.epoch(),
      context: core.settings.context,
      sequence: core.nextSequence(),
      requestTime: core.now(),
    }
    // Not every transport looks: what is over before it is sent stays here.
    signal.throwIfAborted()
    const raw = await send(presented, asked, core, fields, signal)
    heed(raw, presented, core)
    const expected = fields && expectedAnswer(raw, presented, asked, core, dispatch, landing)
    if (expected) return expected
    if (raw.status !== 304 && !(fields && (raw.status === 206 || raw.status === 416)))
      return receive(raw, presented, asked, core, dispatch, landing, accept)
    discard(raw)
  }
  throw new TypeError(`${presented.request.url} answered 304 Not Modified to a request without conditions`)
}

const expectedAnswer = (
  raw: Response,
  presented: Presented,
  asked: Asking,
  core: Core,
  dispatch: Dispatch,
  landing: Landing,
): Arrival | undefined =>
  asked.kind === 'forward'
    ? asked.partial && raw.status === 206
      ? complete(raw, presented, asked.partial, core, dispatch, landing)
      : undefined
    : raw.status === 304
      ? confirm(raw, presented, asked.stored, core, dispatch)
      : undefined

/**
 * Fields beyond the caller's own: validators (RFC 9111 §4.3.1), or the range that is missing. None across origins, where each would cost a preflight and the
 * browser validates without one (Fetch, HTTP-network-or-cache fetch).
 */
function conditionsFor({ request, sameOrigin }: Presented, asked: Asking): HeaderList | undefined {
  if (!sameOrigin || request.method !== 'GET' || fieldValue(request.headers, 'range') !== undefined) return undefined
  // Without `max-age=0` some engines add `no-cache`, which keeps many origins from ever answering 304.
  if (asked.kind === 'validate')
    return asked.stored.body.bytes && [['cache-control', 'max-age=0'], ...conditionalFields(asked.stored)]
  if (!asked.partial?.part) return undefined
  const { etag, part } = asked.partial
  return [['range', `bytes=${part.last + 1}-`] as const, ...(etag ? [['if-range', etag] as const] : [])]
}

function send(
  presented: Presented,
  asked: Asking,
  core: Core,
  fields: HeaderList = [],
  signal: AbortSignal,
): Promise<Response> {
  const { input, request } = presented
  const { nearcache, ...init } = presented.init
  const carry = nearcache?.fetch ?? core.transport
  const headers = toHeaders(request.headers)
  for (const [name, value] of fields) {
    if (name !== 'cache-control' || !headers.has(name)) headers.set(name, value)
  }
  const cache = lowerCacheMode(presented, asked, core, fields.length > 0)
  const sent = { ...init, method: request.method, headers, signal, ...(cache && { cache }) }
  return typeof input === 'object' && 'method' in input ? carry(new Request(input, sent)) : carry(request.url, sent)
}

/**
 * The mode for the browser's own cache below, which must not undo what we promise: what may be stored comes from the origin or was validated by it.
 * `default` and `force-cache` only where the browser's copy cannot be older than what was purged, nor somebody else's; `default` where a visible `Date` shows its age, too.
 */
function lowerCacheMode(
  { request, sameOrigin, isBeside, isDiskLate }: Presented,
  asked: Asking,
  core: Core,
  conditional: boolean,
): RequestCache | undefined {
  if (!core.settings.browserCache) return undefined
  // Chromium lets a request wait for another one of the same URL, for 20 s, where its cache is to have the response.
  if (conditional || isBeside) return 'no-store'
  const { cacheMode } = request
  if (asked.cause === 'purged' && !asked.stored) return 'reload'
  // A disk that has not been read may know of purges.
  const isKnown = !core.settings.durable || (!isDiskLate && core.store.isDurable())
  const isUnpurged = isKnown && core.store.log().last === 0 && !core.store.hasBeenEntered()
  if (cacheMode !== 'default' && (isUnpurged || cacheMode !== 'force-cache')) return cacheMode
  const isFirst = asked.cause === 'miss' || asked.cause === 'vary-miss'
  return isFirst && sameOrigin && isUnpurged ? 'default' : 'no-cache'
}

/** A 304 to our own validators: freshens what it names (RFC 9111 §4.3.4). `undefined` when it names something else, or came by way of a redirect. */
function confirm(
  raw: Response,
  presented: Presented,
  stored: StoredResponse,
  core: Core,
  dispatch: Dispatch,
): Arrival | undefined {
  if (raw.redirected) return undefined
  const headers = headerList(raw.headers)
  const isOurs = ({ body }: StoredResponse) => body.id === stored.body.id
  const context = decisionContext(presented, core)
  const candidates = (core.store.peek(presented.key)?.responses ?? []).filter(
    (one) =>
      isOurs(one) ||
      (matchesNominated(one, presented.request, context) && purgeEffect(one, context.log)?.mode !== 'hard'),
  )
  const named = freshenedBy(candidates.some(isOurs) ? candidates : [...candidates, stored], headers, stored)
  if (!named.some(isOurs)) return undefined
  discard(raw)
  const responseTime = core.now()
  const update = { headers, ...dispatch, responseTime, delta: core.elapsed(raw, dispatch.requestTime) }
  const freshened = named.map((one) => {
    const next = scoped(freshen(one, update, presented.request, core.settings), core)
    // What was purged meanwhile by a label that it had then stays purged, though it has other ones now.
    return purgeEffect({ ...one, epoch: dispatch.epoch }, core.store.log()) ? withTags(next, one.tags) : next
  })
  const own = { ...freshened.find(isOurs), body: stored.body } as StoredResponse
  // What can be neither used nor replaced any more must not stay.
  const kept =
    own.directives.noStore || own.vary === '*'
      ? drop([own.body.id], presented, core)
      : presented.request.directives.noStore
        ? undefined
        : keepFreshened(freshened, presented, core)
  return { cause: 'validated', raw, stored: own, ...(kept && { kept }) }
}
