import { isOriginError } from '../http/decide.ts'
import { fraction } from '../http/fraction.ts'
import type { EpochMs, Ms } from '../http/message.ts'
import { retryAfter } from '../http/retry-after.ts'
import type { Clock } from '../ports/clock.ts'
import type { Health } from '../ports/health.ts'
import type { Random } from '../ports/random.ts'
import type { Transport } from '../ports/transport.ts'
import { methodOf, signalOf, urlOf } from './call.ts'

/** When an origin counts as ill, and how it is asked again. */
export interface CircuitLimits {
  /** Failures in a row, 1 or more. @default 5 */
  readonly failures?: number
  /** How long until the first probe, in milliseconds; twice as long after each that fails. @default 1,000 */
  readonly baseMs?: Ms
  /** The longest time between two probes, in milliseconds. @default 60,000 */
  readonly maxMs?: Ms
}

/** What the contexts of a profile tell each other of an origin: a hint, whose loss costs requests and nothing else. */
export interface CircuitNews {
  readonly v: 1
  readonly origin: string
  /** In a row; 0 when it is well. */
  readonly failures: number
  /** Stands for the URL that failed first, and whether another one did too. */
  readonly first?: number | undefined
  readonly isSpread?: boolean | undefined
  /** When its next probe is due; absent as long as it is asked like any other. */
  readonly openUntil?: EpochMs | undefined
  readonly backoffMs?: Ms | undefined
  /** Until when somebody is probing it. */
  readonly probeUntil?: EpochMs | undefined
}

export interface CircuitPorts {
  readonly clock: Clock
  readonly random: Random
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
}

