import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { Locks } from '../ports/locks.ts'
import type { Tabs, Turn } from '../ports/tabs.ts'

/** For how long waiting is taken to be of no use after a response that could not be shared, and a request to be under way whose turn was left, in milliseconds. */
const REMEMBERED_MS: Ms = 30_000
/** Queues beyond the first. Whoever has waited in all of them goes on without. */
const MAX_RANK = 20
/** Names remembered at most. */
const MAX_NAMES = 1000

export interface TurnsOptions {
  /** The cache's name: caches of different names wait for nobody of each other. */
  readonly name: string
  readonly locks: Locks | undefined
  readonly clock: Clock
  /** How long to wait for a holder before it is taken for frozen or dead. */
  readonly lockMs: Ms
}

export interface Turns extends Pick<Tabs, 'turn' | 'turnIfFree' | 'hasTurns'> {
  /** The page goes where nothing of it runs: what it waits for is waited for anew when it is back. Returns the turns that it gives up in the middle of a request. */
  away(): string[]
  back(): void
  /** Another context has given this turn up; its request may still be under way. */
  leftBy(turn: string): void
  /** Nobody waits for it any more, and for a while nobody will. */
  release(turn: string): void
  /** The name that others know a turn by. */
  nameOf(what: string): string
}

/** Why a wait ends that begins again at once. */
const MOVED = 'moved'

/** What a request for a lock came to. */
type Taken = Turn | 'busy' | undefined

/**
 * Turns by Web Locks. Whoever has waited `lockMs` stands in another queue; the first in that one takes the lock from its holder, so that one that is frozen or slow costs one request
 * more for each `lockMs`, however many wait. A page that goes away leaves its turns to the others: with a lock that they ask for, a browser does not keep it for the way back.
 */
