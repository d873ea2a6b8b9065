import type { EpochMs, PurgeLog, PurgeRecord, StoredResponse } from '../http/message.ts'

/** The parts of a cache key, in order: never joined to one string, so that no two keys can meet. */
export type CacheKey = readonly string[]

/**
 * A place in a store. `record` holds all stored responses (variants) of a key, `body` one body that lies apart from its record.
 * A partition is the signed-in user's space; `''` where there is none.
 */
export type StoreKey =
  | readonly ['record', partition: string, key: CacheKey]
  | readonly ['body', partition: string, key: CacheKey, id: string]

/** All that is stored under one key: up to 16 variants and parts, the most recently stored last. */
export interface StoredRecord {
  readonly v: 1
  readonly responses: readonly StoredResponse[]
}

/** One consistent view of the keys asked for, with the purge log as it stood at that moment. */
export interface Snapshot {
  readonly log: PurgeLog
  /** The partition that the store was last entered for; absent before the first time. */
  readonly partition?: string | undefined
  /** When it was asked for that partition; absent where that is not known. */
  readonly enteredAt?: EpochMs | undefined
  /** Another name each time that another partition is entered than the one before: who was here before, and is again, has missed that somebody else was. */
  readonly sitting?: string | undefined
  /** Whether none of those for which it was entered had a name. */
  readonly unnamed?: boolean | undefined
  /** An unknown key, a damaged value and one of another format are `undefined`. */
  record(partition: string, key: CacheKey): StoredRecord | undefined
  body(partition: string, key: CacheKey, id: string): Uint8Array<ArrayBuffer> | undefined
}

/** One change within a transaction. */
export type Write =
  /** `value: undefined` removes the record with the bodies that lie apart. */
  | {
      readonly kind: 'record'
      readonly partition: string
      readonly key: CacheKey
      readonly value: StoredRecord | undefined
    }
  /** Appends to the log; the store gives it the next number, inside this transaction. */
  | { readonly kind: 'purge'; readonly purge: Omit<PurgeRecord, 'number'> }

/** What was removed, and how many bytes it counted for. */
export interface Removed {
  readonly records: number
  /** Bodies that lay apart from their records. */
  readonly bodies: number
  readonly bytes: number
}

export interface WriteOptions {
  /** `strict`: resolved only when the medium says that it is on disk. */
  readonly durability: 'relaxed' | 'strict'
}

/**
 * Keeps records, bodies and the purge log together, transactionally. Dumb on purpose: it knows nothing of freshness.
 *
 * Every method may reject, and each settles within the store's own deadline; the engine then behaves as if nothing were stored, because a broken cache must
 * never break a page. Implementations prove themselves with `storeContract()` from `nearcache/testing`.
 */
export interface Store {
  /** One consistent view of `keys`, with the log. An unknown key is absent, not an error. */
  read(keys: readonly StoreKey[]): Promise<Snapshot>
  /**
   * Reads `keys` and applies what the synchronous `change` answers, in one transaction where the medium has them.
   * Resolves with the log as it stands after the writes, when the transaction is complete.
   * A store may move the bytes of a large body to a place of their own; a record read back then has that body without `bytes`.
   */
  update(
    keys: readonly StoreKey[],
    change: (snapshot: Snapshot) => readonly Write[],
    options: WriteOptions,
  ): Promise<PurgeLog>
  /**
   * Makes the store that of `partition`, and removes whatever belongs to any other one that has a name: in one strict transaction, so that the one is unreadable before the other opens.
   * What anyone may see (partition `''`) stays. From then on `update` writes no record of another named partition.
   *
   * A store without it keeps partitions apart by their names alone, and never forgets one.
   *
   * @param at - when that was asked for. Where another one has been entered that was asked for later, and not in a time to come, the store stays what it is. Without it, and in a store that does
   *   not know it, who comes last counts
   * @returns `partition`: whose it has stayed; `sitting`: as in a `Snapshot`
   */
  enter?(
    partition: string,
    at?: EpochMs,
  ): Promise<{
    readonly log: PurgeLog
    readonly partition?: string | undefined
    readonly sitting?: string | undefined
    readonly removed: Removed
  }>
  /** Gives back what the store holds open. It may be used again: it then opens anew. */
  close?(): Promise<void>
}

/** What a store reports of itself, beside its answers: for events, never for decisions. */
export type StoreNotice =
  | { readonly type: 'store-failed'; readonly operation: string; readonly error: unknown }
  | {
      readonly type: 'evicted'
      readonly partition: string
      readonly key: CacheKey
      readonly bytes: number
      readonly tier: 'memory' | 'disk'
    }
