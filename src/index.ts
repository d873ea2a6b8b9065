import { wireCache } from './create-cache.ts'
import type { NearCache } from './engine/api.ts'
import type { CacheOptions } from './engine/options.ts'

/**
 * A private HTTP cache behind one `fetch`: memory and IndexedDB in a browser, memory elsewhere. It obeys the caching headers that the origin sends (RFC 9111).
 *
 * Begins to open its database, where that is IndexedDB, and touches nothing else outside until its first request. Two caches with different names share nothing.
 *
 * @throws `CacheError` with code `option` when an option is wrong (in Node and under the `development` condition; types must do in the production browser build)
 */
export const createCache = (options: CacheOptions = {}): NearCache => wireCache(options, { freeze: (data) => data })

export type {
  AnswerFacts,
  CacheRequestInit,
  Dehydrated,
  Explanation,
  NearCache,
  PartitionReceipt,
  Peek,
  PurgeOptions,
  PurgeReceipt,
  PurgeSelector,
} from './engine/api.ts'
export type { CacheOptions, CircuitOptions, EarlyExpiry, Fallback, KeyRule, Retry, Rule } from './engine/options.ts'
export { trackingParameters } from './engine/tracking-parameters.ts'
export { CacheError, type CacheErrorCode } from './errors.ts'
export type { Cause, DecisionNumbers } from './http/decide.ts'
export type { EpochMs, Ms } from './http/message.ts'
export type { Clock } from './ports/clock.ts'
export type { CacheEvent, Stats } from './ports/event-sink.ts'
export type { Random } from './ports/random.ts'
export type { Removed, Snapshot, Store, StoreKey, Write } from './ports/store.ts'
export type { Transport } from './ports/transport.ts'
