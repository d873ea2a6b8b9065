import { fieldValue } from '../http/fields.ts'
import { invalidatedBy, isUnsafe } from '../http/invalidation.ts'
import { type Answer, passOn } from './answer.ts'
import type { Core } from './core.ts'
import { isDoneWithin, patiently, unlessAborted } from './deadlines.ts'
import { headerList } from './header-list.ts'
import { heed, invalidate } from './invalidate.ts'
import type { Presented } from './presented.ts'
import { receive } from './receive.ts'

/** How long a response is held back until the disk knows of the invalidation, in milliseconds. In this context it holds at once. */
const INVALIDATION_MS = 3_000

/**
 * A request that the cache does not answer: sent as it is. An unsafe one that succeeds invalidates before its response is handed over (RFC 9111 §4.4), and a
 * POST whose response says that it is what a GET of its URL would give is stored for that (RFC 9110 §9.3.3).
 */
export const passBy = (given: Presented, cause: 'method' | 'bypass', core: Core): Promise<Answer> =>
  patiently(given, core, (presented) => send(presented, cause, core))

async function send(presented: Presented, cause: 'method' | 'bypass', core: Core): Promise<Answer> {
  const { input, request, signal, patience } = presented
  const { nearcache: _, ...given } = presented.init
  // The deadline ends the request as well, and so does whoever reads the last of a body that is shared.
  const gone = new AbortController()
  const abort = () => gone.abort(patience?.aborted ? patience.reason : signal?.reason)
  for (const one of [signal, patience]) {
    one?.addEventListener('abort', abort, { once: true })
    if (one?.aborted) abort()
  }
  const init = { ...given, signal: gone.signal }
  const asGiven = typeof input === 'object' && 'method' in input ? input : request.url
  const dispatch = {
    epoch: core.store.epoch(),
    context: core.settings.context,
    sequence: core.nextSequence(),
    requestTime: core.now(),
  }
  const raw = await unlessAborted(core.transport(asGiven, init), patience)
  heed(raw, presented, core)
  if (cause === 'method' && isUnsafe(request.method)) {
    const selector = invalidatedBy(request, { status: raw.status, headers: headerList(raw.headers) })
    if (selector) {
      const invalidating = invalidate(selector, 'invalidate', core)
      if (await isDoneWithin(invalidating, INVALIDATION_MS, core)) {
        const { epoch } = await invalidating
        // What it invalidates is older than its own response; what others have purged meanwhile is not.
        const isNext = epoch.incarnation === dispatch.epoch.incarnation && epoch.number === dispatch.epoch.number + 1
        if (isNext) dispatch.epoch = epoch
      }
    }
    if (
      request.method === 'POST' &&
      !raw.redirected &&
      fieldValue(headerList(raw.headers), 'content-location') !== undefined
    ) {
      const { shared, kept } = receive(raw, presented, { kind: 'forward', cause, why: 'method' }, core, dispatch, {
        onIdle: () => gone.abort(),
      })
      const stream = shared?.open(signal)
      if (shared && stream) {
        if (kept) core.background(kept)
        return {
          ...passOn(raw, request.url, cause, 'method'),
          path: { why: 'method', status: raw.status, stored: kept !== undefined },
          body: { whole: shared.whole, stream },
        }
      }
    }
  }
  return passOn(raw, request.url, cause, cause)
}
