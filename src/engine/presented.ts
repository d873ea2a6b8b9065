import { requestDirectives } from '../http/cache-control.ts'
import type { Cause } from '../http/decide.ts'
import { fieldValue } from '../http/fields.ts'
import type { CacheMode, HeaderList, PresentedRequest } from '../http/message.ts'
import { withoutFragment } from '../http/url.ts'
import type { CacheKey } from '../ports/store.ts'
import type { CacheRequestInit } from './api.ts'
import type { KeyRules } from './cache-key.ts'
import { headerList, toHeaders } from './header-list.ts'
import type { KeyRule, Rule } from './options.ts'

/** A call of `fetch`, read once: what the rules need as plain data, and what the transport needs to send it. */
export interface Presented {
  readonly input: RequestInfo | URL
  readonly init: CacheRequestInit
  readonly request: PresentedRequest
  /** Why the cache leaves it alone, if it does. */
  readonly passBy?: 'method' | 'bypass'
  readonly key: CacheKey
  /** The URL that the key stands for: without what a rule or the origin says means nothing. */
  readonly keyUrl: string
  /** Whether cookies go along, where it is not as usual: such responses are apart from the others. */
  readonly space: readonly string[]
  readonly rule?: Omit<Rule, 'match'> | undefined
  readonly sameOrigin: boolean
  /** `Authorization`, `Cookie`, or `credentials: 'include'`: not on disk without a partition. */
  readonly credentialed: boolean
  readonly credentials: RequestCredentials
  /** The caller's, for as long as the body is under way. */
  readonly signal: AbortSignal | undefined
  /** The caller's and the hard deadline's, until the response is there. */
  readonly patience?: AbortSignal | undefined
  /** Whether the disk has been waited for in vain. */
  readonly isDiskLate?: boolean
  /** Whether its caller has called it background work. */
  readonly isBackground?: boolean
  /** Whether another context's request for the same may be under way, and hang. */
  readonly isBeside?: boolean
  /** What fetch does at a redirect, and whether it leaves the origin. Requests that differ in it fail apart. */
  readonly manner: readonly [redirect: string, mode: string]
}

/** Where relative URLs start, whose origin is ours, and what makes a key. */
export interface Place {
  base(): string | undefined
  /** Our own origin; `undefined` where every origin counts as the same (no document). */
  readonly origin: string | undefined
  readonly partition: string
  readonly keys: KeyRules
  /** The key rule for everything that no rule of its own covers. */
  readonly key: KeyRule | undefined
  /** A URL or a pattern with `*`, absolute. */
  absolute(pattern: string): string
  ruleFor(url: string, presented: () => Request): Rule | undefined
  /** Whether the same URL always has the same rule. */
  readonly isSteady: boolean
}

/** What is given beside a URL by who gives nothing else, as most do. */
const NOTHING: CacheRequestInit = {}

/** Whether its caller has given a URL and nothing else. */
export const isOnlyUrl = ({ input, init }: Presented): boolean => init === NOTHING && typeof input === 'string'

/** A request without fields, as most are. */
const NO_FIELDS: HeaderList = []
/** Fields by which a caller makes its own conditional request: it sees the raw answer (RFC 9111 §4.3.2, Fetch: such a request bypasses the HTTP cache). */
const CONDITIONAL = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range']

/** What fetch takes here. Anything else is for fetch to refuse, whatever is stored. */
const MODES: readonly string[] = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached']
const REDIRECTS: readonly string[] = ['follow', 'error', 'manual']
const CREDENTIALS: readonly string[] = ['omit', 'same-origin', 'include']

/**
 * Reads the arguments of `fetch`, as fetch reads them: `init` goes before `input`.
 *
 * @throws TypeError for what fetch refuses too: an unreadable URL, an invalid field
 */