export function createTurns({ name, locks, clock, lockMs }: TurnsOptions): Turns {
  const unshared = new Map<string, EpochMs>()
  const left = new Map<string, EpochMs>()
  const waiting = new Map<string, Set<AbortController>>()
  /** What gives up each lock that is held, and its name. */
  const held = new Map<() => void, string>()
  let isAway = false

  /** Asks for a lock, for `ms` at most. */
  function take(
    lock: string,
    signal: AbortSignal | undefined,
    ms: Ms,
    how: 'wait' | 'if free' | 'steal',
  ): Promise<Taken> {
    return new Promise((resolve) => {
      const patience = new AbortController()
      const stop = () => patience.abort()
      const end = () => {
        patience.abort()
        signal?.removeEventListener('abort', stop)
      }
      const request = locks?.request(
        lock,
        how === 'wait' ? { signal: patience.signal } : how === 'steal' ? { steal: true } : { ifAvailable: true },
        (isGranted) =>
          new Promise<void>((release) => {
            // Granted in the very moment in which nobody waited any more.
            const isWanted = isGranted && !patience.signal.aborted && !isAway
            const leave = () => {
              held.delete(leave)
              release()
            }
            held.set(leave, lock)
            const taken = {
              leave,
              isTakenOver: () => how === 'steal' || isRecent(left, lock),
            }
            resolve(isWanted ? taken : isGranted ? undefined : 'busy')
            end()
            if (!isWanted) leave()
          }),
      )
      const failed = () => {
        end()
        resolve(undefined)
      }
      // Also what it says when somebody takes the lock away: the work goes on.
      request?.catch(failed)
      if (!request) failed()
      signal?.addEventListener('abort', stop)
      if (signal?.aborted) stop()
      // Locks that are out of order never answer, nor heed the signal.
      patience.signal.addEventListener('abort', () => resolve(undefined))
      clock.sleep(ms, patience.signal).then(stop, () => {})
    })
  }

  /**
   * The lock, whoever has it. In each queue one waits for `lockMs` at most; whoever comes to the head of a later one than the first takes the lock from its holder, for which the others of
   * that queue wait in turn.
   */
  async function takeAtLast(lock: string, signal: AbortSignal): Promise<Taken> {
    const first = await take(lock, signal, lockMs, 'wait')
    // Who asks without waiting is answered at once, unless nobody ever is: then there is nothing to wait for.
    if (!first && !(await take(`${lock} 0`, signal, lockMs, 'if free').then(givenBack))) return undefined
    for (let rank = 1; !first && rank <= MAX_RANK && !signal.aborted; rank++) {
      const place = await take(`${lock} ${rank}`, signal, lockMs, 'wait')
      if (!isTurn(place)) continue
      // Whoever stands in a later queue has taken it over not long ago: that one is waited for.
      const beyond = await take(`${lock} ${rank + 1}`, signal, lockMs, 'if free')
      if (isTurn(beyond)) beyond.leave()
      if (beyond === 'busy') {
        place.leave()
        continue
      }
      const taken = await take(lock, undefined, lockMs, 'steal')
      const leave = () => {
        if (isTurn(taken)) taken.leave()
        place.leave()
      }
      return { leave, isTakenOver: () => true }
    }
    return first
  }

  const rest = (signal: AbortSignal) =>
    clock.sleep(lockMs, signal).then(
      () => undefined,
      () => undefined,
    )

  /** Whoever waits begins again. */
  function move(away: boolean): void {
    isAway = away
    for (const those of waiting.values()) for (const one of those) one.abort(MOVED)
  }

  const lockOf = (turn: string) => `nearcache ${name} ${turn}`
  const isRecent = (names: ReadonlyMap<string, EpochMs>, name: string) =>
    clock.now() < (names.get(name) ?? Number.NEGATIVE_INFINITY)
  function remember(names: Map<string, EpochMs>, name: string): void {
    if (names.size >= MAX_NAMES) names.clear()
    names.set(name, clock.now() + REMEMBERED_MS)
  }
  const nameOf = (what: string) => hashOf(what)

  return {
    hasTurns: locks !== undefined,
    nameOf,
    async turn(what, signal) {
      const name = nameOf(what)
      for (;;) {
        if (!locks || isRecent(unshared, name)) return undefined
        signal.throwIfAborted()
        const own = new AbortController()
        const leave = () => own.abort()
        signal.addEventListener('abort', leave)
        const those = waiting.get(name) ?? new Set()
        waiting.set(name, those.add(own))
        try {
          // A page that is away, and runs all the same, waits for no longer than any other.
          const taken = await (isAway ? rest(own.signal) : takeAtLast(lockOf(name), own.signal))
          const turn = isTurn(taken) ? taken : undefined
          if (!signal.aborted && own.signal.reason !== MOVED) return turn
          turn?.leave()
        } finally {
          signal.removeEventListener('abort', leave)
          those.delete(own)
          if (those.size === 0) waiting.delete(name)
        }
      }
    },
    async turnIfFree(what) {
      const turn = nameOf(what)
      if (!locks || isRecent(unshared, turn)) return undefined
      return isAway ? 'busy' : take(lockOf(turn), undefined, lockMs, 'if free')
    },
    away() {
      move(true)
      const given = [...held]
      for (const [leave] of given) leave()
      return given.map(([, lock]) => lock)
    },
    back: () => move(false),
    leftBy: (turn) => remember(left, turn),
    release(turn) {
      remember(unshared, turn)
      for (const one of waiting.get(turn) ?? []) one.abort()
    },
  }
}

/** Gives back what was taken only to see whether there is an answer; whether there was one. */
function givenBack(taken: Taken): boolean {
  if (isTurn(taken)) taken.leave()
  return taken !== undefined
}

const isTurn = (taken: Taken): taken is Turn => typeof taken === 'object'

/** 53 bits of a text (two of Murmur's mixings): names of locks are shown to every script of the origin, and what is asked for may hold credentials. Two texts of one hash only wait for each other. */
function hashOf(text: string): string {
  let [one, other] = [0xdeadbeef, 0x41c6ce57]
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    one = Math.imul(one ^ code, 2654435761)
    other = Math.imul(other ^ code, 1597334677)
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(other ^ (other >>> 13), 3266489909)
  other = Math.imul(other ^ (other >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909)
  return (2 ** 32 * (other & 0x1fffff) + (one >>> 0)).toString(36)
}
