import type { Ms } from '../http/message.ts'
import { createWallClock } from './wall-clock.ts'
import type { Route } from './world-routes.ts'

/** One request to the origin. */
interface Exchange {
  readonly index: number
  readonly seq: number
  readonly path: string
  /** Of what the origin has said; `undefined` before it did, and when it failed. */
  version?: number
  readonly owner: string
  /** Whose it is. */
  readonly user: string
  readonly at: Ms
  /** When its head was there, or it had come to nothing. */
  end?: number
  /** When nothing of it was under way any more. */
  over?: number
  /** Sent by one who waited in vain: nobody else waits for it. */
  readonly isApart: boolean
}

interface Floor {
  readonly mode: 'soft' | 'hard'
  /** Before anything that was asked for later. */
  readonly index: number
  readonly at: Ms
}

/** How long a cache waits for another one, and for its origin with a stale response at hand. */
export interface Patience {
  readonly lockMs: Ms
  readonly softMs: Ms
}

/** For so long after a failure an origin may be taken for ill, in milliseconds: longer than any pause between two probes. */
const FORGIVEN_MS = 600_000

/** A read under way. */
export interface Call {
  readonly context: string
  readonly path: string
  readonly index: number
  readonly at: Ms
  readonly floors: readonly Floor[]
  /** Whose page asks. */
  readonly user: string
}

/** What a world is like, as far as its laws depend on it. */
export interface Circumstances extends Patience {
  /** Whether contexts can wait for each other: else each has flights of its own. */
  readonly hasTurns?: boolean
  /** Whether a page may be shown what belongs to nobody though a user is signed in: a service worker has asked for it without saying who. */
  readonly isSharedWithNobody?: boolean
}

export type Judge = ReturnType<typeof createJudge>

/**
 * Watches a world from outside, as its origin and as its callers, and knows the laws on its own: it shares no code with what it judges.
 *
 * @param now - milliseconds that go on evenly, whatever becomes of the wall clock
 */
