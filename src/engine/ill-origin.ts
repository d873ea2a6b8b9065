import { mayServeOnError } from '../http/decide.ts'
import { type Answer, replay } from './answer.ts'
import type { Accept, Asking } from './arrival.ts'
import { type Core, decisionContext } from './core.ts'
import type { Presented } from './presented.ts'
import { refreshBehind } from './refresh.ts'

/**
 * What is stored, in the place of asking an origin that is known to be ill, where an error would allow it (RFC 5861 §4); a probe that is due goes behind. `undefined`: there is nothing to serve, so
 * the origin is asked, as by fetch.
 */
export function insteadOfAsking(asked: Asking, presented: Presented, core: Core, accept?: Accept): Answer | undefined {
  const { stored, why } = asked
  if (!stored || !core.health.isIll(presented.request.url)) return undefined
  const numbers = mayServeOnError(stored, presented.request, decisionContext(presented, core))
  if (!numbers) return undefined
  refreshBehind(stored, presented, core, accept)
  return replay(stored, presented.request, numbers, 'stale-if-error', { why })
}
