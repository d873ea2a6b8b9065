import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'

/** A clock that stands still until a test moves it. */
export interface VirtualClock extends Clock {
  /**
   * Lets `ms` milliseconds pass: runs the sleeps that fall due, in the order of their moments, each at its own moment. Before the first, after
   * each and at the end, everything that does not wait for time settles. Calls that overlap run one after another.
   *
   * @param ms - 0 or more; 0 runs what is due now
   * @throws RangeError when `ms` is negative or no number: to set the clock back, see `set`
   */
  advance(ms: Ms): Promise<void>
  /** Sets the wall clock, forward or back, as a user or NTP does: no time passes and no sleep runs; what sleeps keeps its remaining time. */
  set(now: EpochMs): void
  /** Lets everything that does not wait for time come to rest, without moving it: promises, streams, and an IndexedDB that lives in memory. */
  settle(): Promise<void>
  /** How many sleeps are under way: what has ended or was aborted is none, so a test can see that no timer was left behind. */
  readonly sleeping: number
}

interface Sleep {
  readonly due: Ms
  wake(): void
}

/** 2026-01-01T00:00:00Z, a Thursday: where a virtual clock starts by default. */
const DEFAULT_START = Date.UTC(2026, 0, 1)

/**
 * How many turns of the event loop count as "come to rest". Streams need one or two; opening an IndexedDB that lives in memory and writing to it
 * takes about a dozen, one for each request in it.
 */
const TURNS = 32

/**
 * A virtual clock, for `createCache({ clock })` and for a scripted origin. Nothing sleeps for real.
 *
 * Keep the timers of your test runner real, or fake them without `setImmediate`: an IndexedDB in memory runs on that.
 *
 * @param start - the wall clock's first moment; by default 2026-01-01T00:00:00Z
 * @example
 * const clock = virtualClock()
 * const cache = createCache({ clock, fetch: origin.fetch })
 * await clock.advance(60_000) // one minute later
 */
export const virtualClock = (start: EpochMs = DEFAULT_START): VirtualClock => clockThatRests(settle, start)

/** A virtual clock for which `settle` says when everything that does not wait for time has come to rest. */
export function clockThatRests(settle: () => Promise<void>, start: EpochMs = DEFAULT_START): VirtualClock {
  // Sleeps are measured on a clock of their own, which the wall clock only follows: setting the wall clock must not move them.
  let elapsed: Ms = 0
  let wallStart = start
  let sleeps: Sleep[] = []
  let advancing: Promise<void> = Promise.resolve()

  async function run(ms: Ms): Promise<void> {
    const end = elapsed + ms
    await settle()
    for (let next = earliest(); next && next.due <= end; next = earliest()) {
      elapsed = Math.max(elapsed, next.due)
      next.wake()
      await settle()
    }
    elapsed = end
    await settle()
  }

  /** The first of those that are due first: sleeps of one moment wake in the order in which they began. */
  const earliest = (): Sleep | undefined =>
    sleeps.reduce<Sleep | undefined>((first, sleep) => (first && first.due <= sleep.due ? first : sleep), undefined)

  return {
    now: () => wallStart + elapsed,
    monotonic: () => elapsed,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const leave = () => {
          sleeps = sleeps.filter((other) => other !== sleep)
          signal?.removeEventListener('abort', abort)
        }
        const abort = () => {
          leave()
          reject(signal?.reason)
        }
        const sleep: Sleep = {
          due: elapsed + Math.max(0, ms || 0),
          wake() {
            leave()
            resolve()
          },
        }
        sleeps.push(sleep)
        signal?.addEventListener('abort', abort)
      })
    },
    advance(ms) {
      if (!(ms >= 0 && Number.isFinite(ms)))
        return Promise.reject(new RangeError(`advance() takes milliseconds, 0 or more, not ${ms}`))
      advancing = advancing.then(() => run(ms))
      return advancing
    },
    set(now) {
      wallStart = now - elapsed
    },
    settle,
    get sleeping() {
      return sleeps.length
    },
  }
}

const settle = (): Promise<void> => turnsOfTheLoop(TURNS)

export async function turnsOfTheLoop(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await turnOfTheLoop()
}

// Taken when this file is loaded, so that a test runner that fakes timers later does not stop the event loop for us.
const { setImmediate: immediately, MessageChannel: Channel } = globalThis as {
  setImmediate?: (callback: () => void) => unknown
  MessageChannel: typeof MessageChannel
}

/** Resolves in another task of the event loop, after all promise jobs of this one. */
function turnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => {
    if (immediately) {
      immediately(resolve)
      return
    }
    const { port1, port2 } = new Channel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
