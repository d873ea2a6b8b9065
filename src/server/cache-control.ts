import { CacheError } from '../errors.ts'
import { isToken } from '../http/fields.ts'

/** A number of seconds, 0 or more, whole. */
type Seconds = number

/**
 * How the answers of a route may be cached: the directives of `Cache-Control` in camelCase. Durations are in seconds, as on the wire.
 *
 * @see RFC 9111 section 5.2.2, RFC 5861, RFC 8246
 */
export interface CacheDirectives {
  /** How long a response is fresh. */
  readonly maxAge?: Seconds
  /** The same for shared caches alone (CDNs); nearcache is a private one. */
  readonly sMaxage?: Seconds
  /** How long after that it may be shown while it is refreshed behind (RFC 5861 §3). */
  readonly staleWhileRevalidate?: Seconds
  /** How long after that it may be shown when the origin fails (RFC 5861 §4). */
  readonly staleIfError?: Seconds
  /** For one user: no shared cache keeps it. */
  readonly private?: boolean
  /** Any cache may keep it, also when it answers a request with `Authorization`. */
  readonly public?: boolean
  /** Nobody keeps it. */
  readonly noStore?: boolean
  /** Kept, and validated before each use; a list: only without these fields (RFC 9111 §5.2.2.4). */
  readonly noCache?: boolean | readonly string[]
  /** Never shown stale. */
  readonly mustRevalidate?: boolean
  /** The same for shared caches alone. */
  readonly proxyRevalidate?: boolean
  /** Kept only by who understands the status (RFC 9111 §5.2.2.3); goes with `noStore`. */
  readonly mustUnderstand?: boolean
  /** What the URL names never changes: not validated while it is fresh (RFC 8246). */
  readonly immutable?: boolean
  /** No intermediary changes the content. */
  readonly noTransform?: boolean
}

const durations = ['maxAge', 'sMaxage', 'staleWhileRevalidate', 'staleIfError'] as const
const flags = [
  'private',
  'public',
  'noStore',
  'noCache',
  'mustRevalidate',
  'proxyRevalidate',
  'mustUnderstand',
  'immutable',
  'noTransform',
] as const

/** In the order in which people write them. */
const order = [
  'public',
  'private',
  'noStore',
  'mustUnderstand',
  'noCache',
  'maxAge',
  'sMaxage',
  'mustRevalidate',
  'proxyRevalidate',
  'immutable',
  'staleWhileRevalidate',
  'staleIfError',
  'noTransform',
] as const

/** Greater numbers mean the same (RFC 9111 §1.2.2). */
const MAX_SECONDS = 2 ** 31

/** What must not stand together, and why. */
const contradictions: ReadonlyArray<
  readonly [one: keyof CacheDirectives, others: ReadonlyArray<keyof CacheDirectives>, why: string]
> = [
  [
    'private',
    ['public', 'sMaxage', 'proxyRevalidate'],
    'these speak to shared caches, which private keeps out (RFC 9111 §5.2.2.7)',
  ],
  [
    'noStore',
    [
      'public',
      'maxAge',
      'sMaxage',
      'noCache',
      'immutable',
      'mustRevalidate',
      'proxyRevalidate',
      'staleWhileRevalidate',
      'staleIfError',
    ],
    'nothing is stored that they could apply to (RFC 9111 §5.2.2.5)',
  ],
  [
    'noCache',
    ['immutable', 'staleWhileRevalidate', 'staleIfError'],
    'no-cache has every use validated (RFC 9111 §5.2.2.4)',
  ],
  [
    'mustRevalidate',
    ['staleWhileRevalidate', 'staleIfError'],
    'must-revalidate forbids every use of a stale response (RFC 9111 §5.2.2.2)',
  ],
]

/**
 * The value of `Cache-Control` that says `policy`: `cacheControl({ maxAge: 60, staleWhileRevalidate: 600 })` is `max-age=60, stale-while-revalidate=600`.
 *
 * Fields that are `undefined` or `false` are left out; what is no directive (as `vary` and `tags`) is not looked at. An empty policy gives an empty string.
 *
 * @throws CacheError with code `option` when a duration is no whole number of seconds, 0 or more, or when two directives contradict each other; it says which and why
 */
export function cacheControl(policy: CacheDirectives): string {
  check(policy)
  return order
    .flatMap((name) => {
      const value: unknown = policy[name]
      if (value === undefined || value === false) return []
      const directive = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      if (Array.isArray(value)) return [`${directive}="${value.join(', ')}"`]
      return [value === true ? directive : `${directive}=${Math.min(value as number, MAX_SECONDS)}`]
    })
    .join(', ')
}

function check(policy: CacheDirectives): void {
  const wrong = (path: string, message: string) => new CacheError('option', `${path} ${message}`, { path })
  const isSet = (name: keyof CacheDirectives) => policy[name] !== undefined && policy[name] !== false
  for (const name of durations) {
    const value: unknown = policy[name]
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= 0))
      throw wrong(name, `is ${String(value)}; it must be a whole number of seconds, 0 or more`)
  }
  for (const name of flags) {
    const value: unknown = policy[name]
    const isList =
      name === 'noCache' &&
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((one) => typeof one === 'string' && isToken(one))
    if (value !== undefined && typeof value !== 'boolean' && !isList)
      throw wrong(
        name,
        `is ${String(value)}; it must be true or false${name === 'noCache' ? ', or a list of field names' : ''}`,
      )
  }
  // A qualified no-cache is about some fields, not about the response; and no-store beside must-understand is for those alone who do not know that.
  const isUnconditional = (name: keyof CacheDirectives) =>
    name === 'noCache' ? policy.noCache === true : name !== 'noStore' || !isSet('mustUnderstand')
  for (const [one, others, why] of contradictions) {
    const other = others.find(isSet)
    if (isSet(one) && other && isUnconditional(one))
      throw wrong(other, `does not go with ${one}: ${why}. Leave out one of them`)
  }
  if (isSet('immutable') && !isSet('maxAge'))
    throw wrong('immutable', 'needs maxAge: it only speaks of the time while a response is fresh (RFC 8246 §2)')
  if (isSet('mustUnderstand') && !isSet('noStore'))
    throw wrong('mustUnderstand', 'needs noStore, for caches that do not know it (RFC 9111 §5.2.2.3)')
}
