import type { StoredResponse } from '../http/message.ts'
import { type Accept, type Asking, discard, hasFailed } from './arrival.ts'
import { depart, identityOf } from './ask.ts'
import type { Core } from './core.ts'
import { BACKGROUND_MS, isDoneWithin } from './deadlines.ts'
import type { Presented } from './presented.ts'
import { leaveAfter, mayBeShared, newerThan, turnOf } from './turn.ts'

/** How long a background refresh that failed is not tried again, in milliseconds (RFC 5861 §3.1: a failure does not extend the window). */
const RETRY_MS = 5_000

/** Refreshes without anyone waiting: at most one at a time for a key among all contexts, not at once again after a failure, and never without end. */
export function refreshBehind(stored: StoredResponse, presented: Presented, core: Core, accept?: Accept): void {
  const { signal: _, ...init } = presented.init
  const headers = presented.request.headers.filter(([name]) => name !== 'range')
  const behind: Presented = {
    ...presented,
    init,
    signal: undefined,
    request: { ...presented.request, method: 'GET', headers },
  }
  const identity = identityOf(behind)
  const { flights } = core
  if (identity === undefined || flights.under(identity) || flights.resting.has(identity, core.now())) return
  if (!mayBeShared(behind, core)) {
    send(identity, stored, behind, core, accept)
    return
  }
  if (flights.turning.has(identity)) return
  flights.turning.add(identity)
  core.background(
    takeTurn(identity, stored, behind, core)
      .finally(() => flights.turning.delete(identity))
      .then((leave) => leave && send(identity, stored, behind, core, accept, leave)),
  )
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
function send(
  identity: string,
  stored: StoredResponse,
  behind: Presented,
  core: Core,
  accept: Accept | undefined,
  leave = () => {},
): void {
  const { url } = behind.request
  const isValidatable = stored.etag !== undefined || stored.lastModified !== undefined
  const asked = { kind: isValidatable ? 'validate' : 'forward', cause: 'expired', why: 'stale', stored } as Asking
  const flight = depart(identity, behind, asked, core, accept, true)
  flight.arrival.then((arrival) => leaveAfter(arrival, leave, identity, core), leave)
  const rest = () => core.flights.resting.until(identity, core.now() + RETRY_MS)
  const failed = (error: unknown) => {
    rest()
    core.emit({ type: 'failed', url, error }, behind)
  }
  const work = flight.arrival
    .then(async (arrival) => {
      const { raw, kept, shared } = arrival
      if (hasFailed(arrival)) failed(new Error(`${url} answered ${raw?.status}`))
      if (!kept && !shared) discard(raw)
      if (kept) await shared?.whole
      await kept
      // What could not be stored leaves the stale one as it was, and each read would ask anew.
      const isUnchanged = ({ body, sequence }: StoredResponse) =>
        body.id === stored.body.id && sequence === stored.sequence
      const record = core.store.peek(behind.key) ?? (await core.store.read(behind.key))
      if (record?.responses.some(isUnchanged)) rest()
    })
    .catch(failed)
  // Who joined meanwhile may wait on.
  core.background(isDoneWithin(work, BACKGROUND_MS, core).finally(flight.leave))
}
