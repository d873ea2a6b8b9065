import { isTimeout } from '../errors.ts'
import { isOriginError } from '../http/decide.ts'
import { fraction } from '../http/fraction.ts'
import type { EpochMs, Ms } from '../http/message.ts'
import { retryAfter } from '../http/retry-after.ts'
import type { Clock } from '../ports/clock.ts'
import type { Health } from '../ports/health.ts'
import type { Random } from '../ports/random.ts'
import type { Transport } from '../ports/transport.ts'
import { methodOf, originOf, signalOf, urlOf } from './call.ts'

/** When an origin counts as ill, and how it is asked again. */
export interface CircuitLimits {
  /** Failures in a row, 1 or more. @default 5 */
  readonly failures?: number
  /** How long until the first probe, in milliseconds; twice as long after each that fails. @default 1,000 */
  readonly baseMs?: Ms
  /** The longest time between two probes, in milliseconds. @default 60,000 */
  readonly maxMs?: Ms
}

/** What the contexts of a profile tell each other of an origin, or of one of its URLs: a hint, whose loss costs requests and nothing else. */
export interface CircuitNews {
  readonly v: 1
  /** The origin, and for a URL a number that stands for it. */
  readonly name: string
  /** In a row; 0, and nothing else is said, when it is well. */
  readonly failures: number
  /** Stands for the URL that failed first, and whether another one did too. */
  readonly first?: number | undefined
  readonly isSpread?: boolean | undefined
  /** When its next probe is due; absent as long as it is asked like any other. */
  readonly openUntil?: EpochMs | undefined
  readonly backoffMs?: Ms | undefined
  /** Until when somebody is probing it. */
  readonly probeUntil?: EpochMs | undefined
  /** Until when it has asked not to be asked. */
  readonly quietUntil?: EpochMs | undefined
}

export interface CircuitPorts {
  readonly clock: Clock
  readonly random: Random
  /** Whether this device may have a network: then what failed without one says nothing any more. @default always */
  isOnline?(): boolean
  /** Tells the other contexts. Must not throw. */
  tell?(news: CircuitNews): void
}

export interface Circuits {
  readonly health: Health
  /** The same transport, looked at. */
  watch(transport: Transport): Transport
  /** What another context has told, or somebody else: anything. */
  hear(message: unknown): void
}

/** What is known of one URL, or of one origin, since it last answered well. */
interface Circuit {
  failures: number
  /** Stands for the URL that failed first, and, for an origin, whether another one did too: one broken URL says nothing of the others. */
  readonly first: number
  isSpread: boolean
  /** When the next probe is due. Absent: closed. */
  openUntil?: EpochMs | undefined
  backoffMs: Ms
  /** Until when somebody is probing: one that never ends must not keep others out. */
  probeUntil: EpochMs
  /** Until when the origin has asked not to be asked (429): only what nobody waits for is held back. */
  quietUntil: EpochMs
  /** When something of it was learnt last: by a clock that shows less, it has been set back. */
  at: EpochMs
  /** Whether this device was without a network then. */
  isOffline: boolean
}

/** An abort after this long without an answer counts as a failure, in milliseconds: an origin that hangs never fails by itself. */
const HUNG_MS = 10_000
/** The same where it is a deadline that has ended it. One that is shorter says more of the caller than of the origin. */
const LATE_MS = 1_000
/** How far the wall clock may go back before what counts on it is forgotten, in milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000
/** How long a probe keeps others out, in milliseconds: as long as background work may take. */
const PROBE_MS = 30_000
/** `Retry-After` is believed up to here, in milliseconds. */
const MAX_WAIT_MS = 3_600_000
/** After this long beyond the moment of a probe that nobody made, nothing is known any more, in milliseconds. */
const FORGET_MS = 300_000
/** Circuits kept at most. */
const MAX_CIRCUITS = 200

/**
 * One circuit for each URL and one for each origin. Failures in a row open that of the URL; where at least two URLs took part, and nothing of the origin has succeeded meanwhile, that of the origin.
 * An open one lets a single probe through when its time has come, closes with the first success, and otherwise waits twice as long, with a random part on top, so that tabs do not come together.
 *
 * Nothing is refused here. Whoever has something else to answer with asks `health` first; whoever has not goes to the origin, as fetch would, and its success closes the circuit.
 */
