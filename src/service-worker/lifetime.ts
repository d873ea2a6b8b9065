import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'

/** Whether the work is done, well or not, within `ms`. */
export async function isDoneWithin(work: Promise<unknown>, ms: Ms, clock: Clock): Promise<boolean> {
  const timer = new AbortController()
  const done = () => true
  return Promise.race([work.then(done, done), clock.sleep(ms, timer.signal).then(() => false, done)]).finally(() =>
    timer.abort(),
  )
}

/**
 * The work as an event's lifetime promise: never rejects, and settles after `ms` at the latest, whatever the work does. One that never settles keeps an update of the worker from being activated,
 * with `skipWaiting()` too (Service Workers, Activate: an active worker with pending events).
 */
export const lifetime = (work: Promise<unknown>, ms: Ms, clock: Clock): Promise<boolean> =>
  isDoneWithin(work, ms, clock)

/** The work, which has failed when it is not done within `ms`. */
export async function inTime<T>(work: Promise<T>, ms: Ms, clock: Clock): Promise<T> {
  if (!(await isDoneWithin(work, ms, clock))) throw new DOMException(`It was not done in ${ms} ms`, 'TimeoutError')
  return work
}

/**
 * A response that may take as long as the network takes, unless an update waits for it: then `ms` more, since an event whose response is still to come holds the update up, too.
 *
 * @param isHeldUp - whether an update is waiting
 * @throws what the work throws; a `TypeError`, as a network error, when an update had to wait for too long
 */
export async function unlessHeldUp<T>(work: Promise<T>, ms: Ms, clock: Clock, isHeldUp: () => boolean): Promise<T> {
  while (!(await isDoneWithin(work, ms, clock))) {
    if (isHeldUp()) throw new TypeError('No answer came, and an update of the service worker waits for it')
  }
  return work
}
