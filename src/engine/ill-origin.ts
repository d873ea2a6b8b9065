import { type DecisionNumbers, mayServeOnError } from '../http/decide.ts'
import type { StoredResponse } from '../http/message.ts'
import { type Answer, replay } from './answer.ts'
import type { Accept, Asking } from './arrival.ts'
import { type Core, decisionContext } from './core.ts'
import type { Presented } from './presented.ts'
import { refreshBehind } from './refresh.ts'

/**
 * What is stored, in the place of asking an origin that is known to be ill, where an error would allow it (RFC 5861 §4); a probe that is due goes behind. `undefined`: there is nothing to serve, so
 * the origin is asked, as by fetch.
 *
 * @throws an `AbortError` where nothing can be served and its caller has called it background work: that waits for the probe
 */
export function insteadOfAsking(asked: Asking, presented: Presented, core: Core, accept?: Accept): Answer | undefined {
  const { stored, why } = asked
  const { request } = presented
  const numbers = allowedWhileIll(stored, presented, core)
  if (stored && numbers) {
    refreshBehind(stored, presented, core, accept)
    return replay(stored, request, numbers, 'stale-if-error', { why })
  }
  if (presented.isBackground && !core.health.admits(request.url)) throw leftUndone(request.url)
  return undefined
}

/** The numbers of what is stored, where the origin is known to be ill and an error would allow to serve it. */
export const allowedWhileIll = (
  stored: StoredResponse | undefined,
  presented: Presented,
  core: Core,
): DecisionNumbers | undefined =>
  stored && core.health.isIll(presented.request.url)
    ? mayServeOnError(stored, presented.request, decisionContext(presented, core))
    : undefined

/** The error of background work that is dropped. */
export const leftUndone = (url: string): DOMException =>
  new DOMException(
    `${url} was not asked for: nothing is done in the background while the user saves data, does not look, or too much waits, nor at an origin that is ill or asks for quiet (priority: 'background')`,
    'AbortError',
  )
