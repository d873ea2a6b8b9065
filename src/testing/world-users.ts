import type { WorldContext } from './context.ts'

/** Who is signed in where, and whose the database may be: told by those who sign them in and out, and by nobody's code that is judged. */
export interface Users {
  readonly names: readonly string[]
  /** Whoever has signed in last; `''`: nobody. */
  signedIn(): string
  /** Whose page this context is. */
  of(context: string): string
  /** A life of this context begins, for whoever is signed in. */
  begins(context: WorldContext): void
  gone(context: string): void
  /** Signs in, or out, in this context; the others learn of it by themselves. Rejects as `setPartition()` does. */
  sign(context: WorldContext, user: string): Promise<void>
  /** Whether this context has been left by another one's signing in: it then asks for itself. */
  isOutside(context: string): boolean
  /** Whether contexts may be in different partitions now. */
  isMixed(): boolean
  /** The moment, for `mayBe`. */
  moment(): number
  /** Whether the database may have been this user's at some time from that moment to now. */
  mayBe(user: string, since: number): boolean
}

/** @param isFollower - whether this context is in no partition of its own */
export function createUsers(names: readonly string[], isFollower: (context: string) => boolean): Users {
  let events = 0
  let current = ''
  let entering = 0
  /** Whose page each living context is. */
  const claims = new Map<string, string>()
  const outside = new Set<string>()
  /** Whose the database may be, and when each of the others ceased to be possible. */
  const possible = new Set<string>()
  const endedAt = new Map<string, number>()
  /** When the last context ceased to be this user's. */
  const closedAt = new Map<string, number>()

  function close(context: string): void {
    const user = claims.get(context)
    claims.delete(context)
    outside.delete(context)
    if (user) closedAt.set(user, ++events)
  }

  function claim(context: string, user: string): void {
    close(context)
    if (isFollower(context)) return
    claims.set(context, user)
    if (user) possible.add(user)
  }

  /** The database is `user`'s, by what was asked for at `since`: whoever else could not come back meanwhile is gone from it. */
  function entered(user: string, since: number): void {
    const claimed = new Set(claims.values())
    for (const other of possible) {
      if (other === user || claimed.has(other) || (closedAt.get(other) ?? -1) > since) continue
      possible.delete(other)
      endedAt.set(other, ++events)
    }
  }

  return {
    names,
    signedIn: () => current,
    of: (context) => claims.get(context) ?? '',
    begins(context) {
      const { name, cache } = context
      claim(name, current)
      cache.on(({ type }) => {
        if (type === 'partition-left' && context.cache === cache && !isFollower(name)) outside.add(name)
      })
    },
    gone: close,
    async sign(context, user) {
      current = user
      claim(context.name, user)
      const since = ++events
      entering++
      try {
        await context.cache.setPartition(user || undefined)
        entered(user, since)
      } finally {
        entering--
      }
    },
    isOutside: (context) => outside.has(context),
    isMixed() {
      const all = new Set(claims.values())
      const [user] = all
      return entering > 0 || all.size > 1 || [...possible].some((one) => one !== user)
    },
    moment: () => ++events,
    mayBe: (user, since) => user === '' || possible.has(user) || (endedAt.get(user) ?? -1) > since,
  }
}
