import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'

/** Says whether work is done, well or not, within `ms`. A page asks for much in one moment: all who begin to wait in the same millisecond share a timer, which ends with the last of them. */
export function createSharedDeadline(ms: Ms, clock: Clock): (work: Promise<unknown>) => Promise<boolean> {
  const done = () => true
  const begin = (at: EpochMs) => {
    const timer = new AbortController()
    return { at, timer, waiting: 0, late: clock.sleep(ms, timer.signal).then(() => false, done) }
  }
  let latest: ReturnType<typeof begin> | undefined
  return async (work) => {
    const at = clock.now()
    if (latest?.at !== at || latest.waiting === 0) latest = begin(at)
    const mine = latest
    mine.waiting++
    const isDone = await Promise.race([work.then(done, done), mine.late])
    if (--mine.waiting === 0) mine.timer.abort()
    return isDone
  }
}