/** An abort after this long without an answer counts as a failure, in milliseconds: an origin that hangs never fails by itself. */
const HUNG_MS = 10_000
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
export function createCircuits({ clock, random, tell }: CircuitPorts, limits: CircuitLimits = {}): Circuits {
  const { failures: threshold = 5, baseMs = 1_000, maxMs = 60_000 } = limits
  const circuits = new Map<string, Circuit>()

  function circuit(name: string, first: number): Circuit {
    const known = circuits.get(name)
    if (known) return known
    if (circuits.size >= MAX_CIRCUITS)
      for (const oldest of [...circuits.keys()].slice(0, MAX_CIRCUITS / 2)) circuits.delete(oldest)
    const closed = { failures: 0, first, isSpread: false, backoffMs: baseMs, probeUntil: 0, quietUntil: 0 }
    circuits.set(name, closed)
    return closed
  }

  /** Whether nothing more can be known from it: long ago, or so far ahead that the clock must have been set back. */
  function isObsolete({ openUntil, quietUntil }: Circuit): boolean {
    const now = clock.now()
    return (
      Math.max(openUntil ?? 0, quietUntil) > now + MAX_WAIT_MS + 2 * maxMs ||
      (openUntil !== undefined && now >= openUntil + FORGET_MS)
    )
  }

  /** Those that a request depends on. */
  function about(url: string): Circuit[] {
    if (circuits.size === 0) return []
    return [url, originOf(url)].flatMap((name) => {
      const one = circuits.get(name)
      if (!one || !isObsolete(one)) return one ?? []
      circuits.delete(name)
      return []
    })
  }

  const share = (origin: string, one?: Circuit) => {
    const { failures = 0, first, isSpread, openUntil, backoffMs, probeUntil } = one ?? {}
    tell?.({ v: 1, origin, failures, first, isSpread, openUntil, backoffMs, probeUntil })
  }

  /** One more failure of what `one` stands for. */
  function fails(one: Circuit, url: string, isUrl: boolean, wait: Ms | undefined): void {
    const now = clock.now()
    one.failures++
    one.isSpread ||= isUrl || one.first !== fraction(url)
    const isOpen = one.openUntil !== undefined
    // What fails before its time is no probe, and says nothing new.
    const isNews = isOpen ? now >= (one.openUntil as EpochMs) : one.failures >= threshold
    if (!one.isSpread || !(isNews || wait !== undefined)) return
    if (isOpen && isNews) one.backoffMs = Math.min(2 * one.backoffMs, maxMs)
    const pause = one.backoffMs * (1 + random() / 4)
    one.openUntil = Math.max(one.openUntil ?? 0, now + Math.max(pause, Math.min(wait ?? 0, MAX_WAIT_MS)))
    one.probeUntil = 0
  }

  function succeeded(url: string): void {
    const origin = originOf(url)
    if (circuits.has(origin)) share(origin)
    circuits.delete(origin)
    circuits.delete(url)
  }

  function failed(url: string, wait: Ms | undefined): void {
    const origin = originOf(url)
    for (const name of [url, origin]) fails(circuit(name, fraction(url)), url, name === url, wait)
    share(origin, circuits.get(origin))
  }

  function asksForQuiet(url: string, wait: Ms): void {
    for (const name of [url, originOf(url)]) {
      const one = circuit(name, fraction(url))
      one.isSpread ||= name === url || one.first !== fraction(url)
      if (one.isSpread) one.quietUntil = clock.now() + Math.min(wait, MAX_WAIT_MS)
    }
  }

  function note(url: string, { status, headers, type }: Response): void {
    if (type === 'opaque' || type === 'opaqueredirect') return
    const wait = status === 429 || status === 503 ? retryAfter(headers.get('retry-after'), clock.now()) : undefined
    if (isOriginError(status)) failed(url, wait)
    else if (status !== 429) succeeded(url)
    else if (wait !== undefined) asksForQuiet(url, wait)
  }

  return {
    health: {
      isIll: (url) => about(url).some(({ openUntil }) => openUntil !== undefined),
      admits(url) {
        const now = clock.now()
        const concerned = about(url)
        const isHeld = ({ openUntil, probeUntil, quietUntil }: Circuit) =>
          now < quietUntil || (openUntil !== undefined && (now < openUntil || now < probeUntil))
        if (concerned.some(isHeld)) return false
        for (const one of concerned) {
          if (one.openUntil === undefined) continue
          one.probeUntil = now + PROBE_MS
          if (circuits.get(originOf(url)) === one) share(originOf(url), one)
        }
        return true
      },
    },
    watch: (transport) => async (input, init) => {
      const method = methodOf(input, init)
      if (method !== 'GET' && method !== 'HEAD') return transport(input, init)
      const [url, sentAt] = [urlOf(input), clock.now()]
      try {
        const response = await transport(input, init)
        note(url, response)
        return response
      } catch (error) {
        if (!signalOf(input, init)?.aborted || clock.now() - sentAt >= HUNG_MS) failed(url, undefined)
        throw error
      }
    },
    hear(message) {
      const now = clock.now()
      const { v, origin, failures, first, isSpread, ...news } = (message ?? {}) as Partial<CircuitNews>
      const { openUntil, backoffMs = baseMs, probeUntil = 0 } = news
      if (v !== 1 || typeof origin !== 'string' || origin.length > 1_000) return
      if (failures === 0) {
        circuits.delete(origin)
        return
      }
      if (![failures, first, openUntil ?? 0, backoffMs, probeUntil].every(Number.isFinite)) return
      const one = circuit(origin, first as number)
      one.failures = Math.max(one.failures, Math.min(failures as number, threshold))
      one.isSpread ||= isSpread === true || one.first !== first
      if (openUntil === undefined) return
      one.openUntil = Math.max(one.openUntil ?? 0, openUntil)
      one.backoffMs = Math.min(Math.max(one.backoffMs, backoffMs), maxMs)
      one.probeUntil = Math.min(probeUntil, now + PROBE_MS)
    },
  }
}

function originOf(url: string): string {
  try {
    return new URL(url).origin
  } catch {
    return url
  }
}
