import { type Decision, decide, mayServeOnError } from '../http/decide.ts'
import type { StoredRecord } from '../ports/store.ts'
import { type Answer, replay } from './answer.ts'
import type { Accept } from './arrival.ts'
import { ask } from './ask.ts'
import { answersUrl } from './cache-key.ts'
import { type Core, decisionContext } from './core.ts'
import { withDeadline } from './deadlines.ts'
import { discard } from './exchange.ts'
import { passBy } from './pass-by.ts'
import type { Presented } from './presented.ts'
import { refreshBehind } from './refresh.ts'

/**
 * One presented request in, one answer out: look up, decide, act (RFC 9111 §4). A hit in memory is answered at once.
 *
 * @param accept - a last word on a body before it is stored
 * @throws the network's error, the caller's abort reason, a `TimeoutError` at the hard deadline
 */
export function respond(presented: Presented, core: Core, accept?: Accept): Answer | Promise<Answer> {
  presented.signal?.throwIfAborted()
  if (presented.passBy) return passBy(presented, presented.passBy, core)
  const decision = decideNow(presented, core.store.peek(presented.key), core)
  if (!core.settings.durable || (decision.kind !== 'forward' && decision.kind !== 'refuse'))
    return act(decision, presented, core, accept)
  return lookFurther(decision, presented, core, accept)
}

/** What to do with a request, given what is stored under its key. */
export function decideNow(
  presented: Presented,
  record: StoredRecord | undefined,
  core: Core,
  random = core.random,
): Decision {
  const candidates = record?.responses.filter((stored) =>
    answersUrl(stored, presented.request.url, presented.rule?.key ?? core.place.key),
  )
  return decide(presented.request, candidates ?? [], decisionContext(presented, core, random))
}

/** Memory has nothing of use: the disk is asked, and when it hangs, the network starts beside it; the first usable answer wins. */
async function lookFurther(decision: Decision, presented: Presented, core: Core, accept?: Accept): Promise<Answer> {
  const timer = new AbortController()
  const reading = core.store.read(presented.key).then((record) => decideNow(presented, record, core))
  const inTime =
    (await Promise.race([reading, core.sleep(core.settings.diskMs, timer.signal).catch(() => {})])) ??
    // While a busy page kept both waiting, the timer came due first: what the disk has answered meanwhile counts as in time.
    (await Promise.race([reading, core.sleep(0, timer.signal).catch(() => {})]))
  timer.abort()
  if (inTime) return act(inTime, presented, core, accept)

  const late = reading.then((found) =>
    found.kind === 'reuse' || found.kind === 'reuse-and-revalidate'
      ? act(found, presented, core, accept)
      : new Promise<never>(() => {}),
  )
  const flying = (async () => act(decision, presented, core, accept))()
  try {
    const answer = await Promise.race([late, flying])
    flying.then(
      (other) => other !== answer && letGo(other),
      () => {},
    )
    return answer
  } catch (error) {
    presented.signal?.throwIfAborted()
    const found = await withDeadline(reading, presented, core)
    const stored = 'stored' in found ? found.stored : undefined
    const numbers = stored && mayServeOnError(stored, presented.request, decisionContext(presented, core))
    if (!numbers) throw error
    return replay(stored, presented.request, numbers, 'stale-if-error', { why: 'stale' })
  }
}

/** An answer that nobody will have: its body ends, unless others read it. */
function letGo({ body }: Answer): void {
  if ('shared' in body) body.release()
  else if ('raw' in body) discard(body.raw)
}

function act(decision: Decision, presented: Presented, core: Core, accept?: Accept): Answer | Promise<Answer> {
  switch (decision.kind) {
    case 'reuse':
      return fromStore(decision, presented)
    case 'reuse-and-revalidate':
      refreshBehind(decision.stored, presented, core)
      return fromStore(decision, presented)
    case 'validate':
    case 'forward':
      return ask(decision, presented, core, accept)
    case 'refuse':
      return refuse(presented)
    default:
      return decision satisfies never
  }
}

function fromStore(
  { stored, numbers, cause }: Extract<Decision, { kind: 'reuse' | 'reuse-and-revalidate' }>,
  { request }: Presented,
): Answer {
  return replay(stored, request, numbers, cause, 'hit')
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
