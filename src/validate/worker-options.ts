import * as z from 'zod/mini'
import type { CacheOptions, Rule } from '../engine/options.ts'
import { CacheError } from '../errors.ts'
import type { Ms } from '../http/message.ts'

/** What a request is for: a page, what a page is made of, a picture, a film or sound, or data that a script asks for. */
export type Kind = 'navigation' | 'asset' | 'image' | 'media' | 'api'

/**
 * How the requests of one kind, or of some URLs, are answered. The first route that matches is the request's; what matches none obeys its headers, when it is of this origin, and is left alone
 * when it is of another. Lifetimes and windows of a route mean what those of a `Rule` mean. Durations are in milliseconds.
 */
export interface Route extends Omit<Rule, 'match' | 'durable' | 'fallback'> {
  /** As a rule's `match`. An absolute URL stands for another origin, whose requests the worker leaves alone without a route. @default every URL of this origin */
  readonly match?: Rule['match']
  /** @default all of them */
  readonly kind?: Kind
  /**
   * - `headers`: as the response's headers say, and the route where they say nothing.
   * - `network-first`: the origin is asked each time, in a navigation while the worker starts (navigation preload); when it fails or is slow (`softMs`), the last response serves for `staleIfErrorMs`
   *   more, 7 days by default.
   * - `stale-while-revalidate`: the last response serves at once for `staleWhileRevalidateMs`, 7 days by default, and is refreshed behind.
   * - `network`: left alone. Where the browser has static routes, and the route comes before all others and says no kind, the worker is not even woken.
   *
   * None of them serves what the response forbids to serve (`no-store`, `no-cache`, `must-revalidate`).
   *
   * @default 'headers'
   */
  readonly strategy?: 'headers' | 'network-first' | 'stale-while-revalidate' | 'network'
  /** For navigations: the page that is shown when the origin cannot be reached and nothing else may be. Fetched and kept when the worker is installed. */
  readonly fallback?: string
  /**
   * Whether cross-origin responses that no script may look into (`<img>` without `crossorigin`) are kept, for `maxAgeMs`, 1 day by default: whether they are fresh, and even whether they are errors,
   * cannot be seen. They lie in Cache Storage, and each counts 7 MiB (`opaque.maxBytes`). @default false
   */
  readonly opaque?: boolean
}

/** One file of an app shell, by the path or URL that the page asks for. */
export interface ShellFile {
  readonly url: string
  /** `sha256-` and the SHA-256 of its content in base64, as in `integrity`. Without it the file is taken as it comes. */
  readonly hash?: string
}

/** The pages, scripts and styles of one deploy. `npx nearcache sw` and the Vite plugin make the list. */
export interface Shell {
  /** Names the deploy: the same list has the same version, another list another one. */
  readonly version: string
  readonly files: readonly ShellFile[]
  /** The page that every navigation shows for which there is no file, as in an app with one page. @default none: such navigations are answered like everything else */
  readonly page?: string
}

/** Options of `installCache()`. Everything is optional; durations are in milliseconds, sizes in bytes. Those of the cache mean what they mean for `createCache()`. */
export interface ServiceWorkerOptions
  extends Pick<
    CacheOptions,
    | 'name'
    | 'store'
    | 'fetch'
    | 'clock'
    | 'random'
    | 'memory'
    | 'disk'
    | 'key'
    | 'earlyExpiry'
    | 'deadlines'
    | 'cacheStatus'
  > {
  /** The first that matches a request is its route. @default none: every GET of this origin obeys its headers */
  readonly routes?: readonly Route[]
  /** Whether pages that are open already have this worker at once, not only when they are loaded again. @default false */
  readonly claim?: boolean
  /** Whether this worker takes over from the one before without waiting for its last page, or for `skipWaiting()` of `nearcache/register`. @default false */
  readonly skipWaiting?: boolean
  /** An app shell: the files of one deploy, kept whole and served together. */
  readonly shell?: Shell
  /** Room for responses that no script may look into: each counts 7 MiB. @default { maxBytes: 140 MiB }, which is 20 of them */
  readonly opaque?: { readonly maxBytes?: number }
  /** How long an event may keep the worker, and with it an update, waiting: for a body to come to its end, for a write, for a refresh. @default 30,000 */
  readonly deadlineMs?: Ms
}

const ms = z.number().check(z.nonnegative())
const bytes = z.number().check(z.nonnegative())
const name = z.string().check(z.minLength(1))
const names = z.array(name)
const optional = z.optional
const callable = z.custom<object>((value) => typeof value === 'function', 'a function')
const object = z.custom<object>((value) => typeof value === 'object' && value !== null, 'an object')
const tester = z.custom<object>(
  (value) => typeof value === 'object' && value !== null && 'test' in value && typeof value.test === 'function',
  'a RegExp, or another object with test()',
)

const key = z.strictObject({ ignore: optional(names), allow: optional(names), sort: optional(z.boolean()) })
const share = z.number().check(z.nonnegative(), z.maximum(1))
const earlyExpiry = z.union([z.literal(false), z.strictObject({ beta: optional(ms), phase: optional(share) })])
const budget = z.strictObject({ maxBytes: optional(bytes), maxEntryBytes: optional(bytes) })

