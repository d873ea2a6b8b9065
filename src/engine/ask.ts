import { decide, mayServeOnError, numbersOf } from '../http/decide.ts'
import type { EpochMs, PurgeRecord } from '../http/message.ts'
import { covers } from '../http/purge-effect.ts'
import { numberIn } from '../http/purge-log.ts'
import { type Answer, passOn, replay } from './answer.ts'
import { type Accept, type Arrival, type Asking, discard, hasFailed } from './arrival.ts'
import { isConstructible } from './cached-response.ts'
import { type Core, decisionContext } from './core.ts'
import { BACKGROUND_MS, hasLeft, isDoneWithin, softMsOf, unlessAborted } from './deadlines.ts'
import { exchange } from './exchange.ts'
import type { Flight } from './flights.ts'
import { identityOf } from './identity.ts'
import { change, withTags } from './keep.ts'
import type { Presented } from './presented.ts'
import { shareBody } from './shared-body.ts'
import { exchangeInTurn, mayBeShared } from './turn.ts'

/** How long waiting for another's response is taken to be of no use, after one that could not be shared, in milliseconds. */
const HIT_FOR_MISS_MS = 30_000

/** Says that a purge has overtaken the request that was waited for: everything is to be decided anew. */
export const OVERTAKEN = Symbol('overtaken')

/** Marks an arrival that is of no use to the one who waited for it. */
const UNUSABLE = Symbol('unusable')

/**
 * Goes to the origin, or joins who is on the way there. Whoever joined decides again with the response in hand (RFC 9111 §4).
 *
 * @throws OVERTAKEN; what the transport throws; the reason why the caller's patience ended
 */
export async function ask(asked: Asking, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  const identity = identityOf(presented)
  const other = identity === undefined ? undefined : whomToJoin(identity, presented, core)
  try {
    return other
      ? await join(other, asked, presented, core)
      : await lead(identity, asked, presented, core, undefined, accept)
  } catch (error) {
    if (error !== UNUSABLE) throw error
    if (other && isOvertaken(other, presented, core)) throw OVERTAKEN
    return lead(undefined, asked, presented, core, false, accept)
  }
}

/** The flight under way, if its response may be of use; else whoever comes now starts one, and is joined in turn. */
function whomToJoin(identity: string, presented: Presented, core: Core): Flight | undefined {
  const flight = core.flights.under(identity)
  if (!flight || core.flights.hitForMiss.has(identity, core.now()) || isOvertaken(flight, presented, core))
    return undefined
  // What has come may be old by now, though its body is still under way.
  const stored = flight.arrived()?.stored
  return !stored || canUse(stored, flight, presented, core) ? flight : undefined
}

/**
 * Purges that came after the flight had left; `undefined` when that is not known any more. None while the log is as it was then, though one of its purges may still be on its way to the disk: the
 * response was asked for after all of them.
 */
function purgesSince({ epoch, log }: Flight, core: Core): readonly PurgeRecord[] | undefined {
  const now = core.store.log()
  if (now === log) return []
  const departed = numberIn(now, epoch)
  return departed === undefined ? undefined : now.purges.filter(({ number }) => number > departed)
}

/** Whether a purge that may concern this request came after the flight had left: then its response is not for those who come now. */
const isOvertaken = (flight: Flight, { request, keyUrl }: Presented, core: Core): boolean =>
  purgesSince(flight, core)?.some(
    ({ selector }) =>
      // What labels its response will carry is not known yet.
      ('tags' in selector && selector.tags?.some((tag) => !tag.startsWith('\0'))) ||
      covers(selector, request.url, [`\0${keyUrl}`]),
  ) ?? true

/** What one who joined may use: as it would be decided had it been stored, by the purges that came after it was asked for. */
function canUse(stored: NonNullable<Arrival['stored']>, flight: Flight, presented: Presented, core: Core) {
  if (stored.directives.noStore) return undefined
  const context = decisionContext(presented, core)
  const log = { ...context.log, purges: purgesSince(flight, core) ?? context.log.purges }
  const again = decide(presented.request, [stored], { ...context, log })
  return again.kind === 'reuse' || again.kind === 'reuse-and-revalidate' ? again : undefined
}

/** Sends a request on its way. `isInTurn`: it is this context's turn already. */
export function depart(
  identity: string | undefined,
  presented: Presented,
  asked: Asking,
  core: Core,
  accept?: Accept,
  isInTurn = false,
): Flight {
  const inTurn = identity !== undefined && !isInTurn && mayBeShared(presented, core) ? identity : undefined
  const flight = core.flights.start(
    identity,
    { epoch: core.store.epoch(), log: core.store.log() },
    (signal, landing) =>
      inTurn === undefined || core.flights.hitForMiss.has(inTurn, core.now())
        ? exchange(presented, asked, core, signal, landing, accept)
        : exchangeInTurn(inTurn, presented, asked, core, signal, landing, accept),
  )
  flight.join()
  flight.arrival.then(({ kept }) => kept && core.background(kept)).catch(() => {}) // who waits for it hears of the error
  return flight
}

/** Who has joined a flight last, with what at hand, at which moment, and how it will be answered. */
interface Joined {
  readonly presented: Presented
  readonly asked: Asking
  readonly at: EpochMs
  readonly answer: Promise<Answer>
}

const joined = new WeakMap<Flight, Joined>()

/**
 * Waits for another's request; with one who has joined it at this moment for the very same, and has the same at hand if that fails, since both would be answered alike. Who gives more than a URL, or is patient for a
 * time of its own, is read as a request of its own, and waits alone.
 */
