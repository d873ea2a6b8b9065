import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'

/** Which parts of a URL's query mean something. All off by default: URLs that differ in anything never share a response. */
export interface KeyRule {
  /** Parameters to leave out of the key; a name ending in `*` stands for all that begin so. */
  readonly ignore?: readonly string[]
  /** The only parameters that take part. */
  readonly allow?: readonly string[]
  /** Whether the order of parameters means nothing. @default false */
  readonly sort?: boolean
}

/**
 * Refreshing behind before a lifetime ends (XFetch), so that of many readers one goes ahead and nobody waits. Never for `immutable`. `false`: never.
 *
 * - `beta`, 0 or more: 1 is the paper's optimum, more refreshes earlier, 0 never by chance. @default 1
 * - `phase`, 0 to 1: the greatest share of a lifetime by which this install begins earlier than it must. Each install has a number of its own (for as long as its database lives), so that
 *   browsers which have inherited one moment of expiry do not come at one moment. `explain()` shows it as `numbers.phaseMs`. @default 0.05
 */
export type EarlyExpiry = { readonly beta?: number; readonly phase?: number } | false

/** What the caller knows of some of its routes. The first rule that matches a request is its rule. */
export interface Rule {
  /**
   * A string is a URL in which `*` stands for any run of characters (relative ones start from the page's); a `RegExp`, a `URLPattern` or any
   * other object with `test()` is given the absolute URL; a function is given the request.
   */
  readonly match: string | { test(url: string): boolean } | ((request: Request) => boolean)
  /** For `stats().byRule` and events. */
  readonly name?: string
  /** A freshness lifetime where the response gives none, in milliseconds. */
  readonly maxAgeMs?: Ms
  /** How long it may be served stale while it is refreshed, where the response does not say, in milliseconds. */
  readonly staleWhileRevalidateMs?: Ms
  /** How long it may be served stale when the origin fails, where the response does not say, in milliseconds. */
  readonly staleIfErrorMs?: Ms
  /**
   * How long it may be served stale while the origin is known to be ill (its circuit is open), where that is longer than its own window, in milliseconds. Never against `must-revalidate` and
   * `no-cache`.
   */
  readonly openCircuitGraceMs?: Ms
  /** A freshness lifetime for 404 and 410 that give none, in the place of `maxAgeMs`, in milliseconds. Short: what is missing may come. */
  readonly negativeMaxAgeMs?: Ms
  /** Whether the lifetime and windows above go before the response's own. Never before a prohibition (`no-store`, `no-cache`, `must-revalidate`). @default false */
  readonly override?: boolean
  /** Labels for purges. */
  readonly tags?: readonly string[]
  /** `false`: in memory only. @default true */
  readonly durable?: boolean
  /** `true`: of memory and disk the last to be given up for want of room, when nothing else is left. Within the budgets all the same. @default false */
  readonly pinned?: boolean
  /**
   * How many keys (URLs, as a rule) are kept of this route at most, 1 or more: in memory, and on the disk for each partition. When another one comes, the longest stored one goes that was not used
   * since. Rules of one `name` count together; without a name, those of the same `match` (as a string: name a rule whose `match` is a function or an object). @default no limit
   */
  readonly maxKeys?: number
  readonly key?: KeyRule
  readonly softMs?: Ms
  readonly hardMs?: Ms
  readonly earlyExpiry?: EarlyExpiry
  /**
   * What is answered where there is nothing to serve: the origin cannot be reached, does not answer in time, or fails (500, 502, 503, 504), and nothing that is stored may be used. A page that
   * says so, an empty list. The cause is `offline`; it is never stored. Plain data, or a function that makes a `Response`.
   */
  readonly fallback?: Fallback
}

/** A static answer. As plain data it can be sent to a worker. */
export type Fallback =
  | {
      /** @default 200 */
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      /** @default '' */
      readonly body?: string
    }
  | ((request: Request) => Response | Promise<Response>)

