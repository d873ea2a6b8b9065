import { isOriginError } from '../http/decide.ts'
import type { StoredResponse } from '../http/message.ts'
import { type Accept, type Asking, discard } from './arrival.ts'
import { depart, identityOf } from './ask.ts'
import type { Core } from './core.ts'
import { BACKGROUND_MS, isDoneWithin } from './deadlines.ts'
import type { Presented } from './presented.ts'

/** How long a background refresh that failed is not tried again, in milliseconds (RFC 5861 §3.1: a failure does not extend the window). */
const RETRY_MS = 5_000

/**
 * Refreshes without anyone waiting: when its turn comes, at most one at a time for a key, not at once again after a failure, not at an origin that is ill (save as its probe), and never without
 * end.
 */
export function refreshBehind(stored: StoredResponse, presented: Presented, core: Core, accept?: Accept): void {
  const behind = withoutCaller(presented)
  const identity = identityOf(behind)
  if (identity === undefined || isUnderWayOrResting(identity, core)) return
  const { url } = presented.request
  const work = async () => {
    // While it waited for its turn, somebody may have seen to it.
    const held = core.store.peek(presented.key)
    const isDone = held && !held.responses.some(isUnchanged(stored))
    if (!isDone && !isUnderWayOrResting(identity, core) && core.health.admits(url))
      await refresh(identity, stored, behind, core, accept)
  }
  core.background(core.turns.take(url, identity, work))
}

function refresh(identity: string, stored: StoredResponse, presented: Presented, core: Core, accept?: Accept) {
  const isValidatable = stored.etag !== undefined || stored.lastModified !== undefined
  const asked = { kind: isValidatable ? 'validate' : 'forward', cause: 'expired', why: 'stale', stored } as Asking
  const flight = depart(identity, presented, asked, core, accept)
  const rest = () => core.flights.resting.until(identity, core.now() + RETRY_MS)
  const failed = (error: unknown) => {
    rest()
    core.emit({ type: 'failed', url: presented.request.url, error }, presented)
  }
  const work = flight.arrival
    .then(async ({ raw, kept, shared }) => {
      if (isOriginError(raw.status)) failed(new Error(`${presented.request.url} answered ${raw.status}`))
      if (!kept && !shared) discard(raw)
      if (kept) await shared?.whole
      await kept
      // What could not be stored leaves the stale one as it was, and each read would ask anew.
      const record = core.store.peek(presented.key) ?? (await core.store.read(presented.key))
      if (record?.responses.some(isUnchanged(stored))) rest()
    })
    .catch(failed)
  // Who joined meanwhile may wait on.
  return isDoneWithin(work, BACKGROUND_MS, core).finally(flight.leave)
}

const isUnchanged =
  (stored: StoredResponse) =>
  ({ body, sequence }: StoredResponse): boolean =>
    body.id === stored.body.id && sequence === stored.sequence

/** Whether a refresh that nobody needs yet would be one: not while the key is asked for anyway, and not soon after one that failed. */
export function mayRefreshEarly(presented: Presented, core: Core): boolean {
  const identity = identityOf(withoutCaller(presented))
  return (
    identity !== undefined &&
    !isUnderWayOrResting(identity, core) &&
    !core.turns.isQuiet() &&
    !core.health.isIll(presented.request.url)
  )
}

const isUnderWayOrResting = (identity: string, { flights, now }: Core): boolean =>
  flights.under(identity) !== undefined || flights.resting.has(identity, now())

/** The same request for the whole representation, with nobody who waits for it. */
function withoutCaller(presented: Presented): Presented {
  const { signal: _, ...init } = presented.init
  const headers = presented.request.headers.filter(([name]) => name !== 'range')
  return {
    ...presented,
    init: { ...init, priority: 'low' },
    signal: undefined,
    request: { ...presented.request, method: 'GET', headers },
  }
}