function join(other: Flight, asked: Asking, presented: Presented, core: Core): Promise<Answer> {
  const at = core.now()
  const last = joined.get(other)
  if (last?.presented === presented && last.asked.stored === asked.stored && last.at === at)
    return last.answer.then(forAnother)
  const answer = follow(other, asked, presented, core)
  joined.set(other, { presented, asked, at, answer })
  return answer
}

/** The same answer, to be read by another. @throws UNUSABLE when the beginning of its body is no longer at hand */
function forAnother(answer: Answer): Answer {
  const { body } = answer
  if (!('reader' in body)) return answer
  const reader = body.reader.another()
  if (!reader) throw UNUSABLE
  return { ...answer, body: { whole: body.whole, reader } }
}

/** Waits for another's request. */
async function follow(other: Flight, asked: Asking, presented: Presented, core: Core): Promise<Answer> {
  other.join()
  try {
    return await settle(other, asked, presented, core, (arrival) => {
      const { stored, shared, raw } = arrival
      if (hasFailed(arrival) && shared) return fromArrival(arrival, other, asked, presented, core, true)
      const again = stored && canUse(stored, other, presented, core)
      if (!again) return undefined
      const { tags = [] } = presented.init.nearcache ?? {}
      if (tags.length > 0 && arrival.kept)
        core.background(arrival.kept.then(() => change((one) => withTags(one, tags), presented, core)))
      return shared
        ? fromArrival({ ...arrival, cause: 'collapsed' }, other, asked, presented, core, true)
        : replay(stored, presented.request, again.numbers, 'collapsed', {
            why: asked.why,
            ...(raw && { status: raw.status }),
            collapsed: true,
          })
    })
  } finally {
    other.leave(presented.patience)
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
  const { hitForMiss } = core.flights
  const flight = depart(identity, presented, asked, core, accept)
  try {
    return await settle(flight, asked, presented, core, (arrival) => {
      if (identity !== undefined && arrival.stored) hitForMiss.forget(identity)
      else if (identity !== undefined && !hasFailed(arrival)) hitForMiss.until(identity, core.now() + HIT_FOR_MISS_MS)
      return fromArrival(arrival, flight, asked, presented, core, collapsed)
    })
  } finally {
    flight.leave(presented.patience)
  }
}

/**
 * Waits for a flight, as long as the caller is patient; with a usable stale response at hand, not beyond the soft deadline. When the origin fails, the
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
  const { url } = presented.request
  const onError = () => stored && mayServeOnError(stored, presented.request, decisionContext(presented, core))
  const serveStale = (cause: 'soft-deadline' | 'stale-if-error', status?: number): Answer | undefined => {
    const numbers = onError()
    if (!stored || !numbers) return undefined
    return replay(stored, presented.request, numbers, cause, {
      why: asked.why,
      ...(status !== undefined && { status }),
    })
  }
  const failed = (error: unknown) => core.emit({ type: 'failed', url, error }, presented)
  try {
    const waiting = unlessAborted(flight.arrival, presented.patience)
    if (onError() && !(await isDoneWithin(waiting, softMsOf(presented, core), core))) {
      const stale = serveStale('soft-deadline')
      if (stale) {
        waiting.catch(() => {})
        finishBehind(flight, failed, core)
        return stale
      }
    }
    const arrival = await waiting
    const { raw, shared } = arrival
    const stale = hasFailed(arrival) ? serveStale('stale-if-error', raw?.status) : undefined
    if (stale) {
      if (!shared) discard(raw)
      failed(new Error(`${url} answered ${raw?.status}`))
      return stale
    }
    const answer = use(arrival)
    if (!answer) throw UNUSABLE
    return answer
  } catch (error) {
    if (error === UNUSABLE || hasLeft(presented)) throw error
    const stale = serveStale('stale-if-error')
    if (!stale) throw error
    failed(error)
    return stale
  }
}

/** Lets a request that its caller no longer waits for come to its end, and be stored; but not without end. */
function finishBehind(flight: Flight, failed: (error: unknown) => void, core: Core): void {
  flight.join()
  const work = flight.arrival.then(
    ({ kept, shared, raw }) => (kept ? kept : shared ? undefined : discard(raw)),
    (error: unknown) => failed(error),
  )
  core.background(isDoneWithin(work, BACKGROUND_MS, core).finally(() => flight.leave()))
}

/** The origin's response, passed to the caller while it is stored. `undefined`: its beginning is no longer at hand. */
function fromArrival(
  arrival: Arrival,
  flight: Flight,
  asked: Asking,
  presented: Presented,
  core: Core,
  collapsed?: boolean,
): Answer | undefined {
  const { request, signal } = presented
  const { raw, stored, kept, cause } = arrival
  if (stored && (cause === 'validated' || !raw)) {
    const numbers = numbersOf(stored, request, decisionContext(presented, core))
    return replay(stored, request, numbers, cause, {
      why: asked.why,
      ...(raw ? { status: raw.status } : { collapsed: true }),
    })
  }
  if (!raw) return undefined
  const answer = passOn(raw, request.url, cause, asked.why, collapsed)
  let { shared } = arrival
  if (!shared) {
    flight.take()
    if (!signal || !raw.body || !isConstructible(raw.status)) return answer
    // One reader, whose signal is heard until the end and no longer.
    const alone = shareBody(raw.body, 0, {
      onIdle() {
        flight.abort(signal.reason)
        alone.stop(signal.reason)
      },
      onWhole: async (bytes) => bytes,
    })
    shared = alone
  }
  const reader = shared.open(signal)
  if (!reader) return undefined
  return {
    ...answer,
    path: {
      why: asked.why,
      status: raw.status,
      stored: kept !== undefined,
      ...(collapsed !== undefined && { collapsed }),
    },
    body: { whole: shared.whole, reader },
    stored,
  }
}