const route = {
  kind: optional(z.enum(['navigation', 'asset', 'image', 'media', 'api'])),
  name: optional(name),
  strategy: optional(z.enum(['headers', 'network-first', 'stale-while-revalidate', 'network'])),
  fallback: optional(name),
  opaque: optional(z.boolean()),
  maxAgeMs: optional(ms),
  staleWhileRevalidateMs: optional(ms),
  staleIfErrorMs: optional(ms),
  openCircuitGraceMs: optional(ms),
  negativeMaxAgeMs: optional(ms),
  override: optional(z.boolean()),
  tags: optional(names),
  pinned: optional(z.boolean()),
  maxKeys: optional(z.int().check(z.minimum(1))),
  key: optional(key),
  softMs: optional(ms),
  hardMs: optional(ms),
  earlyExpiry: optional(earlyExpiry),
}

const shell = z.strictObject({
  version: z.string().check(z.regex(/^[\w.-]+$/, 'letters, digits, dots, hyphens and underscores')),
  files: z.array(
    z.strictObject({
      url: name,
      hash: optional(z.string().check(z.regex(/^sha256-[A-Za-z0-9+/]{43}=$/, 'sha256- and a SHA-256 in base64'))),
    }),
  ),
  page: optional(name),
})

/** What a JSON file can say. */
const json = {
  name: optional(name),
  claim: optional(z.boolean()),
  skipWaiting: optional(z.boolean()),
  routes: optional(z.array(z.strictObject({ match: optional(name), ...route }))),
  memory: optional(budget),
  disk: optional(
    z.strictObject({ maxBytes: optional(bytes), maxEntryBytes: optional(bytes), encrypt: optional(z.boolean()) }),
  ),
  key: optional(key),
  earlyExpiry: optional(earlyExpiry),
  deadlines: optional(
    z.strictObject({ softMs: optional(ms), hardMs: optional(ms), diskMs: optional(ms), lockMs: optional(ms) }),
  ),
  cacheStatus: optional(z.boolean()),
  shell: optional(shell),
  opaque: optional(z.strictObject({ maxBytes: optional(bytes) })),
  deadlineMs: optional(z.number().check(z.positive())),
}

const jsonOptions = z.strictObject(json)

const options = z.strictObject({
  ...json,
  routes: optional(z.array(z.strictObject({ match: optional(z.union([name, callable, tester])), ...route }))),
  store: optional(z.union([z.enum(['auto', 'memory', 'indexeddb']), object])),
  fetch: optional(callable),
  clock: optional(object),
  random: optional(callable),
})

/** What the ready-made worker is told by `nearcache.config.json`: all that JSON can say of the options. */
export type WorkerConfig = Omit<ServiceWorkerOptions, 'store' | 'fetch' | 'clock' | 'random' | 'routes'> & {
  readonly routes?: readonly (Omit<Route, 'match'> & { readonly match?: string })[]
}

/** @throws CacheError with code `option`: its message and `path` name the option, the value, and what is allowed */
export const checkWorkerOptions = (given: ServiceWorkerOptions): ServiceWorkerOptions =>
  check(options, given, 'installCache()') as ServiceWorkerOptions

/** @throws CacheError with code `option`, as above */
export const checkWorkerConfig = (given: unknown, where: string): WorkerConfig =>
  check(jsonOptions, given, where) as WorkerConfig

function check(schema: z.ZodMiniType, given: unknown, where: string): unknown {
  const result = schema.safeParse(given)
  if (!result.success) throw describe(result.error.issues[0] as z.core.$ZodIssue, given, where)
  for (const [index, one] of ((given as ServiceWorkerOptions).routes ?? []).entries()) {
    const path = `routes[${index}]`
    if (one.opaque && one.match === undefined)
      throw new CacheError('option', `${path}.opaque needs ${path}.match, with the absolute URLs of the other origin`, {
        path: `${path}.match`,
      })
    if (one.fallback && one.kind !== 'navigation')
      throw new CacheError('option', `${path}.fallback is a page, so ${path}.kind must be "navigation"`, {
        path: `${path}.kind`,
      })
  }
  return given
}

function describe(issue: z.core.$ZodIssue, given: unknown, where: string): CacheError {
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
  const parts = [...issue.path, ...keys.slice(0, 1)]
  const path = parts
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('')
  if (keys.length > 0) return new CacheError('option', `${where} knows no option ${path}`, { path })
  const value = issue.path.reduce<unknown>(
    (part, step) => (part as Record<PropertyKey, unknown> | undefined)?.[step],
    given,
  )
  return new CacheError('option', `${where}: ${path || 'the whole'} is ${show(value)}; it must be ${allowed(issue)}`, {
    path: path || 'options',
  })
}

const show = (value: unknown): string =>
  typeof value === 'function' ? 'a function' : (JSON.stringify(value)?.slice(0, 80) ?? String(value))

function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return /^[aeiou]/.test(issue.expected) ? `an ${issue.expected}` : `a ${issue.expected}`
    case 'too_small':
      return issue.origin === 'string'
        ? 'a string that is not empty'
        : `${issue.inclusive ? '' : 'more than '}${issue.minimum}${issue.inclusive ? ' or more' : ''}`
    case 'invalid_value':
      return issue.values.map(show).join(' or ')
    case 'invalid_union':
      return [...new Set(issue.errors.flat().map(allowed))].join(', or ')
    default:
      return issue.message
  }
}
