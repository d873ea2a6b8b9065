import type { Clock } from 'nearcache'

let aheadMs = 0

/**
 * The wall clock, and how far the presenter has put it forward. The origin's clock goes forward with it, so that a lifetime
 * of a minute can be shown without waiting a minute.
 */
export const clock: Clock = {
  now: () => Date.now() + aheadMs,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        resolve()
      }, ms)
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    }),
}

/** Sets how far the clock is ahead, in milliseconds: as far as the origin's. */
export function putForward(ms: number): void {
  aheadMs = ms
}
