import type { EpochMs } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { StoreNotice } from '../ports/store.ts'

/** A failure of storage of one kind is told once in this time, in milliseconds. */
const QUIET_MS = 60_000

/** Passes notices on; of failures of one kind only some, since a disk that is ill for long must not flood who listens. */
export function quietNotices(clock: Clock, tell: (notice: StoreNotice) => void): (notice: StoreNotice) => void {
  const told = new Map<string, EpochMs>()
  return (notice) => {
    if (notice.type === 'store-failed') {
      const kind = `${notice.operation} ${(notice.error as Partial<Error> | undefined)?.name}`
      const now = clock.now()
      if (Math.abs(now - (told.get(kind) ?? Number.NEGATIVE_INFINITY)) < QUIET_MS) return
      told.set(kind, now)
    }
    tell(notice)
  }
}
