import { type Decision, decide, numbersOf } from '../http/decide.ts'
import type { EpochMs, PurgeLog, StoredResponse } from '../http/message.ts'
import { type Reuse, steadyFor } from '../http/steady.ts'
import type { StoredRecord } from '../ports/store.ts'
import type { Answer } from './answer.ts'
import { answersUrl } from './cache-key.ts'
import { type Core, decisionContext } from './core.ts'
import { identityOf, isUnderWayOrResting, withoutCaller } from './identity.ts'
import { isOnlyUrl, type Presented } from './presented.ts'

/** For those who only look: a draw by which nothing is ever refreshed early. */
export const never = (): number => 0

const NONE: readonly StoredResponse[] = []

/** What to do with a request at one moment. Everyone who decides the same at the same moment has the same object, and what was made of it. */
export interface Decided {
  readonly decision: Decision
  /** Of a hit. */
  answer?: Answer | undefined
}

/** A decision, what it rests on beside time, when it was made, and until when it holds. */
interface Steady extends Decided {
  readonly presented: Presented
  readonly log: PurgeLog
  readonly until: EpochMs
  at: EpochMs
  decision: Reuse
}

/**
 * The last decision about each record, where it holds for longer than a moment. Who asks for the same again and again has the same request for it (`createReader`). It goes with the record: what was evicted is held
 * by nobody.
 */
const steady = new WeakMap<StoredRecord, Steady>()

/** What to do with a request, given what is stored under its key. */
export const decideNow = (
  presented: Presented,
  record: StoredRecord | undefined,
  core: Core,
  random = core.random,
): Decision => decidedNow(presented, record, core, random).decision

/**
 * The same, decided anew when something else than time has changed, or enough of it has passed.
 *
 * @param isTimeless - nobody looks at how old it is
 */
export function decidedNow(
  presented: Presented,
  record: StoredRecord | undefined,
  core: Core,
  random = core.random,
  isTimeless = false,
): Decided {
  const { request, rule } = presented
  const now = core.now()
  const last = record && steady.get(record)
  const holds = last?.presented === presented && last.log === core.store.log() && now >= last.at && now < last.until
  // All hits of a rendering come at one moment.
  if (holds && (now === last.at || (isTimeless && last.answer))) return last
  const context = decisionContext(presented, core, random, now, mayRefreshEarly.bind(undefined, presented, core))
  if (holds) {
    const { kind, cause, stored } = last.decision
    last.decision = { kind, cause, stored, numbers: numbersOf(stored, request, context) }
    last.at = now
    last.answer = undefined
    return last
  }
  const decision = decide(request, candidatesFor(presented, record, core), context)
  // What a rule grants while an origin is ill is another thing from one moment to the next.
  const forMs = rule?.openCircuitGraceMs ? 0 : steadyFor(decision, request, context.policy)
  const decided = { decision, answer: undefined, presented, log: context.log, until: now + forMs, at: now }
  // What a caller has given must not stay with the record.
  if (record && forMs > 0 && isOnlyUrl(presented)) steady.set(record, decided as Steady)
  return decided
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
