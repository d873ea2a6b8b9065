import { type Decision, decide, isOriginError, mayServeOnError, numbersOf } from '../http/decide.ts'
import { fieldValue } from '../http/fields.ts'
import type { StoredResponse } from '../http/message.ts'
import { covers } from '../http/purge-effect.ts'
import { numberIn } from '../http/purge-log.ts'
import type { StoredRecord } from '../ports/store.ts'
import { type Answer, passOn, replay } from './answer.ts'
import type { Accept, Arrival, Asking } from './arrival.ts'
import { answersUrl } from './cache-key.ts'
import { type Core, decisionContext } from './core.ts'
import { discard, exchange } from './exchange.ts'
import type { Flight } from './flights.ts'
import { passBy } from './pass-by.ts'
import type { Presented } from './presented.ts'

/** How long a background refresh that failed is not tried again, in milliseconds (RFC 5861 §3.1: a failure does not extend the window). */
const RETRY_MS = 5_000

/** How long a background refresh may take, in milliseconds: one that hangs must not keep the next one from starting. */
const BACKGROUND_MS = 30_000

/** How long waiting for another's response is taken to be of no use, after one that could not be shared, in milliseconds. */
const HIT_FOR_MISS_MS = 30_000

/**
 * One presented request in, one answer out: look up, decide, act (RFC 9111 §4).
 *
 * @param accept - a last word on a body before it is stored
 * @throws the network's error, the caller's abort reason, a `TimeoutError` at the hard deadline
 */
export async function respond(presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  presented.signal?.throwIfAborted()
  if (presented.passBy) return passBy(presented, presented.passBy, core)
  const decision = decideNow(presented, core.store.peek(presented.key), core)
  if (!core.settings.durable || (decision.kind !== 'forward' && decision.kind !== 'refuse'))
    return act(decision, presented, core, accept)
  return lookFurther(decision, presented, core, accept)
}

/** What to do with a request, given what is stored under its key. */
export function decideNow(
  presented: Presented,
  record: StoredRecord | undefined,
  core: Core,
  random = core.random,
): Decision {
  const candidates = record?.responses.filter((stored) =>
    answersUrl(stored, presented.request.url, presented.rule?.key ?? core.place.key),
  )
  return decide(presented.request, candidates ?? [], decisionContext(presented, core, random))
}

/** Memory has nothing of use: the disk is asked, and when it hangs, the network starts beside it; the first usable answer wins. */
async function lookFurther(decision: Decision, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  const timer = new AbortController()
  const reading = core.store.read(presented.key).then((record) => decideNow(presented, record, core))
  const inTime =
    (await Promise.race([reading, core.sleep(core.settings.diskMs, timer.signal).catch(() => {})])) ??
    // While a busy page kept both waiting, the timer came due first: what the disk has answered meanwhile counts as in time.
    (await Promise.race([reading, core.sleep(0, timer.signal).catch(() => {})]))
  timer.abort()
  if (inTime) return act(inTime, presented, core, accept)

  const late = reading.then((found) =>
    found.kind === 'reuse' || found.kind === 'reuse-and-revalidate'
      ? act(found, presented, core, accept)
      : new Promise<never>(() => {}),
  )
  const flying = act(decision, presented, core, accept)
  return Promise.race([late, flying]).catch(async (error: unknown) => {
    presented.signal?.throwIfAborted()
    const found = await withDeadline(reading, presented, core)
    const stored = 'stored' in found ? found.stored : undefined
    const numbers = stored && mayServeOnError(stored, presented.request, decisionContext(presented, core))
    if (!numbers) throw error
    return replay(stored, bytesOf(stored), presented.request, numbers, 'stale-if-error', { why: 'stale' })
  })
}

async function act(decision: Decision, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  switch (decision.kind) {
    case 'reuse':
      return fromStore(decision, presented)
    case 'reuse-and-revalidate':
      refreshBehind(decision.stored, presented, core)
      return fromStore(decision, presented)
    case 'validate':
    case 'forward':
      return ask(decision, presented, core, accept)
    case 'refuse':
      return refuse(presented)
    default:
      return decision satisfies never
  }
}

