import { isOriginError } from '../http/decide.ts'
import type { StoredResponse } from '../http/message.ts'
import { type Accept, type Asking, discard } from './arrival.ts'
import { depart, identityOf } from './ask.ts'
import type { Core } from './core.ts'
import { BACKGROUND_MS, isDoneWithin } from './deadlines.ts'
import type { Presented } from './presented.ts'

/** How long a background refresh that failed is not tried again, in milliseconds (RFC 5861 §3.1: a failure does not extend the window). */
const RETRY_MS = 5_000

/** Refreshes without anyone waiting: at most one at a time for a key, not at once again after a failure, and never without end. */
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
  if (identity === undefined || core.flights.under(identity) || core.flights.resting.has(identity, core.now())) return
  const isValidatable = stored.etag !== undefined || stored.lastModified !== undefined
  const asked = { kind: isValidatable ? 'validate' : 'forward', cause: 'expired', why: 'stale', stored } as Asking
  const flight = depart(identity, behind, asked, core, accept)
  core.emit({ type: 'refreshing', url: presented.request.url, headers })
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
      const isUnchanged = ({ body, sequence }: StoredResponse) =>
        body.id === stored.body.id && sequence === stored.sequence
      const record = core.store.peek(presented.key) ?? (await core.store.read(presented.key))
      if (record?.responses.some(isUnchanged)) rest()
    })
    .catch(failed)
  // Who joined meanwhile may wait on.
  core.background(isDoneWithin(work, BACKGROUND_MS, core).finally(flight.leave))
}
