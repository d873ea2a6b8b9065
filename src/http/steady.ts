import { MAX_AGE } from './current-age.ts'
import type { Decision, DecisionPolicy } from './decide.ts'
import { GREATEST_DRAW } from './early-expiry.ts'
import type { Ms, PresentedRequest } from './message.ts'

/** A decision to serve what is stored. */
export type Reuse = Extract<Decision, { kind: 'reuse' | 'reuse-and-revalidate' }>

/**
 * For how long a decision holds when nothing but time changes: until then `decide` gives the same with other numbers, whatever is drawn. 0 for all that is not plainly fresh, asked for in the plainest way, and far from
 * its early expiry.
 */
export function steadyFor(decision: Decision, { cacheMode, headers }: PresentedRequest, policy?: DecisionPolicy): Ms {
  if (decision.cause !== 'fresh' || cacheMode !== 'default' || headers.length > 0) return 0
  const { numbers, stored } = decision as Reuse
  const { ageMs, lifetimeMs, phaseMs = 0 } = numbers
  const lead = GREATEST_DRAW * Math.min((policy?.beta ?? 0) * stored.delta, lifetimeMs / 4)
  return Math.max(0, Math.min(lifetimeMs, MAX_AGE) - ageMs - phaseMs - lead)
}
