import { isTimeout } from '../errors.ts'
import type { Epoch, EpochMs, PurgeLog } from '../http/message.ts'
import { type Arrival, discard, type Landing } from './arrival.ts'

/** Names remembered at most. */
const MAX_REMEMBERED = 1000

/** One request to the origin, and everyone who waits for it. */
export interface Flight {
  /** What its response will carry. */
  readonly epoch: Epoch
  /** The purges that were known when it left, also those that had not reached the disk. */
  readonly log: PurgeLog
  readonly arrival: Promise<Arrival>
  /** What has come, once the head is there. */
  arrived(): Arrival | undefined
  /** One more who waits. Whoever joins leaves once. */
  join(): void
  /**
   * When nobody waits and nobody reads, the request is aborted.
   *
   * @param patience - of the one who leaves: where that has ended at a deadline, the request has
   */
  leave(patience?: AbortSignal): void
  /** Says that one caller has fetch's own response, and sees to it. */
  take(): void
  /** Ends it whoever waits: for a response that belongs to one caller alone. */
  abort(reason: unknown): void
}

/** Requests under way, one for a key and the same fields; and what is remembered of those that were of no use. */
export interface Flights {
  under(identity: string): Flight | undefined
  /** Registers before anything is awaited, so that requests of the same moment meet. */
  start(
    identity: string | undefined,
    departure: Pick<Flight, 'epoch' | 'log'>,
    send: (signal: AbortSignal, landing: Landing) => Promise<Arrival>,
  ): Flight
  /** Responses for this identity cannot be shared: who comes next does not wait for another (Varnish: hit-for-miss). */
  hitForMiss: Memory
  /** A background refresh failed: the next one has to wait. */
  resting: Memory
  /** Background refreshes that wait for their turn. */
  readonly turning: Set<string>
  /** Aborts what is under way, and from then on whatever starts; or leaves alone what is in the hands of a caller, who reads it. */
  close(reason: unknown, which?: 'what nobody reads'): void
}

/** Remembers names for a while. */
interface Memory {
  until(name: string, moment: EpochMs): void
  has(name: string, now: EpochMs): boolean
  forget(name: string): void
}

function createMemory(): Memory {
  const moments = new Map<string, EpochMs>()
  return {
    until(name, moment) {
      if (moments.size >= MAX_REMEMBERED) moments.clear()
      moments.set(name, moment)
    },
    has: (name, now) => now < (moments.get(name) ?? Number.NEGATIVE_INFINITY),
    forget: (name) => {
      moments.delete(name)
    },
  }
}

export function createFlights(): Flights {
  const flights = new Map<string, Flight>()
  const underWay = new Set<{ isRead(): boolean; abort(reason: unknown): void }>()
  let closing: { readonly reason: unknown; readonly all: boolean } | undefined

  return {
    under: (identity) => flights.get(identity),
    start(identity, departure, send) {
      const controller = new AbortController()
      if (closing) controller.abort(closing.reason)
      let waiting = 0
      let isTaken = false
      let arrived: Arrival | undefined
      const isRead = () => !!arrived && (arrived.shared ? !arrived.shared.idle() : isTaken || !!arrived.kept)
      const abort = (reason: unknown) => {
        controller.abort(reason)
        // A transport may know nothing of signals.
        if (arrived?.shared) arrived.shared.stop(reason)
        else if (arrived) discard(arrived.raw)
      }
      const abortIfAlone = (patience?: AbortSignal) => {
        if (waiting > 0 || isRead()) return
        const isLate = patience?.aborted && isTimeout(patience.reason)
        abort(isLate ? patience.reason : new DOMException('Nobody waits for this response any more', 'AbortError'))
        land()
      }
      const land = () => {
        underWay.delete(mine)
        if (identity !== undefined && flights.get(identity) === flight) flights.delete(identity)
      }
      const mine = { isRead, abort }
      underWay.add(mine)
      const arrival = send(controller.signal, { onIdle: () => abortIfAlone() })
      const flight: Flight = {
        ...departure,
        arrival,
        // No accessor: V8 keeps one of an object literal, with everything around it, for as long as the code is there.
        arrived: () => arrived,
        join: () => {
          waiting++
        },
        leave(patience) {
          waiting--
          abortIfAlone(patience)
        },
        take: () => {
          isTaken = true
        },
        abort,
      }
      if (identity !== undefined) flights.set(identity, flight)
      arrival.then((landing) => {
        arrived = landing
        if (closing?.all) abort(closing.reason)
        if (landing.kept) landing.kept.then(land, land)
        else land()
      }, land)
      return flight
    },
    hitForMiss: createMemory(),
    resting: createMemory(),
    turning: new Set(),
    close(reason, which) {
      closing = { reason, all: !which }
      for (const one of underWay) if (!which || !one.isRead()) one.abort(reason)
      flights.clear()
    },
  }
}
