import type { StoredResponse } from '../http/message.ts'
import { type Accept, type Asking, discard, hasFailed } from './arrival.ts'
import { depart } from './ask.ts'
import type { Core } from './core.ts'
import { BACKGROUND_MS, isDoneWithin } from './deadlines.ts'
import { identityOf, isUnderWayOrResting, withoutCaller } from './identity.ts'
import type { Presented } from './presented.ts'
import { leaveAfter, mayBeShared, newerThan, turnOf } from './turn.ts'

/** How long a background refresh that failed is not tried again, in milliseconds (RFC 5861 §3.1: a failure does not extend the window). */
const RETRY_MS = 5_000

/**
 * Refreshes without anyone waiting: behind what users wait for, at most one at a time for a key among all contexts, not at once again after a failure, not at an origin that is ill (save as its
 * probe), and never without end.
 */
export function refreshBehind(stored: StoredResponse, presented: Presented, core: Core, accept?: Accept): void {
  const behind = withoutCaller(presented)
  const identity = identityOf(behind)
  if (identity === undefined || isUnderWayOrResting(identity, core)) return
  const { url } = presented.request
  const work = async () => {
    // While it waited in the queue, somebody may have seen to it.
    const held = core.store.peek(presented.key)
    const isDone = held && !held.responses.some(isUnchanged(stored))
    if (!isDone && !isUnderWayOrResting(identity, core)) await refreshInTurn(identity, stored, behind, core, accept)
  }
  core.background(core.queue.take(url, identity, work))
}

async function refreshInTurn(
  identity: string,
  stored: StoredResponse,
  behind: Presented,
  core: Core,
  accept?: Accept,
): Promise<void> {
  const { turning } = core.flights
  let refreshing: Promise<unknown> | undefined
  turning.add(identity)
  try {
    const leave = mayBeShared(behind, core) ? await takeTurn(identity, stored, behind, core) : () => {}
    const admitted = leave && (await admit(behind.request.url, core))
    const end = () => {
      admitted?.leave()
      leave?.()
    }
    if (admitted) refreshing = refresh(identity, stored, behind, core, end, accept)
    else end()
  } finally {
    turning.delete(identity)
  }
  await refreshing
}

/**
 * Whether nothing is known that speaks against a request that nobody waits for. An origin that is ill is probed by one context at a time: what they tell each other comes too late for those who look in
 * one moment.
 */
async function admit(url: string, { health, tabs }: Core): Promise<{ leave(): void } | undefined> {
  const turn = health.isIll(url) ? await tabs.turnIfFree(`probe ${new URL(url).origin}`) : undefined
  if (turn === 'busy') return undefined
  if (health.admits(url)) return turn ?? { leave() {} }
  turn?.leave()
  return undefined
}

/** The end of this context's turn to refresh; `undefined` when it need not: another one does, or has. */
async function takeTurn(identity: string, stored: StoredResponse, behind: Presented, core: Core) {
  const turn = await core.tabs.turnIfFree(turnOf(identity, core))
  if (turn === 'busy') return undefined
  const leave = turn ? turn.leave : () => {}
  const isDone = (turn && (await newerThan(stored, behind, core))) || core.flights.under(identity)
  if (!isDone) return leave
  leave()
  return undefined
}

/** @param leave - the end of this context's turn */
function refresh(
  identity: string,
  stored: StoredResponse,
  presented: Presented,
  core: Core,
  leave: () => void,
  accept?: Accept,
): Promise<unknown> {
  const { url } = presented.request
  const isValidatable = stored.etag !== undefined || stored.lastModified !== undefined
  const asked = { kind: isValidatable ? 'validate' : 'forward', cause: 'expired', why: 'stale', stored } as Asking
  const flight = depart(identity, presented, asked, core, accept, true)
  flight.arrival.then((arrival) => leaveAfter(arrival, leave, identity, presented, core), leave)
  core.emit({ type: 'refreshing', url, headers: presented.request.headers, credentials: presented.credentials })
  const rest = () => core.flights.resting.until(identity, core.now() + RETRY_MS)
  const failed = (error: unknown) => {
    rest()
    core.emit({ type: 'failed', url, error }, presented)
  }
  const work = flight.arrival
    .then(async (arrival) => {
      const { raw, kept, shared } = arrival
      if (!kept && !shared) discard(raw)
      if (kept) await shared?.whole
      await kept
      if (hasFailed(arrival)) return failed(new Error(`${url} answered ${raw?.status}`))
      // What could not be stored leaves the stale one as it was, and each read would ask anew.
      const record = core.store.peek(presented.key) ?? (await core.store.read(presented.key))
      const isAsBefore = record?.responses.some(isUnchanged(stored))
      if (raw && (isAsBefore || !kept)) failed(new Error(`${url} answered ${raw.status}, and nothing of it was stored`))
      else if (isAsBefore) rest()
    })
    .catch(failed)
  // Who joined meanwhile may wait on.
  return isDoneWithin(work, BACKGROUND_MS, core).finally(() => flight.leave())
}

const isUnchanged =
  (stored: StoredResponse) =>
  ({ body, sequence }: StoredResponse): boolean =>
    body.id === stored.body.id && sequence === stored.sequence
