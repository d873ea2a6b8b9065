import { decide, isOriginError, mayServeOnError, numbersOf } from '../http/decide.ts'
import { fieldValue } from '../http/fields.ts'
import { covers } from '../http/purge-effect.ts'
import { numberIn } from '../http/purge-log.ts'
import { type Answer, passOn, replay } from './answer.ts'
import type { Accept, Arrival, Asking } from './arrival.ts'
import { type Core, decisionContext } from './core.ts'
import { firstOf, softMsOf, withDeadline } from './deadlines.ts'
import { discard, exchange } from './exchange.ts'
import type { Flight } from './flights.ts'
import type { Presented } from './presented.ts'

/** How long waiting for another's response is taken to be of no use, after one that could not be shared, in milliseconds. */
const HIT_FOR_MISS_MS = 30_000

/** Goes to the origin, or joins who is on the way there. Whoever joined decides again with the response in hand (RFC 9111 §4). */
export async function ask(asked: Asking, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
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
        : replay(stored, presented.request, again.numbers, 'collapsed', {
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

/**
 * Who may share a request to the origin: the same key with the same fields, since what the response varies on is not known before it is there.
 * Ranges, `reload` and HEAD are requests of their own.
 */
export function identityOf({ request, key, init }: Presented): string | undefined {
  if (request.method !== 'GET' || request.cacheMode === 'reload' || fieldValue(request.headers, 'range') !== undefined)
    return undefined
  return JSON.stringify([key, request.headers, init.redirect, request.cacheMode === 'force-cache'])
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

export function depart(
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
    return replay(stored, presented.request, numbers, cause, {
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
    return replay(stored, request, numbers, cause, { why: asked.why, status: raw.status })
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
