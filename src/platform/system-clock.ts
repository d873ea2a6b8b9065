import type { Clock } from '../ports/clock.ts'

/** The wall clock and the platform's timers. A sleep does not keep Node from exiting. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
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
