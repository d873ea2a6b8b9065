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

/** Early expiry by chance (XFetch); `beta` 1 is the paper's optimum, 0 never. */
export type EarlyExpiry = { readonly beta?: number } | false

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
  /** Whether the lifetime and windows above go before the response's own. Never before a prohibition (`no-store`, `no-cache`, `must-revalidate`). @default false */
  readonly override?: boolean
  /** Labels for purges. */
  readonly tags?: readonly string[]
  /** `false`: in memory only. @default true */
  readonly durable?: boolean
  readonly key?: KeyRule
  readonly softMs?: Ms
  readonly hardMs?: Ms
  readonly earlyExpiry?: EarlyExpiry
}

/** Options of `createCache()`. Every default is safe. Durations are in milliseconds, sizes in bytes. */
export interface CacheOptions {
  /** Prefix of the database's name. @default 'nearcache' */
  readonly name?: string
  /** `auto`: memory and IndexedDB where there is one, else memory alone. A `Store` of your own lies beneath memory. @default 'auto' */
  readonly store?: 'auto' | 'memory' | 'indexeddb' | Store
  /** The signed-in user's space: part of every key. */
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
  /** @default { beta: 1 } */
  readonly earlyExpiry?: EarlyExpiry
  /** For relative URLs where there is no document (Node); there every origin counts as the same. */
  readonly base?: string
  /**
   * `softMs` 2,000: with a usable stale response at hand, wait this long for the origin. `hardMs` none: give up. `diskMs` 50: the network starts
   * beside a disk read that takes longer.
   */
  readonly deadlines?: { readonly softMs?: Ms; readonly hardMs?: Ms; readonly diskMs?: Ms }
  /** The response field with a project's own tags, comma-separated, beside those that CDNs use: one that the CDN passes on, exposed across origins. @default 'nearcache-tag', which `nearcache/server` sends */
  readonly tagField?: string
  /** Whether responses carry `Cache-Status` (RFC 9211). @default true */
  readonly cacheStatus?: boolean
}