export function createJudge(routes: readonly Route[], now: () => Ms, circumstances: Circumstances) {
  const { lockMs, softMs, hasTurns = true, isSharedWithNobody = false } = circumstances
  const broken: string[] = []
  let events = 0
  const exchanges: Exchange[] = []
  const floors = new Map<string, Floor[]>()
  /** By path: the last thing that lets a second request go beside the first. */
  const loosened = new Map<string, { readonly index: number; readonly until: Ms }>()
  /** Reads under way, by who reads what. */
  const calls = new Map<string, Set<Call>>()
  /** Who asks for the origin's own word (`no-cache`), and may not be content with another's. */
  const asking = new Set<string>()
  const clock = createWallClock()
  let wasSetBack = false
  let isDiskIll = false
  /** Since when the origin answers with errors, or not at all. */
  let failing: number | undefined
  let failedUntil = -1
  let failedAt = Number.NEGATIVE_INFINITY

  /** A request beside another one for these paths is allowed at this moment, and beside those that are under way: something was purged, or a context has ended or stopped. */
  function loosen(paths: readonly string[] = routes.map(({ path }) => path), forMs: Ms = 0): void {
    for (const path of paths) loosened.set(path, { index: ++events, until: now() + forMs })
  }

  const demand = (holds: boolean, law: string) => {
    if (!holds) broken.push(law)
  }
  const routeOf = (path: string) => routes.find((one) => one.path === path) as Route

  /** @param isAlone - it waits for nobody: it has been left by whoever signed in, or is not of one mind with the others */
  function sent(seq: number, path: string, owner: string, user = '', isAlone = false): void {
    const loose = loosened.get(path)
    // Who has waited for so long goes itself, whoever has the turn by then.
    const isLate = [...(calls.get(`${owner} ${path}`) ?? [])].some(({ at }) => now() - at >= lockMs)
    const isApart = isAlone || isLate || asking.has(`${owner} ${path}`) || (loose !== undefined && loose.until >= now())
    const next: Exchange = { index: ++events, seq, path, owner, user, at: now(), isApart }
    const { isAsked, isOffDisk } = routeOf(path)
    const isShared = hasTurns && !isOffDisk
    for (const other of exchanges) {
      const isOfOne = other.user === user && (isShared || other.owner === owner)
      const isBeside = other.over === undefined && other.path === path && !isAsked && isOfOne
      const isLoose = isApart || other.isApart || (loose?.index ?? 0) > other.index
      const isAllowed = isDiskIll || isLoose || now() - other.at >= lockMs
      demand(!isBeside || isAllowed, `law 4: #${seq} of ${owner} beside #${other.seq} of ${other.owner} for ${path}`)
    }
    exchanges.push(next)
    if (exchanges.length > 500) exchanges.splice(0, 250)
  }

  function answered(call: Call, body: { path?: unknown; version?: unknown; seq?: unknown; user?: string }): void {
    const { path, context } = call
    const { user = '' } = body
    const { lifetimeMs, swrMs = 0, sieMs = 0, isAsked } = routeOf(path)
    const what = `${context} got version ${body.version} (#${body.seq}) of ${path}`
    demand(body.path === path, `law 6: ${what}, which is of ${body.path}`)
    const isOwn = user === call.user || (isSharedWithNobody && user === '')
    demand(isOwn, `law 5: ${what}, which is ${user || 'nobody'}'s and not ${call.user || 'nobody'}'s`)
    const vouchers = exchanges.filter((one) => one.path === path && one.user === user && one.version === body.version)
    const last = vouchers.at(-1)
    if (!last) return // from before what is remembered
    const isFirstHand = last.index > call.index
    if (isFirstHand) {
      judgePurges(call, body, what)
      return
    }
    // Who has noticed that the clock was set back uses nothing from before unasked; who came later cannot know, and who has joined it before has asked for it.
    const came = [last.index, last.end ?? events] as const
    const isJoined = last.over === undefined || last.over > call.index
    demand(isJoined || !clock.hasNoticed(context, came), `law 1: ${what}, though the clock was set back since`)
    const slackMs = clock.slackBetween(came, [call.index, events])
    const isForgiven = now() - failedAt <= FORGIVEN_MS || wasSetBack
    const mayFail = failing !== undefined || failedUntil >= call.index || now() - call.at >= softMs || isForgiven
    const windowMs = Math.max(swrMs, mayFail ? sieMs : 0)
    demand(!isAsked, `law 1: ${what} without asking`)
    demand(call.at - last.at <= lifetimeMs + windowMs + slackMs, `law 1: ${what}, ${call.at - last.at} ms old`)
    const soft = call.floors.filter(({ mode, index }) => mode === 'soft' && index > last.index)
    for (const { at } of soft)
      demand(call.at - at <= windowMs + slackMs, `law 2: ${what}, softly purged ${call.at - at} ms ago`)
    judgePurges(call, body, what)
  }

  function judgePurges(call: Call, body: { seq?: unknown }, what: string): void {
    const made = exchanges.find(({ seq }) => seq === body.seq)
    const hard = call.floors.filter(({ mode, index }) => mode === 'hard' && made && index > made.index)
    demand(hard.length === 0, `law 2: ${what}, which was purged hard`)
  }

  function ended(seq: number): void {
    const exchange = exchanges.find((one) => one.seq === seq)
    if (!exchange) return
    exchange.over ??= ++events
    exchange.end ??= exchange.over
    loosenIfStale(exchange)
  }

  /** Who waited for what arrives stale asks for itself (RFC 9111 §4.2). */
  function loosenIfStale({ at, path }: Exchange): void {
    if (now() - at >= routeOf(path).lifetimeMs) loosen([path])
  }

  return {
    broken,
    sent,
    answered,
    /** The origin has made up its mind. */
    made(seq: number, version: number) {
      const exchange = exchanges.find((one) => one.seq === seq)
      if (exchange) exchange.version = version
    },
    /** Its head is there: whoever waits decides by it, though its body is still under way. */
    arrived(seq: number) {
      const exchange = exchanges.find((one) => one.seq === seq)
      if (!exchange) return
      exchange.end ??= ++events
      loosenIfStale(exchange)
    },
    /** It came to nothing, or to an error of the origin's. */
    failed(seq: number) {
      failedUntil = ++events
      failedAt = now()
      ended(seq)
    },
    ended,
    starts(context: string, path: string, user = ''): Call {
      const name = `${context} ${path}`
      const call = { context, path, user, index: ++events, at: now(), floors: [...(floors.get(name) ?? [])] }
      calls.set(name, (calls.get(name) ?? new Set()).add(call))
      // Whoever notices that the clock was set back lets nobody have what was asked for before.
      if (clock.looks(context, call.index)) loosen()
      return call
    },
    /** It was answered, or has failed. */
    ends(call: Call) {
      calls.get(`${call.context} ${call.path}`)?.delete(call)
    },
    /** A life of a context begins. */
    begins(context: string) {
      clock.begins(context)
    },
    /** The wall clock was set forward, or back. */
    clockSet(byMs: Ms) {
      clock.set(++events, byMs)
      wasSetBack ||= byMs < 0
    },
    /** Nothing of it goes on: its process has ended. */
    gone(context: string) {
      for (const name of calls.keys()) if (name.startsWith(`${context} `)) calls.delete(name)
    },
    asks(context: string, path: string) {
      asking.add(`${context} ${path}`)
    },
    hasAsked(context: string, path: string) {
      asking.delete(`${context} ${path}`)
    },
    /** The moment before a purge, which what was asked for earlier lies before. */
    moment: () => ++events,
    /** From now on what was asked for before `index` is purged, for these contexts. */
    purged(mode: Floor['mode'], paths: readonly string[], contexts: readonly string[], index: number, at: Ms) {
      for (const path of paths) {
        for (const context of contexts) {
          const all = floors.get(`${context} ${path}`) ?? []
          floors.set(`${context} ${path}`, [...all.slice(-20), { mode, index, at }])
        }
      }
    },
    loosen,
    diskIsIll() {
      isDiskIll = true
    },
    originFails() {
      failing ??= ++events
    },
    originRecovers() {
      if (failing !== undefined) failedUntil = ++events
      failing = undefined
    },
    demand,
  }
}
