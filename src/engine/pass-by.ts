import { fieldValue } from '../http/fields.ts'
import { invalidatedBy, isUnsafe } from '../http/invalidation.ts'
import type { Epoch, LogSelector, Ms } from '../http/message.ts'
import { type Answer, passOn } from './answer.ts'
import type { Core } from './core.ts'
import { either, isDoneWithin, patiently, unlessAborted } from './deadlines.ts'
import { headerList } from './header-list.ts'
import { heed, invalidate } from './invalidate.ts'
import type { Presented } from './presented.ts'
import { receive } from './receive.ts'

/** How long a response to POST that is to be stored waits for its place in the log, in milliseconds. */
const PLACE_MS = 1_000

/**
 * A request that the cache does not answer: sent as it is. An unsafe one that succeeds invalidates before its response is handed over (RFC 9111 §4.4), and a
 * POST whose response says that it is what a GET of its URL would give is stored for that (RFC 9110 §9.3.3).
 */
export const passBy = (given: Presented, cause: 'method' | 'bypass', core: Core): Promise<Answer> =>
  patiently(given, core, async (presented) => {
    const { signal, patience } = presented
    // The deadline ends the request as well, and so does whoever was the last to read a body that is shared.
    const gone = new AbortController()
    const abort = () => gone.abort(patience?.reason)
    patience?.addEventListener('abort', abort)
    try {
      return await send(presented, cause, core, gone, signal ? either(signal, gone.signal) : gone.signal)
    } finally {
      patience?.removeEventListener('abort', abort)
    }
  })

async function send(
  presented: Presented,
  cause: 'method' | 'bypass',
  core: Core,
  gone: AbortController,
  signal: AbortSignal,
): Promise<Answer> {
  const { input, request } = presented
  const { nearcache, ...init } = presented.init
  const carry = nearcache?.fetch ?? core.transport
  const given = typeof input === 'object' && 'method' in input ? input : undefined
  const dispatch = {
    epoch: core.store.epoch(),
    context: core.settings.context,
    sequence: core.nextSequence(),
    requestTime: core.now(),
  }
  const isWrite = cause === 'method' && isUnsafe(request.method)
  const ended = isWrite ? core.write(dispatch.sequence) : undefined
  let raw: Response
  try {
    raw = await unlessAborted(carry(given ?? request.url, { ...init, signal }), presented.patience)
  } finally {
    ended?.()
  }
  heed(raw, presented, core)
  const answer = passOn(raw, request.url, cause, cause)
  if (!isWrite) return answer
  const headers = headerList(raw.headers)
  const selector = invalidatedBy(request, {
    status: raw.status,
    headers,
    reached: raw.redirected ? raw.url : undefined,
  })
  const mayStore =
    request.method === 'POST' &&
    request.cacheMode !== 'no-store' &&
    !(init.integrity ?? given?.integrity) &&
    !raw.redirected &&
    fieldValue(headers, 'content-location') !== undefined
  const waitMs = mayStore ? PLACE_MS : core.settings.diskMs
  if (selector) dispatch.epoch = (await invalidated(selector, dispatch.epoch, waitMs, core)) ?? dispatch.epoch
  if (!mayStore) return answer

  const asked = { kind: 'forward', cause, why: 'method' } as const
  const { shared, kept } = receive(raw, presented, asked, core, dispatch, { onIdle: () => gone.abort() })
  const reader = shared?.open(presented.signal)
  if (!shared || !reader) return answer
  if (kept) core.background(kept)
  return {
    ...answer,
    path: { why: 'method', status: raw.status, stored: kept !== undefined },
    body: { whole: shared.whole, reader },
  }
}

/**
 * Invalidates: in this context at once; the disk is waited for as long as for any answer of it, or until it has given what is to be stored its place after the invalidation.
 *
 * @returns the epoch that the response itself has: what it invalidates is older than it; what others have purged since `departed` is not
 */
async function invalidated(selector: LogSelector, departed: Epoch, waitMs: Ms, core: Core): Promise<Epoch | undefined> {
  const invalidating = invalidate(selector, 'invalidate', core)
  if (!(await isDoneWithin(invalidating, waitMs, core))) return undefined
  const { epoch } = await invalidating
  return epoch.incarnation === departed.incarnation && epoch.number === departed.number + 1 ? epoch : undefined
}
