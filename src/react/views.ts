import type { CacheRequestInit, NearCache } from '../engine/api.ts'
import type { Ms } from '../http/message.ts'
import { type As, createRequestView, type RequestView, type ViewPorts } from './request-view.ts'

/** What makes a request another one. */
export interface RequestOptions
  extends Omit<RequestInit, 'body' | 'integrity' | 'keepalive' | 'method' | 'signal' | 'window'> {
  as?: As | undefined
  maxStaleMs?: Ms | undefined
  nearcache?: Omit<NonNullable<CacheRequestInit['nearcache']>, 'onAnswer'>
}

/** The views of one cache: one for each request that is on the page. */
export interface Views {
  readonly cache: NearCache
  /** The view of a request: the same for everyone who asks for the same. */
  of(input: RequestInfo | URL, options: RequestOptions): RequestView
  /** Another object when another partition is entered, or this one is left; never that of another cache. */
  partition(): object
}

/** How long a view that nobody has come to watch is kept, in milliseconds: while React waits for others, or shows nothing of what it has rendered. */
const UNWATCHED_MS = 30_000

export function createViews(cache: NearCache, ports: ViewPorts): Views {
  const { clock, page } = ports
  /** The one that was looked for longest ago comes first. */
  const views = new Map<string, RequestView>()
  const watched = new Set<RequestView>()
  let partition = {}
  let stopListening = () => {}

  cache.on(({ type }) => {
    if (type !== 'partition-entered' && type !== 'partition-left') return
    partition = {}
    // What React had hidden and shows again may be watched beside another one of its name.
    for (const view of new Set([...views.values(), ...watched])) view.reset()
  })

  function sweep(): void {
    const now = clock.now()
    for (const [name, view] of views) {
      if (now - view.touched < UNWATCHED_MS) return
      views.delete(name)
      if (view.isBusy()) touch(name, view)
    }
  }

  function touch(name: string, view: RequestView): RequestView {
    view.touched = clock.now()
    views.delete(name)
    views.set(name, view)
    return view
  }

  return {
    cache,
    partition: () => partition,
    of(input, { as = 'json', maxStaleMs, headers, nearcache, ...rest }) {
      const fields = headers && [...new Headers(headers)]
      const hints = maxStaleMs === undefined ? nearcache : { ...nearcache, maxStaleMs }
      const init = {
        ...rest,
        ...(fields && { headers: fields }),
        ...(hints && { nearcache: hints }),
      } as CacheRequestInit
      const name = JSON.stringify([...identityOf(input, ports), as, init])
      sweep()
      const known = views.get(name)
      if (known) return touch(name, known)
      const given = Object.keys(init).length > 0 ? init : undefined
      return touch(
        name,
        createRequestView(cache, input, given, as, ports, {
          put(view) {
            views.set(name, view)
            if (watched.size === 0)
              stopListening = page.listen((event) => {
                for (const one of watched) one.onPage(event)
              })
            watched.add(view)
          },
          remove(view) {
            if (views.get(name) === view) views.delete(name)
            if (watched.delete(view) && watched.size === 0) stopListening()
          },
        }),
      )
    },
  }
}

/** What tells two inputs apart. A relative URL is another one on another page. */
function identityOf(input: RequestInfo | URL, { base }: ViewPorts): unknown[] {
  if (typeof input === 'object' && 'headers' in input) {
    const { url, headers, credentials, mode, cache, redirect } = input
    return [url, [...headers], credentials, mode, cache, redirect]
  }
  const url = String(input)
  return [url, /^(?:\/|[a-z][a-z0-9+.-]*:)/i.test(url) ? '' : base()]
}
