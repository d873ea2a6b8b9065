import { type Decision, decide, numbersOf } from '../http/decide.ts'
import type { EpochMs, PurgeLog, StoredResponse } from '../http/message.ts'
import { type Reuse, steadyFor } from '../http/steady.ts'
import type { StoredRecord } from '../ports/store.ts'
import { answersUrl } from './cache-key.ts'
import { type Core, decisionContext } from './core.ts'
import { identityOf, isUnderWayOrResting, withoutCaller } from './identity.ts'
import type { Presented } from './presented.ts'

/** For those who only look: a draw by which nothing is ever refreshed early. */
export const never = (): number => 0

const NONE: readonly StoredResponse[] = []

/** A decision, what it rests on beside time, when it was made, and until when it holds. */
interface Steady {
  readonly record: StoredRecord | undefined
  readonly log: PurgeLog
  readonly until: EpochMs
  at: EpochMs
  decision: Reuse
}

/** The last decision about each request, where it holds for longer than a moment. Who asks for the same again and again has the same object for it (`createReader`). */
const steady = new WeakMap<Presented, Steady>()

/** What to do with a request, given what is stored under its key. Decided anew when something else than time has changed, or enough of it has passed. */
export function decideNow(
  presented: Presented,
  record: StoredRecord | undefined,
  core: Core,
  random = core.random,
): Decision {
  const { request, rule } = presented
  const now = core.now()
  const last = steady.get(presented)
  const holds = last && last.record === record && last.log === core.store.log() && now >= last.at && now < last.until
  // All hits of a rendering come at one moment.
  if (holds && now === last.at) return last.decision
  const context = decisionContext(presented, core, random, now, mayRefreshEarly.bind(undefined, presented, core))
  if (holds) {
    const { kind, cause, stored } = last.decision
    last.decision = { kind, cause, stored, numbers: numbersOf(stored, request, context) }
    last.at = now
    return last.decision
  }
  const decision = decide(request, candidatesFor(presented, record, core), context)
  // What a rule grants while an origin is ill is another thing from one moment to the next.
  const forMs = rule?.openCircuitGraceMs ? 0 : steadyFor(decision, request, context.policy)
  if (forMs > 0)
    steady.set(presented, { record, log: context.log, until: now + forMs, at: now, decision: decision as Reuse })
  return decision
}

function candidatesFor(
  { request: { url }, rule }: Presented,
  record: StoredRecord | undefined,
  { place }: Core,
): readonly StoredResponse[] {
  const stored = record?.responses ?? NONE
  // As nearly always: one response, of this very URL.
  return stored.length === 1 && stored[0]?.url === url
    ? stored
    : stored.filter((one) => answersUrl(one, url, rule?.key ?? place.key))
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

export const isReuse = (decision: Decision): decision is Reuse =>
  decision.kind === 'reuse' || decision.kind === 'reuse-and-revalidate'
