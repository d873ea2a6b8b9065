import { fraction } from './fraction.ts'
import type { Ms } from './message.ts'

/** What the early expiry of a fresh response depends on. */
export interface Earliness {
  /** How long it will stay fresh. */
  readonly remaining: Ms
  readonly lifetime: Ms
  /** How long its last revalidation took: a 304 or a 200, whichever came last, never a mean of both. */
  readonly delta: Ms
  /** 1 is the paper's optimum; more refreshes earlier, 0 never by chance. */
  readonly beta: number
  /** How much earlier than others this install begins, in milliseconds. */
  readonly phaseMs: Ms
}

/** −ln(u) for the smallest u that is drawn, 2^−53, rounded up: no draw begins a refresh earlier. */
export const GREATEST_DRAW = 37

/**
 * Whether to refresh before expiry, drawn once per read of a fresh response: `now − β·δ·ln(u) ≥ expiry − phase`, with u in (0, 1] and β·δ at most a quarter of the lifetime.
 *
 * Reads that draw apart begin apart: of many readers of one stored response e^(1/β) on average begin before the first one is done (one, where requests are shared).
 *
 * @see Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, PVLDB 8(8), 2015
 */
export function isEarly({ remaining, lifetime, delta, beta, phaseMs }: Earliness, random: () => number): boolean {
  const scale = Math.min(beta * delta, lifetime / 4)
  const drawn = scale > 0 ? random() : 0
  // Far from expiry, as nearly always, whatever was drawn will not do.
  if (remaining - phaseMs > GREATEST_DRAW * scale) return false
  const lead = -scale * Math.log(1 - drawn)
  return lead >= remaining - phaseMs
}

/**
 * Where in the spread of all installs this one stands: from 0 up to, not including, 1, always the same for one life of a database and evenly spread over many. It separates browsers that
 * have inherited one moment of expiry, which chance at each read does not: whoever reads seldom draws seldom.
 */
export function installShare(incarnation: string): number {
  if (incarnation !== known.incarnation) known = { incarnation, share: fraction(incarnation) }
  return known.share
}

/** The last one, kept: a page has one database, and each read asks. */
let known = { incarnation: '', share: fraction('') }