function fromStore(
  { stored, numbers, cause }: Extract<Decision, { kind: 'reuse' | 'reuse-and-revalidate' }>,
  { request }: Presented,
): Answer {
  return replay(stored, bytesOf(stored), request, numbers, cause, 'hit')
}

const NOTHING = new Uint8Array()
const bytesOf = (stored: StoredResponse): Uint8Array<ArrayBuffer> => stored.body.bytes ?? NOTHING

/** Refreshes without anyone waiting: at most one at a time for a key, not at once again after a failure, and never without end. */
function refreshBehind(stored: StoredResponse, presented: Presented, core: Core): void {
  const { signal: _, ...init } = presented.init
  const headers = presented.request.headers.filter(([name]) => name !== 'range')
  const behind: Presented = {
    ...presented,
    init,
    signal: undefined,
    request: { ...presented.request, method: 'GET', headers },
  }
  const identity = identityOf(behind)
  if (identity === undefined || core.flights.under(identity) || core.flights.resting.has(identity, core.now())) return
  const isValidatable = stored.etag !== undefined || stored.lastModified !== undefined
  const asked = { kind: isValidatable ? 'validate' : 'forward', cause: 'expired', why: 'stale', stored } as Asking
  const flight = depart(identity, behind, asked, core)
  const rest = () => core.flights.resting.until(identity, core.now() + RETRY_MS)
  const failed = (error: unknown) => {
    rest()
    core.emit({ type: 'failed', url: presented.request.url, error }, presented)
  }
  const timer = new AbortController()
  core.sleep(BACKGROUND_MS, timer.signal).then(
    () => flight.abort(new DOMException(`No response within ${BACKGROUND_MS} ms`, 'TimeoutError')),
    () => {},
  )
  core.background(
    flight.arrival
      .then(async ({ raw, kept, shared }) => {
        if (isOriginError(raw.status)) failed(new Error(`${presented.request.url} answered ${raw.status}`))
        if (!kept && !shared) discard(raw)
        if (kept) await shared?.whole
        await kept
        // What could not be stored leaves the stale one as it was, and each read would ask anew.
        const isUnchanged = ({ body, sequence }: StoredResponse) =>
          body.id === stored.body.id && sequence === stored.sequence
        if (core.store.peek(presented.key)?.responses.some(isUnchanged)) rest()
      })
      .catch(failed)
      .finally(() => {
        timer.abort()
        flight.leave()
      }),
  )
}

/**
 * Who may share a request to the origin: the same key with the same fields, since what the response varies on is not known before it is there.
 * Ranges, `reload` and HEAD are requests of their own.
 */
function identityOf({ request, key, init }: Presented): string | undefined {
  if (request.method !== 'GET' || request.cacheMode === 'reload' || fieldValue(request.headers, 'range') !== undefined)
    return undefined
  return JSON.stringify([key, request.headers, init.redirect, request.cacheMode === 'force-cache'])
}

function depart(
  identity: string | undefined,
  presented: Presented,
  asked: Asking,
  core: Core,
  accept?: Accept,
): Flight {
  const flight = core.flights.start(identity, core.store.epoch(), (signal, landing) =>
    exchange(presented, asked, core, signal, landing, accept),
  )
  flight.join()
  flight.arrival.then(({ kept }) => kept && core.background(kept)).catch(() => {}) // who waits for it hears of the error
  return flight
}

