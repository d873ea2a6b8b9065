import type { Rule } from '../engine/options.ts'
import { MARK } from '../engine/worker-mark.ts'
import type { Ms } from '../http/message.ts'
import { covers } from '../http/purge-effect.ts'
import type { Kind, Route } from '../validate/worker-options.ts'
import type { StaticRoute } from './scope.ts'

/** What is known of a request before it is answered. */
export interface Asked {
  readonly url: string
  readonly method: string
  readonly mode: RequestMode
  readonly destination: string
  readonly cache: RequestCache
  readonly headers: { has(name: string): boolean; get(name: string): string | null }
}

/** How a request is answered, or that it is not for us. */
export type Plan = { readonly kind: Kind; readonly route: Route | undefined } | 'pass'

const WEEK: Ms = 7 * 86_400_000

/** Fields by which a script makes its own conditional request: it sees the raw answer. */
const CONDITIONAL = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range']

const DESTINATIONS: Readonly<Record<string, Kind>> = {
  image: 'image',
  audio: 'media',
  video: 'media',
  '': 'api',
  embed: 'api',
  object: 'api',
  report: 'api',
}

/** What a request is for, by its destination (Fetch, request destination). */
export const kindOf = ({ mode, destination }: Pick<Asked, 'mode' | 'destination'>): Kind =>
  mode === 'navigate' ? 'navigation' : (DESTINATIONS[destination] ?? 'asset')

/** How a request is answered. What a page's own cache has sent was decided there. */
export function planFor(asked: Asked, routes: readonly Matcher[], origin: string, request: () => Request): Plan {
  const url = new URL(asked.url)
  if (asked.method !== 'GET' || url.hash === MARK || !/^https?:$/.test(url.protocol)) return 'pass'
  if (asked.cache === 'no-store' || asked.cache === 'only-if-cached') return 'pass'
  if (CONDITIONAL.some((name) => asked.headers.has(name))) return 'pass'
  // A stream without an end would end with the worker (HTML, EventSource).
  if (asked.headers.get('accept') === 'text/event-stream') return 'pass'
  url.hash = ''
  const kind = kindOf(asked)
  const sameOrigin = url.origin === origin
  const route = routes.find(({ matches }) => matches(url.href, kind, sameOrigin, request))?.route
  if (sameOrigin ? route?.strategy === 'network' : !route || route.strategy === 'network') return 'pass'
  // What no script may look into has no lifetime but the one that a route gives; and a part of it cannot be told from the whole.
  if (!sameOrigin && asked.mode === 'no-cors' && (!route?.opaque || asked.headers.has('range'))) return 'pass'
  return { kind, route }
}

export interface Matcher {
  readonly route: Route
  matches(url: string, kind: Kind, sameOrigin: boolean, request: () => Request): boolean
}

/** The routes, ready to be asked. `base` is what relative URLs start from. */
export const matchersOf = (routes: readonly Route[], base: string): Matcher[] =>
  routes.map((route) => {
    const matches = urlMatcher(route.match, base)
    return {
      route,
      matches: (url, kind, sameOrigin, request) =>
        (route.kind ?? kind) === kind && (route.match === undefined ? sameOrigin : matches(url, request)),
    }
  })

function urlMatcher(match: Route['match'], base: string): (url: string, request: () => Request) => boolean {
  if (match === undefined) return () => true
  if (typeof match === 'function') return (_, request) => match(request())
  if (typeof match === 'string') {
    const pattern = absolute(match, base)
    return (url) => covers({ pattern }, url, [])
  }
  return (url) => {
    if (match instanceof RegExp) match.lastIndex = 0
    return match.test(url)
  }
}

/** `*` is no escape in a path, but a URL parser may refuse it in a host: what is absolute is left alone. */
const absolute = (pattern: string, base: string): string =>
  /^[a-z][a-z0-9+.-]*:/i.test(pattern) ? pattern : new URL(pattern, base).href

/** The rule by which the cache answers a route. */
export function ruleOf({
  match: _,
  kind: __,
  strategy,
  fallback: ___,
  opaque: ____,
  ...rule
}: Route): Omit<Rule, 'match'> {
  const { staleIfErrorMs = WEEK, staleWhileRevalidateMs = WEEK } = rule
  if (strategy === 'network-first')
    return { ...rule, maxAgeMs: 0, staleWhileRevalidateMs: 0, staleIfErrorMs, override: true }
  if (strategy === 'stale-while-revalidate') return { ...rule, staleWhileRevalidateMs, staleIfErrorMs, override: true }
  return rule
}

/** What needs no worker at all: the routes to the network that come before every other one, and that a URL alone decides. */
export function staticRoutes(routes: readonly Route[], base: string): StaticRoute[] {
  const end = routes.findIndex(({ strategy }) => strategy !== 'network')
  return (end < 0 ? routes : routes.slice(0, end)).flatMap(({ match, kind }) => {
    if (typeof match !== 'string' || kind || /[?#]/.test(match)) return []
    const pattern = absolute(match, base)
    const [, protocol = '', host = '', pathname = ''] = /^([a-z]+):\/\/([^/*]+)(\/.*)$/.exec(pattern) ?? []
    if (!host) return []
    const [hostname = '', port = ''] = host.split(':')
    const urlPattern = {
      protocol,
      hostname,
      port,
      // Everything but `*` stands for itself.
      pathname: pathname.replace(/[\\:(){}+?]/g, '\\$&'),
      search: pathname.endsWith('*') ? '*' : '',
    }
    return [{ condition: { urlPattern }, source: 'network' as const }]
  })
}
