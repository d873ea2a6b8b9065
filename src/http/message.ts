/**
 * The plain data that every rule in this folder works on. Nothing here acts; all of it can be cloned, stored and compared.
 */

/** A duration in milliseconds. */
export type Ms = number
/** A moment, in milliseconds since 1970-01-01T00:00:00Z by the wall clock. */
export type EpochMs = number

/** Field lines as `[name, value]`, names in lower case, one line per name (RFC 9110 §5.3), except `set-cookie`. A list, never an object: a field may be called `__proto__`. */
export type HeaderList = ReadonlyArray<readonly [name: string, value: string]>

/** Directives of a request's `Cache-Control` (RFC 9111 §5.2.1, RFC 5861 §4). Absent means absent; durations are in milliseconds. */
export interface RequestDirectives {
  readonly maxAge?: Ms
  /** `Infinity` when given without a value: any staleness is accepted. */
  readonly maxStale?: Ms
  readonly minFresh?: Ms
  readonly noCache?: true
  readonly noStore?: true
  readonly onlyIfCached?: true
  readonly staleIfError?: Ms
}

/** Directives of a response's `Cache-Control` that bind a private cache (RFC 9111 §5.2.2, RFC 5861, RFC 8246). Durations are in milliseconds. */
export interface ResponseDirectives {
  /** 0 when the directive is malformed or its copies disagree: stale at once (RFC 9111 §4.2.1). */
  readonly maxAge?: Ms
  /** `true`: validate before every use. A list: leave these fields (lower case) out of a use without validation. */
  readonly noCache?: true | readonly string[]
  readonly noStore?: true
  readonly mustRevalidate?: true
  readonly mustUnderstand?: true
  readonly private?: true
  readonly public?: true
  readonly immutable?: true
  readonly staleWhileRevalidate?: Ms
  readonly staleIfError?: Ms
}

/** `fetch`'s cache mode (Fetch Standard, request cache mode). */
export type CacheMode = 'default' | 'no-store' | 'reload' | 'no-cache' | 'force-cache' | 'only-if-cached'

/** The request now being answered (RFC 9111 §4), as plain data. */
export interface PresentedRequest {
  /** As sent, upper case for the standard methods. */
  readonly method: string
  /** Absolute, without its fragment. */
  readonly url: string
  /** The fields that script has set. */
  readonly headers: HeaderList
  readonly cacheMode: CacheMode
  readonly directives: RequestDirectives
  /** Staleness that the caller accepts, beside the directive `max-stale`. */
  readonly maxStale?: Ms
}

/** When a request was sent, as the purge log counts: which life of the database, and the number of the last purge in it. */
export interface Epoch {
  /** Random, made with the database. Another incarnation means: nothing is known about the purges between. */
  readonly incarnation: string
  readonly number: number
}

/** Which part of a representation a stored 206 holds (RFC 9110 §14.4). */
export interface StoredPart {
  readonly first: number
  readonly last: number
  /** The whole length, where the origin knew it. */
  readonly size?: number
}

/** Where the body of a stored response is. */
interface StoredBody {
  /** Names the body among those of its key; another body, another name. */
  readonly id: string
  /** Bytes after content decoding. */
  readonly size: number
  /** Absent when the bytes lie apart, in a place of their own. Never written to. */
  readonly bytes?: Uint8Array<ArrayBuffer>
}

/**
 * One stored response (RFC 9111 §3): what came, when, and what it may be used for. Plain and cloneable; the format of what lies on disk.
 *
 * Age inputs are numbers taken at the exchange and replaced whole by a validation, never recomputed from merged fields (RFC 9111 §4.2.3).
 */
export interface StoredResponse {
  /** Format version. A reader that meets another one treats the record as absent. */
  readonly v: 1
  /** The URL that was asked for and that answered, without a fragment. */
  readonly url: string
  readonly status: number
  readonly statusText: string
  readonly type: 'basic' | 'cors' | 'default'
  /** Every field received, less those of RFC 9111 §3.1. */
  readonly headers: HeaderList
  readonly directives: ResponseDirectives
  /** `unreadable` means already expired, not absent (RFC 9111 §5.3). */
  readonly expires?: EpochMs | 'unreadable'
  readonly lastModified?: EpochMs
  readonly etag?: string
  /** `Date`, or the response time where it is missing, unreadable or hidden. */
  readonly dateValue: EpochMs
  /** `Age`, 0 where it is missing or unreadable. */
  readonly ageValue: Ms
  readonly requestTime: EpochMs
  readonly responseTime: EpochMs
  /**
   * Fields nominated by `Vary`, lower case. `*`: matches nothing. `unknown`: `Vary` is hidden from script (a cross-origin response
   * that does not expose it), so every field that script had set takes part.
   */
  readonly vary: readonly string[] | '*' | 'unknown'
  /** The nominated fields as the original request had them; all that script had set where `vary` is `unknown`. */
  readonly nominated: HeaderList
  /** Labels for purges; groups of RFC 9875 stand here as `origin NUL group`. */
  readonly tags: readonly string[]
  readonly epoch: Epoch
  /** Who dispatched it, and its place in that context's order of dispatch: an earlier dispatch never overwrites a later one. */
  readonly context: string
  readonly sequence: number
  /** How long the last validation took, until the first the fetch that stored it, to the end of the body. */
  readonly delta: Ms
  readonly part?: StoredPart
  readonly body: StoredBody
  /** Never written to disk: credentialed or private without a partition, or a rule or the request says so. */
  readonly memoryOnly?: true
  /** A rule says so: not evicted while anything else is there that is not pinned. */
  readonly pinned?: true
  /** Of which route it is, by a rule, and how many keys of that are kept. */
  readonly route?: { readonly name: string; readonly maxKeys: number }
  /** Set when HEAD showed that the representation has changed: stale from then on (RFC 9111 §4.3.5). */
  readonly staleSince?: EpochMs
}

/** What a purge covers: a response is covered when its URL is one of `urls`, or one of its tags one of `tags`. */
export type LogSelector =
  | { readonly urls: readonly string[]; readonly tags?: readonly string[] }
  | { readonly tags: readonly string[] }
  | { readonly pattern: string }
  /** Everything of one partition, `''` being the one without a name. */
  | { readonly partition: string }
  | { readonly all: true }

/**
 * soft: stale from this moment. invalidate: validated before any further use (RFC 9111 §4.4). hard: never used again.
 */
export type PurgeMode = 'soft' | 'invalidate' | 'hard'

/** One record of the purge log. */
export interface PurgeRecord {
  readonly number: number
  readonly selector: LogSelector
  readonly mode: PurgeMode
  /** Only for the windows of a soft purge, which count from here; what a purge covers is a matter of numbers, never of clocks. */
  readonly at: EpochMs
}

/** The purge log as a read sees it: its tail, oldest first. */
export interface PurgeLog {
  readonly incarnation: string
  /** The number of the last purge; 0 before the first. */
  readonly last: number
  /** Purges up to this number have been dropped: a response stored before is not used. */
  readonly floor: number
  readonly purges: readonly PurgeRecord[]
  /** Incarnations under which this context counted before it knew this one. An epoch of theirs stands for number 0: covered by every purge of the log. Never stored. */
  readonly provisional?: readonly string[]
}