/** Goes to the origin, or joins who is on the way there. Whoever joined decides again with the response in hand (RFC 9111 §4). */
async function ask(asked: Asking, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  const identity = identityOf(presented)
  const other =
    identity === undefined || core.flights.hitForMiss.has(identity, core.now())
      ? undefined
      : core.flights.under(identity)
  if (!other || isOvertaken(other, presented, core)) return lead(identity, asked, presented, core, undefined, accept)

  other.join()
  try {
    return await settle(other, asked, presented, core, (arrival) => {
      const { stored, shared, raw } = arrival
      if (isOriginError(raw.status) && shared) return fromArrival(arrival, other, asked, presented, core, true)
      if (!stored) return undefined
      const again = decide(presented.request, [stored], decisionContext(presented, core))
      if (again.kind !== 'reuse' && again.kind !== 'reuse-and-revalidate') return undefined
      return shared
        ? fromArrival({ ...arrival, cause: 'collapsed' }, other, asked, presented, core, true)
        : replay(stored, bytesOf(stored), presented.request, again.numbers, 'collapsed', {
            why: asked.why,
            status: raw.status,
            collapsed: true,
          })
    })
  } catch (error) {
    if (error !== UNUSABLE) throw error
    // A purge overtook it: all who waited meet again in the next one.
    if (isOvertaken(other, presented, core)) return ask(asked, presented, core, accept)
    return lead(undefined, asked, presented, core, false, accept)
  } finally {
    other.leave()
  }
}

/** Whether a purge that may concern this request came after the flight had left: then its response is not for those who come now. */
function isOvertaken(flight: Flight, { request, keyUrl }: Presented, core: Core): boolean {
  const log = core.store.log()
  const departed = numberIn(log, flight.epoch)
  if (departed === undefined) return true
  return log.purges.some(
    ({ number, selector }) =>
      number > departed &&
      // What labels its response will carry is not known yet.
      (('tags' in selector && selector.tags?.some((tag) => !tag.startsWith('\0'))) ||
        covers(selector, request.url, [`\0${keyUrl}`])),
  )
}

/** Makes a request of its own. `collapsed` is `false` after waiting for another one in vain. */
async function lead(
  identity: string | undefined,
  asked: Asking,
  presented: Presented,
  core: Core,
  collapsed: false | undefined,
  accept?: Accept,
): Promise<Answer> {
  const flight = depart(identity, presented, asked, core, accept)
  try {
    return await settle(flight, asked, presented, core, (arrival) => {
      if (identity !== undefined && !arrival.stored && !isOriginError(arrival.raw.status))
        core.flights.hitForMiss.until(identity, core.now() + HIT_FOR_MISS_MS)
      return fromArrival(arrival, flight, asked, presented, core, collapsed)
    })
  } finally {
    flight.leave()
  }
}

/** Marks an arrival that a follower cannot use. */
const UNUSABLE = Symbol('unusable')

/**
 * Waits for a flight, as long as the caller and the deadlines allow; with a usable stale response at hand, not beyond the soft one. When the origin fails, the
 * stale response is served where that is allowed.
 */
async function settle(
  flight: Flight,
  asked: Asking,
  presented: Presented,
  core: Core,
  use: (arrival: Arrival) => Answer | undefined,
): Promise<Answer> {
  const { stored } = asked
  const onError = () => stored && mayServeOnError(stored, presented.request, decisionContext(presented, core))
  const serveStale = (cause: 'soft-deadline' | 'stale-if-error', status?: number): Answer | undefined => {
    const numbers = onError()
    if (!stored || !numbers) return undefined
    return replay(stored, bytesOf(stored), presented.request, numbers, cause, {
      why: asked.why,
      ...(status !== undefined && { status }),
    })
  }
  try {
    const waiting = withDeadline(flight.arrival, presented, core)
    if (onError()) {
      const stale = await firstOf(waiting, softMsOf(presented, core), core, () => serveStale('soft-deadline'))
      if (stale) {
        waiting.catch(() => {})
        finishBehind(flight, presented, core)
        return stale
      }
    }
    const arrival = await waiting
    const { raw, shared } = arrival
    const stale = isOriginError(raw.status) ? serveStale('stale-if-error', raw.status) : undefined
    if (stale) {
      if (!shared) discard(raw)
      core.emit(
        {
          type: 'failed',
          url: presented.request.url,
          error: new Error(`${presented.request.url} answered ${raw.status}`),
        },
        presented,
      )
      return stale
    }
    const answer = use(arrival)
    if (!answer) throw UNUSABLE
    return answer
  } catch (error) {
    if (error === UNUSABLE || presented.signal?.aborted) throw error
    const stale = serveStale('stale-if-error')
    if (!stale) throw error
    core.emit({ type: 'failed', url: presented.request.url, error }, presented)
    return stale
  }
}

