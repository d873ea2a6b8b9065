import type { Wired } from '../create-cache.ts'
import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'

/** How long a database that belonged to nobody is taken to be nobody's still, in milliseconds; then it is looked at again, behind. */
const TRUST_MS: Ms = 1_000

/** Knows whose the database is before anything is answered. */
export interface Follower {
  /**
   * Resolves with whether it is known whose the database is now; the cache is then theirs. `false`: nothing stored may be used.
   *
   * A worker outlives the pages of its users, and may have slept. So it looks before its first answer, before each page, and, while a user is signed in, before every answer: their data lie in
   * memory, and a message that they have gone can be lost. What belongs to nobody may be shown to anyone.
   */
  follow(isNavigation: boolean): Promise<boolean> | true
  /** Trusts nothing any more before the database has been looked at. */
  doubt(): void
  /** When this worker last saw that a user was no longer signed in. */
  leftAt(): EpochMs | undefined
}

export function createFollower({ look, core, cache }: Wired, clock: Clock): Follower {
  const partition = () => core().place.partition
  /** When the database was last seen to be nobody's. */
  let seen: EpochMs | undefined
  let isLooking = false
  let doubts = 0
  let whose = partition()
  let leftAt: EpochMs | undefined

  cache.on(({ type }) => {
    if (type !== 'partition-left') return
    if (whose !== '') leftAt = clock.now()
    whose = partition()
  })

  async function lookNow(): Promise<boolean> {
    const asked = clock.now()
    const before = doubts
    const isKnown = await look().catch(() => false)
    // What was doubted meanwhile may have changed after it was read.
    seen = isKnown && doubts === before && partition() === '' ? asked : undefined
    return isKnown
  }

  return {
    follow(isNavigation) {
      if (isNavigation || seen === undefined || partition() !== '') return lookNow()
      if (!isLooking && Math.abs(clock.now() - seen) > TRUST_MS) {
        isLooking = true
        lookNow().finally(() => {
          isLooking = false
        })
      }
      return true
    },
    doubt() {
      doubts++
      seen = undefined
    },
    leftAt: () => leftAt,
  }
}
