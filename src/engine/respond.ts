import { type Cause, type Decision, isOriginError, mayServeOnError } from '../http/decide.ts'
import type { Reuse } from '../http/steady.ts'
import { type Answer, replay } from './answer.ts'
import { type Accept, discard } from './arrival.ts'
import { ask, OVERTAKEN } from './ask.ts'
import { type Core, decisionContext } from './core.ts'
import { BACKGROUND_MS, either, hasLeft, isDoneWithin, patiently, softMsOf, unlessAborted } from './deadlines.ts'
import { decidedNow, decideNow, isReuse } from './decide-now.ts'
import { orFallback } from './fallback.ts'
import { insteadOfAsking, leftUndone } from './ill-origin.ts'
import { passBy } from './pass-by.ts'
import type { Presented } from './presented.ts'
import { refreshBehind } from './refresh.ts'

/**
 * One presented request in, one answer out: look up, decide, act (RFC 9111 §4). A hit in memory is answered at once.
 *
 * @param accept - a last word on a body before it is stored
 * @param isTimeless - nobody looks at the answer's numbers and fields: those of an earlier hit will do
 * @throws the network's error, the caller's abort reason, a `TimeoutError` at the hard deadline
 */
export function respond(
  presented: Presented,
  core: Core,
  accept?: Accept,
  isTimeless = false,
): Answer | Promise<Answer> {
  presented.signal?.throwIfAborted()
  if (presented.passBy) return passBy(presented, presented.passBy, core)
  const doubt = core.store.doubt()
  const held = core.store.peek(presented.key)
  const decided = decidedNow(presented, held, core, core.random, isTimeless)
  const { decision } = decided
  if (!doubt && isReuse(decision)) {
    decided.answer ??= serve(decision, presented, core, accept)
    return decided.answer
  }
  return respondInTime(decision, doubt, presented, core, accept)
}

/** What memory alone cannot answer: as long as its deadline allows, and in its turn. */
function respondInTime(
  decision: Decision,
  doubt: Promise<unknown> | undefined,
  presented: Presented,
  core: Core,
  accept?: Accept,
): Promise<Answer> {
  const further = (patient: Presented) =>
    orFallback(patient, core, () =>
      doubt ? beyondDoubt(doubt, patient, core, accept) : goFurther(decision, patient, core, accept),
    )
  if (presented.init.nearcache?.priority !== 'background') return patiently(presented, core, further)
  return patiently(presented, core, (patient) =>
    inQueue(patient, core, () => respond(withoutPriority(patient), core, accept)),
  )
}

/** Waits until it is known what others have purged, as long as for any answer of the disk; what is still in doubt then is validated. */
async function beyondDoubt(
  doubt: Promise<unknown>,
  presented: Presented,
  core: Core,
  accept?: Accept,
): Promise<Answer> {
  const isKnown = await unlessAborted(core.isInTime(doubt), presented.patience)
  const decision = decideNow(presented, core.store.peek(presented.key), core)
  return goFurther(decision, isKnown ? presented : { ...presented, isDiskLate: true }, core, accept)
}

/**
 * Work that its caller has called background waits for its turn behind the refreshes of its origin, and is decided anew when that has come.
 *
 * @throws an `AbortError` when it is dropped: on Save-Data, in a page that is hidden, when too much waits, and at an origin that is ill
 */
async function inQueue(presented: Presented, core: Core, work: () => Answer | Promise<Answer>): Promise<Answer> {
  const { patience, request } = presented
  let answer: Promise<Answer> | undefined
  const turn = core.queue.take(request.url, undefined, async () => {
    if (patience?.aborted) return
    answer = (async () => work())()
    // One that hangs must not keep its turn from the others.
    await isDoneWithin(answer, BACKGROUND_MS, core)
  })
  const begun = await unlessAborted(turn, patience).then(
    () => answer,
    (error: unknown) => {
      // Once its turn has come, it knows by itself what to answer when patience ends: what is stale, or a fallback.
      if (answer) return answer
      throw error
    },
  )
  if (begun) return begun
  throw leftUndone(request.url)
}

/** The same, sent as what it is (Fetch, request priority), with its turn come; its deadline goes on. */
const withoutPriority = ({ init, ...presented }: Presented): Presented => ({
  ...presented,
  isBackground: true,
  init: {
    ...init,
    priority: 'low',
    nearcache: { ...init.nearcache, priority: 'user', hardMs: Number.POSITIVE_INFINITY },
  },
})