/** What `late` gives when `work` takes longer than `ms`; `undefined` when the work is done in time or `late` has nothing to give. */
async function firstOf<T>(
  work: Promise<unknown>,
  ms: number,
  core: Core,
  late: () => T | undefined,
): Promise<T | undefined> {
  const timer = new AbortController()
  const inTime = await Promise.race([work.then(() => true), core.sleep(ms, timer.signal).catch(() => true)]).finally(
    () => timer.abort(),
  )
  return inTime ? undefined : late()
}

/** Lets a request that its caller no longer waits for come to its end, and be stored. */
function finishBehind(flight: Flight, presented: Presented, core: Core): void {
  flight.join()
  core.background(
    flight.arrival
      .then(
        ({ kept, shared, raw }) => (kept ? kept : shared ? undefined : discard(raw)),
        (error: unknown) => core.emit({ type: 'failed', url: presented.request.url, error }, presented),
      )
      .finally(flight.leave),
  )
}

/** The work's result, unless the caller aborts or the hard deadline comes first. */
async function withDeadline<T>(work: Promise<T>, { signal, init, rule }: Presented, core: Core): Promise<T> {
  const hardMs = init.nearcache?.hardMs ?? rule?.hardMs ?? core.settings.hardMs
  const timer = new AbortController()
  let abort = () => {}
  const ends: Promise<T>[] = [work]
  if (signal) {
    ends.push(
      new Promise((_, reject) => {
        abort = () => reject(signal.reason)
        signal.addEventListener('abort', abort)
        if (signal.aborted) abort()
      }),
    )
  }
  if (Number.isFinite(hardMs)) {
    ends.push(
      core.sleep(hardMs, timer.signal).then(
        () => Promise.reject(new DOMException(`No response within ${hardMs} ms (hardMs)`, 'TimeoutError')),
        () => work,
      ),
    )
  }
  try {
    return await Promise.race(ends)
  } finally {
    timer.abort()
    signal?.removeEventListener('abort', abort)
  }
}

const softMsOf = ({ init, rule }: Presented, core: Core): number =>
  init.nearcache?.softMs ?? rule?.softMs ?? core.settings.softMs

/** The origin's response, passed to the caller while it is stored. */
function fromArrival(
  arrival: Arrival,
  flight: Flight,
  asked: Asking,
  presented: Presented,
  core: Core,
  collapsed?: boolean,
): Answer {
  const { request, signal } = presented
  const { raw, stored, shared, kept, cause } = arrival
  if (cause === 'validated' && stored) {
    const numbers = numbersOf(stored, request, decisionContext(presented, core))
    return replay(stored, bytesOf(stored), request, numbers, cause, { why: asked.why, status: raw.status })
  }
  const answer = passOn(raw, request.url, cause, asked.why, collapsed)
  if (!shared) {
    signal?.addEventListener('abort', () => flight.abort(signal.reason), { once: true })
    return answer
  }
  flight.join()
  return {
    ...answer,
    path: {
      why: asked.why,
      status: raw.status,
      stored: kept !== undefined,
      ...(collapsed !== undefined && { collapsed }),
    },
    body: { shared, release: flight.leave },
    stored,
  }
}

/** `only-if-cached` without a stored response: 504 for the directive (RFC 9111 §5.2.1.7), a network error for the mode (Fetch). */
function refuse({ request }: Presented): Answer {
  if (request.cacheMode === 'only-if-cached')
    throw new TypeError(`${request.url} is not stored, and the cache mode is only-if-cached`)
  return {
    cause: 'only-if-cached',
    path: 'refused',
    status: 504,
    statusText: 'Gateway Timeout',
    headers: () => [],
    facts: { url: request.url, type: 'default', redirected: false },
    body: { bytes: null },
  }
}
