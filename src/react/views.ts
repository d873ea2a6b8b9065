import type { NearCache } from '../engine/api.ts'
import type { EpochMs } from '../http/message.ts'
import type { LookOptions } from './lens.ts'
import { createRequestView, type RequestView, type ViewOptions, type ViewPorts } from './request-view.ts'

export interface ViewsPorts extends ViewPorts {
  /** Where relative URLs start now. */
  base(): string | undefined
}

/** The views of one cache: one for each request that is on the page. */
export interface Views {
  readonly isServer: boolean
  readonly cache: NearCache
  /** The view of a request: the same for everyone who asks for the same. */
  of(input: RequestInfo | URL, options: ViewOptions & LookOptions): RequestView
  /** Another object when another partition is entered, or this one is left; never that of another cache. */
  partition(): object
}

/** How long a view that nobody watches is kept, in milliseconds: while React waits for others, or shows nothing of what it has rendered. */
const UNWATCHED_MS = 30_000

export function createViews(cache: NearCache, ports: ViewsPorts): Views {
  const { clock, isServer } = ports
  const views = new Map<string, RequestView>()
  let partition = {}
  let sweptAt = clock.now()

  // On a server there are others like this one, for as long as they render a page: the cache must not remember them all.
  if (!isServer)
    cache.on(({ type }) => {
      if (!type.startsWith('partition')) return
      partition = {}
      views.clear()
    })

  function sweep(now: EpochMs): void {
    if (now - sweptAt < UNWATCHED_MS) return
    sweptAt = now
    for (const [name, view] of views) if (!view.isBusy() && now - view.touched >= UNWATCHED_MS) views.delete(name)
  }

  function create(input: RequestInfo | URL, options: ViewOptions): RequestView {
    const mine = partition
    return createRequestView(cache, input, options, ports, () => mine !== partition)
  }

  return {
    cache,
    isServer,
    partition: () => partition,
    of(input, { headers, schema, select: _, keepPrevious: __, ...options }) {
      const now = clock.now()
      sweep(now)
      const fields = headers && { headers: [...new Headers(headers)] as [string, string][] }
      const name = JSON.stringify([identityOf(input, ports), fields, !!schema, options])
      const view = views.get(name) ?? create(input, { ...options, ...fields })
      views.set(name, view)
      return Object.assign(view, { touched: now, schema })
    },
  }
}

/** What tells two inputs apart. A relative URL is another one on another page. */
function identityOf(input: RequestInfo | URL, { base }: ViewsPorts): unknown[] {
  if (typeof input === 'object' && 'headers' in input) {
    const { url, headers, credentials, mode, cache, redirect } = input
    return [url, [...headers], credentials, mode, cache, redirect]
  }
  const url = String(input)
  return [url, /^(?:\/|[a-z][a-z0-9+.-]*:)/i.test(url) ? '' : base()]
}