/** Memory has nothing fresh; where it has nothing at all, the disk may have. When a purge comes between, everything starts anew. */
async function goFurther(decision: Decision, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  try {
    return core.settings.durable && (decision.kind === 'forward' || decision.kind === 'refuse')
      ? await lookFurther(decision, presented, core, accept)
      : await act(decision, presented, core, accept)
  } catch (error) {
    if (error !== OVERTAKEN) throw error
    return goFurther(decideNow(presented, core.store.peek(presented.key), core), presented, core, accept)
  }
}

/** The disk is asked, and when it hangs, the network starts beside it; the first usable answer wins. */
async function lookFurther(decision: Decision, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  const { patience } = presented
  const reading = unlessAborted(
    core.store.read(presented.key).then((record) => decideNow(presented, record, core)),
    patience,
  )
  const isThere =
    decision.kind === 'refuse' || // there is nothing to start beside it
    (!presented.isDiskLate && (await core.isInTime(reading))) ||
    // While a busy page kept both waiting, the timer came due first: what the disk has answered meanwhile counts as in time.
    (await isDoneWithin(reading, 0, core))
  if (isThere) return act(await reading, presented, core, accept)

  const losing = new AbortController()
  const hurried = {
    ...presented,
    isDiskLate: true,
    patience: patience ? either(patience, losing.signal) : losing.signal,
  }
  const flying = (async () => act(decision, hurried, core, accept))()
  const outcome = flying.then(
    (answer) => (isOriginError(answer.status) ? undefined : answer),
    () => undefined,
  )
  const first = await Promise.race([reading, outcome])
  if (first && 'status' in first) return first
  const found = await reading
  const late = await insteadOf(flying, found, presented, core, accept)
  if (!late) return flying
  // Nobody waits for the network any more; what it brings is stored all the same, if it comes in time.
  const leaving = flying.then(letGo, () => {})
  core.background(isDoneWithin(leaving, BACKGROUND_MS, core).then(() => losing.abort()))
  return late
}

/** What the disk has to offer while the network is asked, or has failed. */
async function insteadOf(
  flying: Promise<Answer>,
  found: Decision,
  presented: Presented,
  core: Core,
  accept?: Accept,
): Promise<Answer | undefined> {
  if (isReuse(found)) return serve(found, presented, core, accept)
  const stored = 'stored' in found ? found.stored : undefined
  const serveStale = (cause: Cause, status?: number) => {
    const numbers = stored && mayServeOnError(stored, presented.request, decisionContext(presented, core))
    return numbers && replay(stored, presented.request, numbers, cause, { why: 'stale', ...(status && { status }) })
  }
  if (!serveStale('stale-if-error')) return undefined
  if (!(await isDoneWithin(flying, softMsOf(presented, core), core))) return serveStale('soft-deadline')
  return flying.then(
    ({ status }) => (isOriginError(status) ? serveStale('stale-if-error', status) : undefined),
    () => (hasLeft(presented) ? undefined : serveStale('stale-if-error')),
  )
}

/** An answer that nobody will have: its body ends when it is whole, or can not be stored. */
export async function letGo({ body }: Answer): Promise<void> {
  if ('raw' in body) discard(body.raw)
  if (!('reader' in body)) return
  await body.whole.catch(() => {})
  body.reader.leave()
}

function act(decision: Decision, presented: Presented, core: Core, accept?: Accept): Answer | Promise<Answer> {
  switch (decision.kind) {
    case 'reuse':
    case 'reuse-and-revalidate':
      return serve(decision, presented, core, accept)
    case 'validate':
    case 'forward':
      return insteadOfAsking(decision, presented, core, accept) ?? ask(decision, presented, core, accept)
    case 'refuse':
      return refuse(presented)
    default:
      return decision satisfies never
  }
}

function serve({ kind, stored, numbers, cause }: Reuse, presented: Presented, core: Core, accept?: Accept): Answer {
  if (kind === 'reuse-and-revalidate') refreshBehind(stored, presented, core, accept)
  return replay(stored, presented.request, numbers, cause, 'hit')
}

/** `only-if-cached` without a stored response: 504 for the directive (RFC 9111 §5.2.1.7), a network error for the mode (Fetch). */
function refuse({ request }: Presented): Answer {
  if (request.cacheMode === 'only-if-cached')
    throw new TypeError(`${request.url} is not stored, and the cache mode is only-if-cached`)
  return {
    cause: 'only-if-cached',
    path: 'refused',
    status: 504,
    statusText: 'Gateway Timeout',
    headers: () => [],
    facts: { url: request.url, type: 'default', redirected: false },
    body: { bytes: null },
  }
}
