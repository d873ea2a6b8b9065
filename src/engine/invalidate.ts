import { clearsCache } from '../http/clear-site-data.ts'
import type { LogSelector, Ms, PurgeMode } from '../http/message.ts'
import { sameOriginUrl } from '../http/url.ts'
import type { PurgeReceipt } from './api.ts'
import type { Core } from './core.ts'
import type { Presented } from './presented.ts'

/** Adds a purge to the log, and tells. */
export async function invalidate(
  selector: LogSelector,
  mode: PurgeMode,
  core: Core,
  spreadMs?: Ms,
): Promise<PurgeReceipt> {
  const labelled = withLabels(selector, core)
  const writing = core.store.purge({ selector: labelled, mode, at: core.now() }, spreadMs)
  core.background(writing)
  // In force from here on, whatever the disk does; there it may come to have another number.
  const { incarnation, last } = core.store.log()
  const epoch = { incarnation, number: last }
  const event = { type: 'purged', mode, epoch, ...('urls' in selector && { urls: selector.urls }) } as const
  core.emit(spreadMs === undefined ? event : { ...event, spreadMs }, labelled)
  return writing
}

/** The same, with everything that is stored for a URL that means the same. */
const withLabels = (selector: LogSelector, core: Core): LogSelector =>
  'urls' in selector
    ? { ...selector, tags: [...(selector.tags ?? []), ...new Set(selector.urls.flatMap(core.place.keys.labels))] }
    : selector

/** `Clear-Site-Data` from our own origin clears ours too, as a hard purge; not that of another one to which a redirect has led. */
export function heed(raw: Response, { request, sameOrigin }: Presented, core: Core): void {
  const value = raw.headers.get('clear-site-data')
  if (value === null || !sameOrigin || !clearsCache(value) || !sameOriginUrl(raw.url, request.url)) return
  core.background(invalidate({ pattern: `${new URL(request.url).origin}/*` }, 'hard', core))
}
