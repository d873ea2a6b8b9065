import { type Decision, decide } from '../http/decide.ts'
import type { StoredResponse } from '../http/message.ts'
import type { StoredRecord } from '../ports/store.ts'
import { answersUrl } from './cache-key.ts'
import { type Core, decisionContext } from './core.ts'
import { identityOf, isUnderWayOrResting, withoutCaller } from './identity.ts'
import type { Presented } from './presented.ts'

/** For those who only look: a draw by which nothing is ever refreshed early. */
export const never = (): number => 0

const NONE: readonly StoredResponse[] = []

/** What to do with a request, given what is stored under its key. */
export function decideNow(
  presented: Presented,
  record: StoredRecord | undefined,
  core: Core,
  random = core.random,
): Decision {
  const { request, rule } = presented
  const stored = record?.responses ?? NONE
  return decide(
    request,
    // As nearly always: one response, of this very URL.
    stored.length === 1 && stored[0]?.url === request.url
      ? stored
      : stored.filter((one) => answersUrl(one, request.url, rule?.key ?? core.place.key)),
    decisionContext(presented, core, random, () => mayRefreshEarly(presented, core)),
  )
}

/** Whether a refresh that nobody needs yet would be one: not while the key is asked for anyway, and not soon after one that failed. */
function mayRefreshEarly(presented: Presented, core: Core): boolean {
  const identity = identityOf(withoutCaller(presented))
  return (
    identity !== undefined &&
    !isUnderWayOrResting(identity, core) &&
    !core.queue.isQuiet() &&
    !core.health.isIll(presented.request.url)
  )
}

export type Reuse = Extract<Decision, { kind: 'reuse' | 'reuse-and-revalidate' }>

export const isReuse = (decision: Decision): decision is Reuse =>
  decision.kind === 'reuse' || decision.kind === 'reuse-and-revalidate'
