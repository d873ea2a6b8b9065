import { fieldValue } from '../http/fields.ts'
import { invalidatedBy, isUnsafe } from '../http/invalidation.ts'
import { type Answer, passOn } from './answer.ts'
import type { Core } from './core.ts'
import { headerList } from './header-list.ts'
import { heed, invalidate } from './invalidate.ts'
import type { Presented } from './presented.ts'
import { receive } from './receive.ts'

/**
 * A request that the cache does not answer: sent as it is. An unsafe one that succeeds invalidates before its response is handed over (RFC 9111 §4.4), and a
 * POST whose response says that it is what a GET of its URL would give is stored for that (RFC 9110 §9.3.3).
 */
export async function passBy(presented: Presented, cause: 'method' | 'bypass', core: Core): Promise<Answer> {
  const { input, request } = presented
  const { nearcache: _, ...init } = presented.init
  const asGiven = typeof input === 'object' && 'method' in input ? input : request.url
  const dispatch = {
    epoch: core.store.epoch(),
    context: core.settings.context,
    sequence: core.nextSequence(),
    requestTime: core.now(),
  }
  const raw = await core.transport(asGiven, init)
  heed(raw, presented, core)
  if (cause === 'method' && isUnsafe(request.method)) {
    const selector = invalidatedBy(request, { status: raw.status, headers: headerList(raw.headers) })
    if (selector) dispatch.epoch = (await invalidate(selector, 'invalidate', core)).epoch
    if (
      request.method === 'POST' &&
      !raw.redirected &&
      fieldValue(headerList(raw.headers), 'content-location') !== undefined
    ) {
      const { shared, kept } = receive(raw, presented, { kind: 'forward', cause, why: 'method' }, core, dispatch, {
        onIdle() {},
      })
      if (shared) {
        if (kept) core.background(kept)
        return {
          ...passOn(raw, request.url, cause, 'method'),
          path: { why: 'method', status: raw.status, stored: kept !== undefined },
          body: { shared, release() {} },
        }
      }
    }
  }
  return passOn(raw, request.url, cause, cause)
}
