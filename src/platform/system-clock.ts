import type { Clock } from '../ports/clock.ts'

/** When the monotonic clock was looked at for a moment of the wall clock, and what it said: in Chromium that look costs as much as the rest of a hit, and thousands come in one millisecond. */
const looked = { at: Number.NaN, passed: 0 }

/** The wall clock and the platform's timers. A sleep does not keep Node from exiting. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic(at) {
    if (at === undefined) return performance.now()
    if (at !== looked.at) {
      looked.passed = performance.now()
      looked.at = at
    }
    return looked.passed
  },
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const abort = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      // Longer delays would overflow to none (HTML, timer initialization steps).
      const timer = setTimeout(wake, Math.min(ms, 2 ** 31 - 1))
      // Node's timers are objects; a browser's are numbers.
      if (typeof timer === 'object') (timer as { unref(): void }).unref()
      signal?.addEventListener('abort', abort, { once: true })
    }),
}
