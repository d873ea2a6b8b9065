import { parseHttpDate } from '../http/http-date.ts'
import type { EpochMs, Ms, PurgeLog } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { Transport } from '../ports/transport.ts'
import { isDoneWithin } from './lifetime.ts'
import type { FetchEvent } from './scope.ts'

/** Fields that make a request another one than the browser's own. */
const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-range', 'range']

/** How old what the browser has asked for ahead may be by its `Date`, and how long ago the last purge and the last sign-out must be, to be taken for the origin's word; in milliseconds. */
const NEW_MS: Ms = 5_000

/**
 * Whether a response can only have come from the origin just now. What the browser asks for ahead of a navigation may be an old copy of its own cache, and nothing says so: of what was purged, or
 * of another user. Where the clocks of origin and browser differ nothing is taken for new, which costs a request.
 */
export function isJustMade(
  { headers }: Pick<Response, 'headers'>,
  now: EpochMs,
  { purges }: PurgeLog,
  leftAt: EpochMs | undefined,
): boolean {
  const date = parseHttpDate(headers.get('date') ?? '', now)
  const isNew = (at: EpochMs | undefined) => at !== undefined && Math.abs(now - at) <= NEW_MS
  return isNew(date) && !isNew(purges.at(-1)?.at) && !isNew(leftAt)
}

/** How long what the browser asks for ahead is waited for, in milliseconds: Firefox never says what became of some. */
const AHEAD_MS: Ms = 5_000

/** What the browser has asked for ahead of a navigation, if anything came of it in time. */
async function ahead(preload: Promise<Response | undefined>, clock: Clock): Promise<Response | undefined> {
  if (!(await isDoneWithin(preload, AHEAD_MS, clock))) return undefined
  const early = await preload.catch(() => undefined)
  // Firefox resolves with a network error, where it should reject.
  return early?.type === 'error' ? undefined : early
}

/** Carries what the cache sends for one event, and remembers what came of it. */
export interface Carry {
  /** For the cache: sends what it wants to be sent, as nearly as the browser would have sent it. */
  readonly fetch: Transport
  /** The request as the browser would have sent it without a worker. */
  asIs(): Promise<Response>
  /**
   * The same with a look at the origin, and not out of the browser's own cache alone: that may hold what was purged, where nobody can tell. A mode by which the page asks the origin stays.
   *
   * @param cache - how the browser's own cache is passed; by default it is asked to validate
   */
  asNew(cache?: 'no-cache' | 'reload'): Promise<Response>
  /** Whether an error is the network's answer to the request without conditions of ours: then it is not asked again. */
  isFinal(error: unknown): boolean
  /**
   * The browser's own response, where the cache only passes it on. It goes on without the worker, and a redirected one keeps the URL that it came from, from which a style sheet's or a module's own
   * URLs start. `undefined`: the response is one of the cache's.
   */
  untouched(response: Response): Response | undefined
}

/**
 * The transport of one event. A navigation is sent untouched, since a changed one is none any more (Fetch, new Request), or is the one that the browser has sent ahead (navigation preload), which
 * must not be in vain where it brings the origin's word. Where the browser's own cache is not to answer it, it is built anew: the page is the same, redirects are the browser's to follow, and only
 * what the origin learns of the kind of request differs. Anything else keeps its mode and referrer; with conditions of ours it must be of a mode that lets them through.
 */
export function carry(
  { request, preloadResponse }: Pick<FetchEvent, 'request' | 'preloadResponse'>,
  fetch: Transport,
  clock: Clock,
  isNew: (response: Response) => boolean,
): Carry {
  const isNavigation = request.mode === 'navigate'
  let preload = isNavigation && preloadResponse ? ahead(preloadResponse, clock) : undefined
  let final: unknown
  let raw: Response | undefined
  let redirected: Response | undefined

  /** Whether there are no conditions of ours. */
  const isOnlyTheirs = (headers: Headers) => !CONDITIONS.some((name) => headers.has(name) && !request.headers.has(name))

  /** What fails here is the network's word, and not asked for again. */
  async function lastly<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      final = error
      throw error
    }
  }

  async function asIs(): Promise<Response> {
    const early = await preload
    preload = undefined
    return early ?? lastly(fetch(request))
  }

  const asNew: Carry['asNew'] = (wanted = 'no-cache') => {
    const { headers, signal, cache } = request
    return lastly(send({ headers, signal, cache: cache === 'default' || cache === 'force-cache' ? wanted : cache }))
  }

  async function send(init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers)
    const { cache = 'default', signal = null } = init
    const isConditional = CONDITIONS.some((name) => headers.has(name))
    // A part that is asked for without CORS cannot be asked for in another way (Fetch, request-no-cors guard).
    const isPart = isConditional && isOnlyTheirs(headers) && request.mode === 'no-cors' && request.redirect === 'follow'
    if (isPart && cache === 'default') return fetch(request)
    if (isNavigation) {
      const early = isConditional || cache !== 'default' ? await preload : undefined
      if ((early && isNew(early)) || (!isConditional && cache === 'default')) return asIs()
      early?.body?.cancel().catch(() => {})
      preload = undefined
    } else if (!isConditional) return fetch(new Request(request, { cache, signal }))
    const response = await fetch(request.url, {
      headers,
      cache,
      signal,
      credentials: isNavigation || request.mode === 'no-cors' ? 'same-origin' : request.credentials,
      redirect: isPart ? 'manual' : request.redirect,
      referrer: request.referrer,
      referrerPolicy: request.referrerPolicy,
    })
    // Where it leads, perhaps to another origin, only the browser's own request may go.
    return isPart && response.type === 'opaqueredirect' ? fetch(request) : response
  }

  return {
    asIs,
    asNew,
    isFinal: (error) => error !== undefined && error === final,
    untouched(response) {
      if (raw && response.body === raw.body) return raw
      if (!response.redirected || !redirected) return undefined
      // The store has the other half, and reads it to its end.
      response.arrayBuffer().catch(() => {})
      return redirected
    },
    async fetch(_input, init = {}) {
      const isOwn = isOnlyTheirs(new Headers(init.headers))
      const response = await (isOwn ? lastly(send(init)) : send(init))
      redirected = response.redirected ? response.clone() : undefined
      raw = response
      return response
    },
  }
}
