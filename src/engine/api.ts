import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Cause, Decision, DecisionNumbers } from '../http/decide.ts'
import type { Epoch, Ms, PurgeMode, StoredResponse } from '../http/message.ts'
import type { CacheEvent, Stats } from '../ports/event-sink.ts'
import type { CacheKey, Removed } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'
import type { Rule } from './options.ts'

/** `fetch`'s second argument, and what only a cache understands. */
export type CacheRequestInit = RequestInit & {
  nearcache?: {
    /** Labels for purges, beside those of the response and of the rule. */
    tags?: string[]
    /** Accept a response that has been stale for this long, in milliseconds: as the request directive `max-stale`, without a header on the wire. */
    maxStaleMs?: Ms
    /** With a usable stale response at hand: how long to wait for the origin, in milliseconds. Default: the rule's, then `deadlines.softMs`. */
    softMs?: Ms
    /** How long to wait for the origin at all, in milliseconds; then a `TimeoutError`. Default: the rule's, then `deadlines.hardMs`. */
    hardMs?: Ms
    /** What a user waits for goes before background work. @default 'user' */
    priority?: 'user' | 'background'
    /** The rule of this request, instead of the cache's: for who knows more of it than its URL, as a service worker does. Its `match` is not asked. */
    rule?: Omit<Rule, 'match'>
    /** Carries this request, instead of the cache's `fetch`. */
    fetch?: Transport
    /** Told how the answer came about, just before `fetch` or `json` gives it, or rejects because of its status. */
    onAnswer?: (facts: AnswerFacts) => void
  }
}

/** An answer without its content. */
export interface AnswerFacts {
  readonly cause: Cause
  readonly status: number
  /** As on the `Response`, without `Cache-Status`. */
  readonly headers: Headers
}

/** What to purge. `pattern` is a URL in which `*` stands for any run of characters; relative URLs and patterns start from the page's. */
export type PurgeSelector =
  | { url: string | URL }
  | { tag: string }
  | { tags: string[] }
  | { pattern: string }
  | { partition: string }
  | { all: true }

/** How to purge. */
export interface PurgeOptions {
  /** @default 'soft' */
  mode?: 'soft' | 'hard'
  /**
   * Reads anew what is subscribed to and purged: each at a random moment within so many milliseconds; 0: at once. Nothing else is read before somebody asks for it.
   *
   * @default nothing is read anew: whoever subscribes does that when the event comes
   */
  spreadMs?: Ms
}

/** What a purge left behind. */
export interface PurgeReceipt {
  /** The purge's place in the log: responses dispatched up to it are affected. */
  readonly epoch: Epoch
  /** Whether the purge is on disk; `false` when there is no disk, or it failed: then the purge holds in this context only. */
  readonly durable: boolean
}

/** What leaving a partition removed: the evidence that it is gone. */
export interface PartitionReceipt {
  /** Removed from memory, in bytes. Memory was empty before anything of the new partition was read. */
  readonly memoryBytes: number
  /** Removed from disk, where there is one. More than the partition when the disk was so full that everything had to go. */
  readonly disk?: Removed | undefined
}

/** What memory holds for a request, without asking anyone. The object stays the same until data, staleness or cause change; `ageMs` is live. */
export interface Peek<T> {
  readonly data: T
  /** Whether a read would now need the origin, or be served stale. */
  readonly stale: boolean
  readonly ageMs: Ms
  /** What a `fetch` at this moment would answer with, or why it would go to the origin. */
  readonly cause: Cause
}

/** Why a request would be answered as it would: the decision, as data. Nothing is done and nothing is counted. */
export interface Explanation {
  readonly url: string
  readonly decision: Decision['kind'] | 'bypass'
  readonly cause: Cause
  readonly key: CacheKey
  /** The responses stored under the key, most recently stored last. */
  readonly candidates: ReadonlyArray<
    Pick<StoredResponse, 'url' | 'status' | 'vary' | 'nominated' | 'tags' | 'epoch' | 'responseTime'> & {
      readonly bytes: number
    }
  >
  readonly numbers?: DecisionNumbers
  /** Who asked the origin for the chosen response, or had it confirmed last: this cache, a service worker, or another page, which may be an earlier one. */
  readonly askedBy?: 'here' | 'worker' | 'elsewhere'
  /** The purge that bears on the chosen response. */
  readonly purge?: { readonly mode: PurgeMode; readonly number: number }
  /** Name of the first rule that matches. */
  readonly rule?: string
}