export function createCircuits(
  { clock, random, isOnline = () => true, tell }: CircuitPorts,
  limits: CircuitLimits = {},
): Circuits {
  const { failures: threshold = 5, baseMs = 1_000, maxMs = 60_000 } = limits
  const circuits = new Map<string, Circuit>()
  /** For how long something takes: a machine that has slept has not waited. */
  const steady = () => clock.monotonic?.() ?? clock.now()

  /** The circuit of this name, as of now. The one that was touched last is the last to be given up. */
  function circuit(name: string, first: number): Circuit {
    const known = current(name)
    circuits.delete(name)
    if (circuits.size >= MAX_CIRCUITS)
      for (const oldest of [...circuits.keys()].slice(0, MAX_CIRCUITS / 2)) circuits.delete(oldest)
    const one = known ?? {
      failures: 0,
      first,
      isSpread: false,
      backoffMs: baseMs,
      probeUntil: 0,
      quietUntil: 0,
      at: 0,
      isOffline: false,
    }
    one.at = clock.now()
    one.isOffline = !isOnline()
    circuits.set(name, one)
    return one
  }

  /** Whether nothing more can be known from it: long ago, later than now, or without a network where there is one again. */
  function isObsolete({ openUntil, at, isOffline }: Circuit): boolean {
    const now = clock.now()
    return (
      now < at - CLOCK_TOLERANCE_MS ||
      (openUntil !== undefined && now >= openUntil + FORGET_MS) ||
      (isOffline && isOnline())
    )
  }

  function current(name: string): Circuit | undefined {
    const one = circuits.get(name)
    if (!one || !isObsolete(one)) return one
    circuits.delete(name)
    return undefined
  }

  /** Those that a request depends on, by name. */
  function about(url: string): Map<string, Circuit> {
    const known = new Map<string, Circuit>()
    if (circuits.size === 0) return known
    for (const name of namesOf(url)) {
      const one = current(name)
      if (one) known.set(name, one)
    }
    return known
  }

  /** @param one - none when it is well */
  const share = (name: string, one?: Circuit) => {
    const { failures = 0, first, isSpread, openUntil, backoffMs, probeUntil, quietUntil } = one ?? {}
    tell?.({ v: 1, name, failures, first, isSpread, openUntil, backoffMs, probeUntil, quietUntil })
  }

  /** What has happened to a URL, as news of it and of its origin. */
  function learn(url: string, change: (one: Circuit) => void): void {
    const [own, origin] = namesOf(url)
    const first = fraction(url)
    for (const name of [own, origin]) {
      const one = circuit(name, first)
      one.isSpread ||= name === own || one.first !== first
      change(one)
      share(name, one)
    }
  }

  /** How long to leave it alone that has asked for so long: never shorter, and a little longer, since one date may have been told to all. */
  const asLongAs = (wait: Ms): Ms => Math.min(wait, MAX_WAIT_MS) * (1 + random() / 4)

  /** @param wait - how long the origin has asked to be left alone; 0: not at all */
  const failed = (url: string, wait: Ms): void =>
    learn(url, (one) => {
      const now = clock.now()
      one.failures++
      const isOpen = one.openUntil !== undefined
      // What fails before its time is no probe, and says nothing new.
      const isNews = isOpen ? now >= (one.openUntil as EpochMs) : one.failures >= threshold
      if (!one.isSpread || !(isNews || wait > 0)) return
      if (isOpen && isNews) one.backoffMs = Math.min(2 * one.backoffMs, maxMs)
      const pause = isOpen && !isNews ? 0 : one.backoffMs * (1 + random() / 4)
      one.openUntil = Math.max(one.openUntil ?? 0, now + Math.max(pause, asLongAs(wait)))
      one.probeUntil = 0
    })

  const asksForQuiet = (url: string, wait: Ms): void =>
    learn(url, (one) => {
      if (one.isSpread) one.quietUntil = clock.now() + asLongAs(wait)
    })

  function succeeded(url: string): void {
    for (const name of namesOf(url)) if (circuits.delete(name)) share(name)
  }

  function note(url: string, { status, headers, type }: Response): void {
    if (type === 'opaque' || type === 'opaqueredirect') return
    const isAsking = status === 429 || status === 503
    const wait = (isAsking && retryAfter(headers.get('retry-after'), clock.now())) || 0
    if (isOriginError(status)) failed(url, wait)
    else if (status !== 429) succeeded(url)
    else if (wait > 0) asksForQuiet(url, wait)
  }

  return {
    health: {
      isIll: (url) => [...about(url).values()].some(({ openUntil }) => openUntil !== undefined),
      admits(url) {
        const now = clock.now()
        const concerned = about(url)
        const isHeld = ({ openUntil, probeUntil, quietUntil }: Circuit) =>
          now < quietUntil || (openUntil !== undefined && (now < openUntil || now < probeUntil))
        if ([...concerned.values()].some(isHeld)) return false
        for (const [name, one] of concerned) {
          if (one.openUntil === undefined) continue
          one.probeUntil = now + PROBE_MS
          share(name, one)
        }
        return true
      },
    },
    watch: (transport) => async (input, init) => {
      const method = methodOf(input, init)
      if (method !== 'GET' && method !== 'HEAD') return transport(input, init)
      const [url, sentAt] = [urlOf(input), steady()]
      try {
        const response = await transport(input, init)
        note(url, response)
        return response
      } catch (error) {
        const signal = signalOf(input, init)
        if (!signal?.aborted || steady() - sentAt >= (isTimeout(signal.reason) ? LATE_MS : HUNG_MS)) failed(url, 0)
        throw error
      }
    },
    hear(message) {
      const now = clock.now()
      const { v, name, failures, first, isSpread, ...news } = (message ?? {}) as Partial<CircuitNews>
      const { openUntil, backoffMs = baseMs, probeUntil = 0, quietUntil = 0 } = news
      if (v !== 1 || typeof name !== 'string' || name.length > 1_000) return
      if (failures === 0 && first === undefined) {
        circuits.delete(name)
        return
      }
      if (![failures, first, openUntil ?? 0, backoffMs, probeUntil, quietUntil].every(Number.isFinite)) return
      if (Math.max(openUntil ?? 0, quietUntil) > now + 1.25 * MAX_WAIT_MS + 2 * maxMs) return
      const one = circuit(name, first as number)
      one.failures = Math.max(one.failures, Math.min(failures as number, threshold))
      one.isSpread ||= isSpread === true || one.first !== first
      one.quietUntil = Math.max(one.quietUntil, quietUntil)
      if (openUntil === undefined) return
      one.openUntil = Math.max(one.openUntil ?? 0, openUntil)
      one.backoffMs = Math.min(Math.max(one.backoffMs, backoffMs), maxMs)
      one.probeUntil = Math.min(probeUntil, now + PROBE_MS)
    },
  }
}

/** The names of the two circuits that a URL belongs to: its own, by which others cannot tell what was asked for, and its origin's. */
function namesOf(url: string): [own: string, origin: string] {
  const origin = originOf(url)
  return [`${origin} ${fraction(url)}`, origin]
}
