import { isTimeout } from '../errors.ts'
import type { Core } from './core.ts'
import type { Presented } from './presented.ts'

/** How long work behind may take, in milliseconds: what hangs must not keep its key from being asked for again. */
export const BACKGROUND_MS = 30_000

/** The work's result, unless `signal` aborts first. */
export const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
  signal ? orAborted(work, signal) : work

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
  })
  try {
    return await Promise.race([work, aborted])
  } catch (error) {
    // Whoever goes may end the work with it: its own reason is what it is told.
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/**
 * Does `work` with `patience`: a signal that aborts when the caller does, or at the hard deadline. One deadline for the whole, however many things are waited for on the way.
 *
 * @throws what `work` throws; it ends on its own when the signal aborts
 */
export async function patiently<T>(
  presented: Presented,
  core: Core,
  work: (patient: Presented) => Promise<T>,
): Promise<T> {
  const { signal, init, rule, request } = presented
  const hardMs = init.nearcache?.hardMs ?? rule?.hardMs ?? core.settings.hardMs
  if (!Number.isFinite(hardMs))
    return work(presented.patience || !signal ? presented : { ...presented, patience: signal })
  const [patience, timer] = [new AbortController(), new AbortController()]
  const abort = () => patience.abort(signal?.reason)
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  core.sleep(hardMs, timer.signal).then(
    () =>
      patience.abort(new DOMException(`${request.url} did not answer within ${hardMs} ms (hardMs)`, 'TimeoutError')),
    () => {},
  )
  try {
    return await work({ ...presented, patience: patience.signal })
  } finally {
    timer.abort()
    signal?.removeEventListener('abort', abort)
  }
}

/** Whether the caller wants nothing any more. */
export const hasLeft = ({ signal }: Presented): boolean => signal?.aborted === true && !isTimeout(signal.reason)

/** A signal that aborts with whichever of two aborts first. */
export function either(one: AbortSignal, other: AbortSignal): AbortSignal {
  if (AbortSignal.any) return AbortSignal.any([one, other])
  // Older browsers: the listener stays for as long as the signal lives.
  const both = new AbortController()
  for (const signal of [one, other]) {
    const abort = () => both.abort(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  }
  return both.signal
}

/** Whether the work is done, well or not, within `ms`. */
export async function isDoneWithin(work: Promise<unknown>, ms: number, core: Core): Promise<boolean> {
  const timer = new AbortController()
  const done = () => true
  return Promise.race([work.then(done, done), core.sleep(ms, timer.signal).then(() => false, done)]).finally(() =>
    timer.abort(),
  )
}

/** How long to wait for the origin with a usable stale response at hand, in milliseconds. */
export const softMsOf = ({ init, rule }: Presented, core: Core): number =>
  init.nearcache?.softMs ?? rule?.softMs ?? core.settings.softMs
