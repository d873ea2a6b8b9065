import type { EpochMs } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { Transport } from '../ports/transport.ts'
import {
  asNotModified,
  bodyStream,
  contentOf,
  corsFields,
  type Fault,
  fetchedResponse,
  fieldsOf,
  isNotModified,
  type ScriptedResponse,
  unlessAborted,
} from './scripted-response.ts'

export type { Fault, ScriptedResponse } from './scripted-response.ts'

/** A request as the origin got it. */
export interface ReceivedRequest {
  /** 1 for the first. A redirect that is followed makes a request of its own. */
  readonly seq: number
  readonly method: string
  readonly url: string
  /** Path and query. */
  readonly path: string
  /** What script has set, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly ifNoneMatch?: string
  readonly ifModifiedSince?: string
  readonly cacheControl?: string
  /** The mode given to fetch. */
  readonly cacheMode: RequestCache
  readonly credentials: RequestCredentials
  /** The content, as text; absent where there is none. */
  readonly body?: string
  /** When it came, by the clock. */
  readonly at: EpochMs
  /** Whether the caller has gone before the end: it aborted the request, or cancelled the body. */
  readonly aborted: boolean
}

/** What a path answers: always the same, or asked for each request. */
export type Script = ScriptedResponse | ((request: ReceivedRequest) => ScriptedResponse | Promise<ScriptedResponse>)

/** Responses that wait for the test. */
export interface Hold {
  /** How many wait here now. */
  readonly waiting: number
  /** Lets those that wait, and those that come later, go on. */
  release(): void
}

/**
 * An origin in memory, played by a script.
 *
 * A path is a path with its query on this origin (`/users?page=2`), or an absolute URL for another origin; `*` stands for any run of
 * characters, and a method may stand before it (`POST /cart`). Of several that fit, one without `*` goes before one with it, and the later before the earlier.
 */
export interface ScriptedOrigin {
  /** Where its paths start. */
  readonly url: string
  /** A transport: give it to `createCache({ fetch })`. Follows redirects, obeys signals and knows relative URLs. Bound. */
  readonly fetch: Transport
  /** Every request that came, in order. */
  readonly requests: readonly ReceivedRequest[]
  /** What a path answers from now on. What no path fits answers 404. */
  serves(path: string, script: Script): void
  /**
   * What goes wrong from now on with what the path serves: a fault, a status in its place, or another script.
   *
   * @param times - after so many requests it is well again. @default Infinity
   */
  fails(path: string, how: Fault | number | Script, times?: number): void
  /** Ends what `fails` began, of this very path or of all. */
  recovers(path?: string): void
  /**
   * Holds what the path answers. The answer was made when the request came: what `serves` says later is not in it.
   *
   * @param phase - `head`: nothing of it has been sent; `body`: its head and half of its body have. @default 'head'
   */
  hold(path: string, phase?: 'head' | 'body'): Hold
}

/** What a scripted origin needs. */
export interface ScriptedOriginOptions {
  /** For `Date`, delays and the log. */
  readonly clock: Clock
  /** @default 'https://origin.test' */
  readonly url?: string
  /** The origin of the page that asks, as in a browser: what comes from elsewhere is then filtered as CORS does. @default none, as in Node, where nothing is filtered */
  readonly page?: string
}

/** Redirects that fetch follows at most (Fetch, HTTP-redirect fetch). */
const MAX_REDIRECTS = 20

/**
 * An origin for tests: it answers from a script, validates conditional requests as an origin should (RFC 9110 §13), and can be held, slow, ill or dead.
 *
 * @example
 * const clock = virtualClock()
 * const origin = scriptedOrigin({ clock })
 * const cache = createCache({ fetch: origin.fetch, clock, base: origin.url })
 *
 * origin.serves('/users', { cacheControl: 'max-age=60', etag: '"v1"', json: [] })
 * await cache.json('/users')
 * await clock.advance(60_000)
 * await cache.json('/users')
 * origin.requests // [{ path: '/users' }, { path: '/users', ifNoneMatch: '"v1"' }]
 *
 * origin.fails('/users', 503)                                            // ill
 * origin.fails('*', 'network')                                           // dead
 * origin.serves('/users', ({ seq }) => ({ etag: `"${seq % 2}"` }))       // two nodes that disagree
 * origin.serves('/users', { date: false })                               // no Date; a number or a text: a wrong one
 * const held = origin.hold('/users'); held.release()                     // a barrier
 */