export function present(input: RequestInfo | URL, given: CacheRequestInit | undefined, place: Place): Presented {
  const init = given ?? NOTHING
  const request = typeof input === 'object' && 'method' in input ? input : undefined
  const pick = <Name extends 'cache' | 'credentials' | 'integrity' | 'mode' | 'method' | 'redirect'>(name: Name) =>
    init[name] ?? request?.[name]

  const { href, origin, protocol, username, password } = urlIn(request ? request.url : String(input), place.base())
  const url = withoutFragment(href)
  const sameOrigin = place.origin === undefined || origin === place.origin
  const lines = init.headers ?? request?.headers
  const headers = lines ? headerList(new Headers(lines)) : NO_FIELDS
  const method = normalizedMethod(`${pick('method') ?? 'GET'}`)
  const cacheMode: CacheMode = pick('cache') ?? 'default'
  const mode = pick('mode')
  const redirect = pick('redirect') ?? 'follow'
  const credentials = pick('credentials') ?? 'same-origin'
  const authorization = fieldValue(headers, 'authorization')

  const bypassed =
    cacheMode === 'no-store' ||
    !/^https?:$/.test(protocol) ||
    username !== '' ||
    password !== '' ||
    !!pick('integrity') ||
    !(mode === undefined || mode === 'cors' || (mode === 'same-origin' && sameOrigin)) ||
    !MODES.includes(cacheMode) ||
    !REDIRECTS.includes(redirect) ||
    !CREDENTIALS.includes(credentials) ||
    init.window != null ||
    (cacheMode === 'only-if-cached' && mode !== 'same-origin') ||
    init.body != null ||
    headers.some(([name]) => CONDITIONAL.includes(name))
  const passBy: Extract<Cause, 'method' | 'bypass'> | undefined =
    method !== 'GET' && method !== 'HEAD' ? 'method' : bypassed ? 'bypass' : undefined
  const { referrer, referrerPolicy, priority } = init
  // They change nothing here; but what fetch refuses is refused, whatever is stored.
  if (!passBy && (referrer ?? referrerPolicy ?? priority) !== undefined)
    new Request(url, { ...(referrer && { referrer }), referrerPolicy, priority } as RequestInit)

  const rule =
    passBy === 'bypass'
      ? undefined
      : (init.nearcache?.rule ??
        place.ruleFor(url, () =>
          request && !init.method ? request : new Request(url, { method, headers: toHeaders(headers) }),
        ))
  const sent = credentials === 'include' || (credentials === 'same-origin' && sameOrigin)
  const space = sent === sameOrigin ? [] : [sent ? 'include' : 'omit']
  const keyUrl = place.keys.urlFor(url, rule?.key)
  const { maxStaleMs } = init.nearcache ?? {}
  return {
    input,
    init,
    request: {
      method,
      url,
      headers,
      cacheMode,
      directives: requestDirectives(headers),
      ...(maxStaleMs !== undefined && { maxStale: maxStaleMs }),
    },
    ...(passBy && { passBy }),
    key: keyOf(keyUrl, space, headers, place),
    keyUrl,
    space,
    rule,
    sameOrigin,
    // A browser sends its cookies itself; where script may set them, they say who asks.
    credentialed:
      authorization !== undefined || credentials === 'include' || fieldValue(headers, 'cookie') !== undefined,
    credentials,
    manner: [redirect, mode ?? 'cors'],
    // `null` takes a Request's own signal away.
    signal: (init.signal === undefined ? request?.signal : init.signal) ?? undefined,
  }
}

/** URLs remembered at most. */
const MAX_KNOWN = 4000

/**
 * `present()` for one place. A call that gives nothing but a URL, as most do, is read once: a page asks for the same few again and again. Not where a rule is the caller's own code, which
 * may answer otherwise next time.
 */
export function createReader(place: Place): (input: RequestInfo | URL, init?: CacheRequestInit) => Presented {
  const known = new Map<string, Presented>()
  let version = 0
  let base: string | undefined
  return (input, init) => {
    if (init || typeof input !== 'string' || !place.isSteady) return present(input, init, place)
    if (version !== place.keys.version() || base !== place.base()) {
      known.clear()
      version = place.keys.version()
      base = place.base()
    }
    let presented = known.get(input)
    if (!presented) {
      presented = present(input, undefined, place)
      // Every other one goes, so that of more URLs in turn than are remembered many still are.
      let isSpared = true
      if (known.size >= MAX_KNOWN)
        for (const one of known.keys()) {
          isSpared = !isSpared
          if (!isSpared) known.delete(one)
        }
      known.set(input, presented)
    }
    return presented
  }
}

/** What a record is found by: with whom it is shared, and, where no partition says whose it is, the credentials. */
function keyOf(keyUrl: string, space: readonly string[], headers: HeaderList, { partition }: Place): CacheKey {
  const authorization = partition ? undefined : fieldValue(headers, 'authorization')
  return [keyUrl, ...space, ...(authorization === undefined ? [] : ['authorization', authorization])]
}

/** The same request with the key that it has in this place, by what is known of its URL now. */
export function rekeyed(presented: Presented, place: Place): Presented {
  const { request, rule, space } = presented
  const keyUrl = place.keys.urlFor(request.url, rule?.key)
  return { ...presented, keyUrl, key: keyOf(keyUrl, space, request.headers, place) }
}

/** The same request as if it had been made to `url`: for a response that a redirect led to. `undefined` when that is another origin. */
export function presentedAt(presented: Presented, url: string, place: Place): Presented | undefined {
  if (new URL(url).origin !== new URL(presented.request.url).origin) return undefined
  const rule = place.ruleFor(url, () => new Request(url))
  return rekeyed({ ...presented, request: { ...presented.request, url }, rule }, place)
}

/** @throws TypeError, as fetch does */
function urlIn(text: string, base: string | undefined): URL {
  try {
    return new URL(text, base)
  } catch {
    const hint =
      base === undefined ? ' of its own; where there is no document, createCache({ base }) says where it starts' : ''
    throw new TypeError(`${JSON.stringify(text)} is no URL${hint}`)
  }
}

/** Upper case for the methods that fetch normalizes, as given for the others (Fetch Standard, normalize a method). */
function normalizedMethod(method: string): string {
  const upper = method.toUpperCase()
  return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method
}