/** The stored responses of one cache, JSON-safe and versioned, for a page that another one will hydrate. */
export interface Dehydrated {
  readonly v: 1
  readonly responses: ReadonlyArray<{ readonly key: CacheKey; readonly stored: unknown; readonly body: string }>
}

/** A private HTTP cache behind `fetch`. All methods are bound: pass them anywhere. */
export interface NearCache {
  /**
   * Same arguments and result as `fetch`, answered from the store where the origin's headers allow it (RFC 9111).
   *
   * @throws fetch's own `TypeError` on a network error, the signal's reason on an abort, a `TimeoutError` at the hard deadline. Never because storage failed.
   */
  fetch(input: RequestInfo | URL, init?: CacheRequestInit): Promise<Response>
  /**
   * The parsed body: parsed once, and the same reference until the body changes. Read-only (frozen under the `development` condition). `undefined` for an empty body.
   *
   * @throws `CacheError` with code `status` (response not ok), `parse` or `schema`; what `fetch` throws
   */
  json<T = unknown>(
    input: RequestInfo | URL,
    init?: CacheRequestInit & { schema?: StandardSchemaV1<unknown, T> },
  ): Promise<T>
  /**
   * What memory holds, at once: for the first paint. Also what is stale or would need validation (`stale` and `cause` say so); never
   * what a hard purge covers. `undefined` when memory has nothing, or no JSON.
   */
  peek<T = unknown>(input: RequestInfo | URL, init?: CacheRequestInit): Peek<T> | undefined
  /**
   * Changes what `json()` and `peek()` give: an optimistic value. In memory only. `change` must not mutate its argument, and is called again when another change is taken back.
   * Does nothing when memory has no data for the request.
   *
   * Call it before the unsafe request that makes it true. It ends with the next response that is stored, but not with one that was asked for before it, or while that request was under way: whether such a
   * response knows of the change cannot be told, so the optimistic value stays.
   */
  update<T = unknown>(input: RequestInfo | URL, change: (data: T) => T, init?: CacheRequestInit): { rollback(): void }
  /** What would happen and why, without doing it. Reads the store, never the network. */
  explain(input: RequestInfo | URL, init?: CacheRequestInit): Promise<Explanation>
  /**
   * Forgets. `soft` (default): stale from this moment, its windows for stale use count from now and never reach beyond where they would have ended anyway.
   * `hard`: never used again, not even on error. Resolved when it is on disk; it holds in this context from the call on.
   */
  purge(selector: PurgeSelector, options?: PurgeOptions): Promise<PurgeReceipt>
  /** Events of one key: stored, freshened, updated, purged, failed. Returns the function that ends it. */
  subscribe(input: RequestInfo | URL, listener: (event: CacheEvent) => void, init?: CacheRequestInit): () => void
  /**
   * All events. Returns the function that ends it. A listener that throws is left out of nothing: its error is reported and the others are called. Events are read-only, since all listeners share them, and so do
   * hits of one moment: `answered` is frozen under the `development` condition.
   */
  on(listener: (event: CacheEvent) => void): () => void
  stats(): Stats
  /** What memory holds, JSON-safe. By default without what is memory-only (credentialed, private) or partitioned; a filter of your own decides instead. */
  dehydrate(
    filter?: (response: { url: string; tags: readonly string[]; scoped: boolean }) => boolean,
  ): Promise<Dehydrated>
  /** Takes over what `dehydrate()` gave. Never overwrites what is newer. @throws `CacheError` with code `state` when it is something else */
  hydrate(state: Dehydrated): void
  /**
   * Enters the space of one signed-in user; `undefined`: of nobody, as after sign-out. From the call on nothing of the partition before is answered, shown or stored: memory is emptied, what is in flight ends with an
   * `AbortError`, and what lay on disk is removed before anything of the new partition is read from there. What was stored without a partition stays: it holds nothing that is one user's.
   *
   * Resolves with what was removed.
   *
   * @throws `CacheError` with code `storage` when the disk could not be emptied: it may still hold what was left. It is not read or written until it could; that is tried again with each use.
   */
  setPartition(partition: string | undefined): Promise<PartitionReceipt>
  /** Resolves when all background work and writes under way are done. */
  settled(): Promise<void>
  /** Ends background work and gives back the database. From then on `fetch` is plain fetch. */
  close(): Promise<void>
}