export function scriptedOrigin({ clock, url = 'https://origin.test', page }: ScriptedOriginOptions): ScriptedOrigin {
  const scripts: Routed<Script>[] = []
  const failures: (Routed<Fault | number | Script> & { times: number })[] = []
  const holds: (Routed<'head' | 'body'> & { waiting: number; readonly open: Promise<void> })[] = []
  const requests: Received[] = []
  /** In Node a request's signal follows its caller's only as long as the request itself is not collected, so whoever has the signal keeps the request. */
  const owners = new WeakMap<AbortSignal, Request>()

  async function scriptFor(received: ReceivedRequest): Promise<ScriptedResponse> {
    const failure = best(
      failures.filter(({ times }) => times > 0),
      received,
    )
    if (failure) failure.times--
    const how = failure?.given
    if (typeof how === 'number') return { status: how }
    if (how !== undefined && typeof how !== 'string') return played(how, received)
    const script = best(scripts, received)?.given ?? { status: 404, cacheControl: 'no-store', body: 'Not found' }
    const response = await played(script, received)
    return how === undefined ? response : { ...response, fault: how }
  }

  async function held(received: ReceivedRequest, phase: 'head' | 'body', signal: AbortSignal): Promise<void> {
    for (const hold of holds.filter((one) => one.given === phase && one.fits(received))) {
      hold.waiting++
      await unlessAborted(() => hold.open, signal).finally(() => hold.waiting--)
    }
  }

  /** One exchange: what the origin got, and its head. */
  async function exchange(sent: Sent, request: Request) {
    const { signal, cache, credentials } = request
    owners.set(signal, request)
    const received = receivedRequest(sent, { cache, credentials, seq: requests.length + 1, at: clock.now() })
    requests.push(received)
    const abort = () => {
      received.aborted = true
    }
    signal.addEventListener('abort', abort)
    const response = await scriptFor(received)
    await held(received, 'head', signal)
    if (response.delayMs) await clock.sleep(response.delayMs, signal)
    if (response.fault === 'hang') await unlessAborted(() => new Promise<never>(() => {}), signal)
    if (response.fault === 'network') throw new TypeError('fetch failed')
    signal.throwIfAborted()
    const fields = fieldsOf(response, clock.now())
    const { status = response.redirect === undefined ? 200 : 302, validates = true } = response
    const notModified = validates && status === 200 && isNotModified(sent.method, sent.headers, fields, clock.now())

    const end = (how: 'sent' | 'gone') => {
      signal.removeEventListener('abort', abort)
      if (how === 'gone') received.aborted = true
    }
    const deliver = (): ReadableStream<Uint8Array> | null => {
      const isEmpty = sent.method === 'HEAD' || notModified || [101, 103, 204, 205, 304].includes(status)
      const content = notModified
        ? new Uint8Array()
        : contentOf(response, { url: received.url, seq: received.seq, at: received.at })
      if (
        content instanceof Uint8Array &&
        !fields.has('content-length') &&
        ![204, 304].includes(status) &&
        !notModified
      )
        fields.set('content-length', String(content.byteLength))
      if (isEmpty) {
        end('sent')
        return null
      }
      const middle = (gone: AbortSignal) => held(received, 'body', gone)
      return bodyStream(content, response, { middle, sleep: clock.sleep, onEnd: end }, signal)
    }
    return {
      status: notModified ? 304 : status,
      statusText: notModified ? 'Not Modified' : (response.statusText ?? (status === 200 ? 'OK' : '')),
      fields: notModified ? fieldsOf(asNotModified(response), clock.now()) : fields,
      type: response.type,
      deliver,
      end,
    }
  }

  async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    // fetch itself refuses relative URLs where there is no document; an origin in memory is more forgiving.
    const request = new Request(typeof input === 'object' && 'url' in input ? input : new URL(String(input), url), init)
    request.signal.throwIfAborted()
    const { method, headers, body } = request
    let sent: Sent = {
      method,
      url: withoutFragment(request.url),
      headers,
      ...(body && { body: await request.clone().text() }),
    }
    for (let redirects = 0; ; redirects++) {
      const head = await exchange(sent, request)
      const location = [301, 302, 303, 307, 308].includes(head.status) ? head.fields.get('location') : null
      const facts = { ...head, url: sent.url, redirected: redirects > 0 }
      if (location !== null && request.redirect === 'manual')
        return fetchedResponse(null, new Headers(), { ...facts, type: 'opaqueredirect', status: 0, statusText: '' })
      if (location === null) {
        const type = head.type ?? seenAs(sent.url, request.mode)
        const content = head.deliver()
        if (type === 'opaque')
          return fetchedResponse(null, new Headers(), { ...facts, type, url: '', status: 0, statusText: '' })
        return fetchedResponse(content, type === 'cors' ? corsFields(head.fields) : head.fields, { ...facts, type })
      }
      head.end('sent')
      if (request.redirect === 'error' || redirects === MAX_REDIRECTS) throw new TypeError('fetch failed')
      sent = redirected(sent, head.status, location)
    }
  }

  function seenAs(target: string, mode: RequestMode): 'basic' | 'cors' | 'opaque' {
    if (page === undefined || new URL(target).origin === new URL(page).origin) return 'basic'
    return mode === 'no-cors' ? 'opaque' : 'cors'
  }

  return {
    url,
    fetch,
    requests,
    serves(path, script) {
      remove(scripts, path)
      scripts.push(routed(path, url, script))
    },
    fails(path, how, times = Number.POSITIVE_INFINITY) {
      remove(failures, path)
      failures.push({ ...routed(path, url, how), times })
    },
    recovers(path) {
      if (path === undefined) failures.length = 0
      else remove(failures, path)
    },
    hold(path, phase = 'head') {
      let release = () => {}
      const open = new Promise<void>((resolve) => {
        release = resolve
      })
      const hold = { ...routed(path, url, phase), waiting: 0, open }
      holds.push(hold)
      return {
        get waiting() {
          return hold.waiting
        },
        release() {
          holds.splice(0, holds.length, ...holds.filter((one) => one !== hold))
          release()
        },
      }
    },
  }
}

