import type { Cause, DecisionNumbers } from '../http/decide.ts'
import type { Epoch, HeaderList, Ms, PurgeMode } from '../http/message.ts'
import type { CacheKey } from './store.ts'

/** What happened, for everyone who looks: one union of plain objects. */
export type CacheEvent =
  /** A request was answered. Exactly one for each `fetch` or `json` that did not reject. */
  | {
      readonly type: 'answered'
      readonly url: string
      readonly method: string
      readonly cause: Cause
      readonly status: number
      /** From the call to the response (its body may still be under way). 0 for what memory has. */
      readonly durationMs: Ms
      readonly numbers?: DecisionNumbers | undefined
      /** Bytes that did not come over the network for this answer. */
      readonly bytesSaved: number
      /** What the last fetch or validation of it took: about the time saved by not asking. 0 when the origin was asked. */
      readonly msSaved: Ms
      readonly rule?: string
    }
  /** A request was rejected: a network error, the hard deadline, or the caller's abort. */
  | { readonly type: 'rejected'; readonly url: string; readonly error: unknown }
  /** A response was stored, replacing what the same request would have selected. `elsewhere`, here and below: another tab or the worker did it. */
  | { readonly type: 'stored'; readonly url: string; readonly bytes: number; readonly elsewhere?: true }
  /** A validation confirmed a stored response (304, or HEAD). */
  | { readonly type: 'freshened'; readonly url: string; readonly elsewhere?: true }
  /** A refresh behind a stale answer has left, with these fields and credentials; `stored`, `freshened` or `failed` tells of its end. */
  | {
      readonly type: 'refreshing'
      readonly url: string
      readonly headers: HeaderList
      readonly credentials: RequestCredentials
    }
  /** `update()` or its roll-back changed what `json()` and `peek()` give. */
  | { readonly type: 'updated'; readonly url: string }
  /** A purge or an invalidation was added to the log. `spreadMs`: what is subscribed to is read anew by the cache itself, within so many milliseconds. */
  | {
      readonly type: 'purged'
      readonly mode: PurgeMode
      readonly epoch: Epoch
      readonly urls?: readonly string[]
      readonly elsewhere?: true
      readonly spreadMs?: Ms
    }
  /** The origin failed in the background or behind a stale answer, or answered what could not be stored. */
  | { readonly type: 'failed'; readonly url: string; readonly error: unknown }
  /** Storage failed; the answer did not suffer. */
  | { readonly type: 'store-failed'; readonly operation: string; readonly error: unknown }
  /** Something stored was removed to make room. */
  | { readonly type: 'evicted'; readonly key: CacheKey; readonly bytes: number; readonly tier: 'memory' | 'disk' }
  /** `setPartition()`: whatever was shown before belongs to someone else. Every subscriber is told. */
  | { readonly type: 'partition-entered' }
  /** Another context has entered another partition: until `setPartition()` here, everything bypasses the cache. Every subscriber is told. */
  | { readonly type: 'partition-left' }
  /** Over a thousand keys share one path: a parameter that means nothing may be part of them. */
  | { readonly type: 'keys-exploded'; readonly url: string; readonly keys: number }

/** Counters since `createCache()`. `requests` is the sum of `hits`, `stale`, `validated`, `misses`, `bypassed` and `rejected`. */
export interface Stats {
  readonly requests: number
  /** Answered fresh from the store. */
  readonly hits: number
  /** Answered stale from the store, as the headers, the request or a rule allow. */
  readonly stale: number
  /** Confirmed by the origin: nothing downloaded. */
  readonly validated: number
  readonly misses: number
  /** Not for the cache: other methods, `no-store`, `only-if-cached` without a stored response. */
  readonly bypassed: number
  readonly rejected: number
  /** By cause; the sum is `requests` less `rejected`. */
  readonly byCause: Readonly<Partial<Record<Cause, number>>>
  readonly byRule: Readonly<Record<string, { readonly requests: number; readonly saved: number }>>
  /** Answers for which the origin was not asked while the caller waited. */
  readonly requestsSaved: number
  readonly bytesSaved: number
  readonly msSaved: Ms
  /** Bytes held in memory now. */
  readonly memoryBytes: number
}

/** Where events go. It must not throw. */
export type EventSink = (event: CacheEvent) => void
