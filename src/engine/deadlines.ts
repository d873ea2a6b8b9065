import type { Core } from './core.ts'
import type { Presented } from './presented.ts'

/** The work's result, unless the caller aborts or the hard deadline comes first. */
export async function withDeadline<T>(work: Promise<T>, { signal, init, rule }: Presented, core: Core): Promise<T> {
  const hardMs = init.nearcache?.hardMs ?? rule?.hardMs ?? core.settings.hardMs
  const timer = new AbortController()
  let abort = () => {}
  const ends: Promise<T>[] = [work]
  if (signal) {
    ends.push(
      new Promise((_, reject) => {
        abort = () => reject(signal.reason)
        signal.addEventListener('abort', abort)
        if (signal.aborted) abort()
      }),
    )
  }
  if (Number.isFinite(hardMs)) {
    ends.push(
      core.sleep(hardMs, timer.signal).then(
        () => Promise.reject(new DOMException(`No response within ${hardMs} ms (hardMs)`, 'TimeoutError')),
        () => work,
      ),
    )
  }
  try {
    return await Promise.race(ends)
  } finally {
    timer.abort()
    signal?.removeEventListener('abort', abort)
  }
}

/** What `late` gives when `work` takes longer than `ms`; `undefined` when the work is done in time or `late` has nothing to give. */
export async function firstOf<T>(
  work: Promise<unknown>,
  ms: number,
  core: Core,
  late: () => T | undefined,
): Promise<T | undefined> {
  const timer = new AbortController()
  const inTime = await Promise.race([work.then(() => true), core.sleep(ms, timer.signal).catch(() => true)]).finally(
    () => timer.abort(),
  )
  return inTime ? undefined : late()
}

/** How long to wait for the origin with a usable stale response at hand, in milliseconds. */
export const softMsOf = ({ init, rule }: Presented, core: Core): number =>
  init.nearcache?.softMs ?? rule?.softMs ?? core.settings.softMs