/**
 * Making idempotent requests again that failed (no connection, 502, 503, 504; 429 that says when). Off by default: the origin then sees no more requests than it would from fetch. Waits are random
 * parts of growing times, `Retry-After` is respected, and a budget keeps the whole to a tenth more requests.
 *
 * - `attempts`, 1 or more: requests in all. @default 3
 * - `baseMs`: the upper bound of the first wait; twice as long for each further one. @default 300
 * - `maxMs`: the longest wait; an origin that asks for more is not asked again. @default 5,000
 */
export type Retry = { readonly attempts?: number; readonly baseMs?: Ms; readonly maxMs?: Ms } | false

/**
 * Leaving alone an origin that is ill: after failures in a row, what can be answered stale is answered so at once, and a single probe looks whether it has recovered. Whatever cannot be answered
 * otherwise is sent all the same. `false`: off.
 *
 * - `failures`, 1 or more: in a row. @default 5
 * - `baseMs`: until the first probe; twice as long after each that fails; or what `Retry-After` says. @default 1,000
 * - `maxMs`: the longest time between two probes. @default 60,000
 */
export type CircuitOptions = { readonly failures?: number; readonly baseMs?: Ms; readonly maxMs?: Ms } | false

/** Options of `createCache()`. Every default is safe. Durations are in milliseconds, sizes in bytes. */
export interface CacheOptions {
  /** Prefix of the database's name. @default 'nearcache' */
  readonly name?: string
  /** `auto`: memory and IndexedDB where there is one, else memory alone. A `Store` of your own lies beneath memory. @default 'auto' */
  readonly store?: 'auto' | 'memory' | 'indexeddb' | Store
  /**
   * The signed-in user's space: part of every key. The database becomes theirs at once, and what it has of any other user is removed, unless that one has signed in since. @default none: what is
   * somebody's is kept in no place that outlives the page
   */
  readonly partition?: string
  /** Carries requests to the origin. @default globalThis.fetch */
  readonly fetch?: Transport
  readonly clock?: Clock
  readonly random?: Random
  /** Bytes in memory, 0 or more, and the largest response kept there. @default 32 MiB, an eighth of maxBytes */
  readonly memory?: { readonly maxBytes?: number; readonly maxEntryBytes?: number }
  /** Bytes on disk, 0 or more, and the largest response kept there. @default 50 MiB, an eighth of maxBytes */
  readonly disk?: {
    readonly maxBytes?: number
    readonly maxEntryBytes?: number
    /**
     * Whether the bodies of a partition are encrypted on disk (AES-GCM, a key that no script can read). Leaving the partition drops the key: then they are lost, whatever becomes of the disk.
     * URLs and fields stay readable, and so does what has no partition. Needs a secure context, without which nothing is kept on disk; loads a part of its own. @default false
     */
    readonly encrypt?: boolean
  }
  readonly key?: KeyRule
  readonly rules?: readonly Rule[]
  /** @default { beta: 1, phase: 0.05 } */
  readonly earlyExpiry?: EarlyExpiry
  /** @default false */
  readonly retry?: Retry
  /** @default { failures: 5, baseMs: 1_000, maxMs: 60_000 } */
  readonly circuit?: CircuitOptions
  /** For relative URLs where there is no document (Node); there every origin counts as the same. */
  readonly base?: string
  /**
   * `softMs` 2,000: with a usable stale response at hand, wait this long for the origin. `hardMs` none: give up. `diskMs` 50: the network starts
   * beside a disk read that takes longer. `lockMs` 5,000: wait this long for another tab that asks for the same, then ask too.
   */
  readonly deadlines?: { readonly softMs?: Ms; readonly hardMs?: Ms; readonly diskMs?: Ms; readonly lockMs?: Ms }
  /** The response field with a project's own tags, comma-separated, beside those that CDNs use: one that the CDN passes on, exposed across origins. @default 'nearcache-tag', which `nearcache/server` sends */
  readonly tagField?: string
  /** Whether responses carry `Cache-Status` (RFC 9211). @default true */
  readonly cacheStatus?: boolean
}
