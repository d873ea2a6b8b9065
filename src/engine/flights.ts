import type { Epoch, EpochMs } from '../http/message.ts'
import type { Arrival, Landing } from './arrival.ts'

/** Names remembered at most. */
const MAX_REMEMBERED = 1000

/** One request to the origin, and everyone who waits for it. */
export interface Flight {
  readonly epoch: Epoch
  readonly arrival: Promise<Arrival>
  /** One more who waits. Whoever joins leaves once. */
  join(): void
  /** When nobody waits and nobody reads, the request is aborted. */
  leave(): void
  /** Ends it whoever waits: for a response that belongs to one caller alone. */
  abort(reason: unknown): void
}

/** Requests under way, one for a key and the same fields; and what is remembered of those that were of no use. */
export interface Flights {
  under(identity: string): Flight | undefined
  /** Registers before anything is awaited, so that requests of the same moment meet. */
  start(
    identity: string | undefined,
    epoch: Epoch,
    take: (signal: AbortSignal, landing: Landing) => Promise<Arrival>,
  ): Flight
  /** Responses for this identity cannot be shared: who comes next does not wait for another (Varnish: hit-for-miss). */
  hitForMiss: Memory
  /** A background refresh failed: the next one has to wait. */
  resting: Memory
  /** Aborts what is under way, and from then on whatever starts. */
  close(reason: unknown): void
}

/** Remembers names for a while. */
interface Memory {
  until(name: string, moment: EpochMs): void
  has(name: string, now: EpochMs): boolean
}

function createMemory(): Memory {
  const moments = new Map<string, EpochMs>()
  return {
    until(name, moment) {
      if (moments.size >= MAX_REMEMBERED) moments.clear()
      moments.set(name, moment)
    },
    has: (name, now) => now < (moments.get(name) ?? Number.NEGATIVE_INFINITY),
  }
}

export function createFlights(): Flights {
  const flights = new Map<string, Flight>()
  const controllers = new Set<AbortController>()
  let closing: { readonly reason: unknown } | undefined

  return {
    under: (identity) => flights.get(identity),
    start(identity, epoch, take) {
      const controller = new AbortController()
      controllers.add(controller)
      if (closing) controller.abort(closing.reason)
      let waiting = 0
      // Before the head is there nobody can read; a response with a body of its own is its caller's affair.
      let isRead = () => false
      const abortIfAlone = () => {
        if (waiting > 0 || isRead()) return
        controller.abort(new DOMException('Nobody waits for this response any more', 'AbortError'))
        land()
      }
      const land = () => {
        controllers.delete(controller)
        if (identity !== undefined && flights.get(identity) === flight) flights.delete(identity)
      }
      const arrival = take(controller.signal, { onIdle: abortIfAlone })
      const flight: Flight = {
        epoch,
        arrival,
        join: () => {
          waiting++
        },
        leave() {
          waiting--
          abortIfAlone()
        },
        abort: (reason) => controller.abort(reason),
      }
      if (identity !== undefined) flights.set(identity, flight)
      arrival.then(({ kept, shared }) => {
        isRead = () => !shared?.idle()
        if (kept) kept.then(land, land)
        else land()
      }, land)
      return flight
    },
    hitForMiss: createMemory(),
    resting: createMemory(),
    close(reason) {
      closing = { reason }
      for (const controller of controllers) controller.abort(reason)
      flights.clear()
    },
  }
}