type Received = { -readonly [Name in keyof ReceivedRequest]: ReceivedRequest[Name] }

/** A request on one hop of its way. */
interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly body?: string
}

interface Routed<Given> {
  readonly path: string
  readonly given: Given
  fits(received: Pick<ReceivedRequest, 'method' | 'url'>): boolean
}

function routed<Given>(path: string, base: string, given: Given): Routed<Given> {
  const [, method, target = path] = /^([A-Z]+) (.*)$/.exec(path) ?? []
  const runs = new URL(target, base).href.split('*').map((run) => run.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  const pattern = new RegExp(`^${runs.join('.*')}$`)
  return {
    path,
    given,
    fits: (received) => (method === undefined || method === received.method) && pattern.test(received.url),
  }
}

function best<Of extends Routed<unknown>>(all: readonly Of[], received: ReceivedRequest): Of | undefined {
  const fitting = all.filter((one) => one.fits(received))
  return fitting.findLast(({ path }) => !path.includes('*')) ?? fitting.at(-1)
}

function remove(all: Routed<unknown>[], path: string): void {
  const index = all.findIndex((one) => one.path === path)
  if (index >= 0) all.splice(index, 1)
}

const played = async (script: Script, received: ReceivedRequest): Promise<ScriptedResponse> =>
  typeof script === 'function' ? script(received) : script

function receivedRequest(
  { method, url, headers, body }: Sent,
  { cache, credentials, seq, at }: { cache: RequestCache; credentials: RequestCredentials; seq: number; at: EpochMs },
): Received {
  const fields = Object.fromEntries(headers)
  const { pathname, search } = new URL(url)
  const named = {
    ifNoneMatch: fields['if-none-match'],
    ifModifiedSince: fields['if-modified-since'],
    cacheControl: fields['cache-control'],
    body,
  }
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
  return {
    seq,
    method,
    url,
    path: pathname + search,
    headers: fields,
    ...given,
    cacheMode: cache,
    credentials,
    at,
    aborted: false,
  }
}

/**
 * The request that follows a redirect: a POST becomes a GET where fetch makes it one, and `Authorization` stays behind at its origin (Fetch, HTTP-redirect fetch).
 *
 * @throws TypeError where fetch gives a network error: another scheme, or credentials in a URL of another origin
 */
function redirected({ method, url, headers, body }: Sent, status: number, location: string): Sent {
  const next = new URL(location, url)
  const isSameOrigin = next.origin === new URL(url).origin
  if (!/^https?:$/.test(next.protocol) || (!isSameOrigin && (next.username || next.password)))
    throw new TypeError('fetch failed')
  const fields = new Headers(headers)
  if (!isSameOrigin) fields.delete('authorization')
  const becomesGet =
    status === 303 ? method !== 'GET' && method !== 'HEAD' : [301, 302].includes(status) && method === 'POST'
  if (!becomesGet)
    return { method, url: withoutFragment(next.href), headers: fields, ...(body !== undefined && { body }) }
  for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'])
    fields.delete(name)
  return { method: 'GET', url: withoutFragment(next.href), headers: fields }
}

const withoutFragment = (url: string): string => url.replace(/#.*$/, '')
