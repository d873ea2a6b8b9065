import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { Transport } from '../ports/transport.ts'

/** Knows when a response was really asked for. */
export interface Stopwatch {
  readonly transport: Transport
  /**
   * How long ago the request was handed to the network that this response answers: without what it waited for before (a lock, its turn, an attempt that failed), and without time that the
   * machine has slept, where the platform shows it.
   *
   * @param since - what counts for a response that did not come through here
   */
  elapsed(response: Response, since: EpochMs): Ms
}

/** Belongs next to the network, inside of everything that waits. */
export function createStopwatch(clock: Clock, transport: Transport): Stopwatch {
  const sent = new WeakMap<Response, { readonly wall: EpochMs; readonly steady: Ms | undefined }>()
  return {
    async transport(input, init) {
      const moment = { wall: clock.now(), steady: clock.monotonic?.() }
      const response = await transport(input, init)
      sent.set(response, moment)
      return response
    },
    elapsed(response, since) {
      const { wall = since, steady } = sent.get(response) ?? {}
      const passed = clock.now() - wall
      // The wall clock runs on while a machine sleeps, and may be set; the other one does neither on most.
      return Math.max(0, steady === undefined ? passed : Math.min(passed, (clock.monotonic?.() ?? steady) - steady))
    },
  }
}
