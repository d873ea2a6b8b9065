import type { EpochMs } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'

/** How far the wall clock may be set back before ages are no longer believed, in milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000

/**
 * The wall clock, watched by the monotonic one where there is one.
 *
 * @param setBack - is called when it was set back, and everything stored looks younger than it is
 */
export function watchedNow(clock: Clock, setBack: (now: EpochMs) => void): () => EpochMs {
  let latest = Number.NEGATIVE_INFINITY
  let looked = 0
  return () => {
    const now = clock.now()
    const passed = clock.monotonic?.(now) ?? 0
    // By now it is at least so late, if nobody has set the wall clock.
    const expected = latest + Math.max(0, passed - looked)
    const isSetBack = now < expected - CLOCK_TOLERANCE_MS
    if (isSetBack || now > latest) {
      latest = now
      looked = passed
    }
    if (isSetBack) setBack(now)
    return now
  }
}
