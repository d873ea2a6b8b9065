import type { Epoch, Ms, PurgeLog, PurgeRecord, StoredResponse } from '../http/message.ts'
import type { CacheKey, StoredRecord } from './store.ts'

/**
 * What the engine talks to: memory, at once, over a durable store, behind. It never rejects and never hangs: what fails is a notice, and counts as absent.
 */
export interface TieredStore {
  /** What memory holds, with every body at hand. Counts as a visit for the eviction. */
  peek(key: CacheKey): StoredRecord | undefined
  /**
   * All that memory and the durable store hold, together, every body at hand; kept in memory where it fits. Waits for the writes of this key that are under
   * way, and contains what came into memory meanwhile. A response whose body is gone is absent.
   */
  read(key: CacheKey): Promise<StoredRecord | undefined>
  /**
   * Changes a record: in memory at once, in the durable store behind. `change` is synchronous and may be called once for each tier, with what that
   * tier holds (bodies that lie apart without their bytes); it answers the new record, `undefined` to remove it, or its argument to leave it. Responses
   * marked `memoryOnly` never reach the durable store, and neither do those of another incarnation.
   *
   * @returns resolves when it is done everywhere: `false` when there is no durable store that took it
   */
  update(key: CacheKey, change: (record: StoredRecord | undefined) => StoredRecord | undefined): Promise<boolean>
  /**
   * Appends to the log: in force in memory from the call on; resolves when the durable store has it (`durable: true`) or has failed. When it has failed,
   * nothing is read from it before it has taken the purge. Other contexts are told, and within `spreadMs` they read anew what is looked at there.
   */
  purge(
    purge: Omit<PurgeRecord, 'number'>,
    spreadMs?: Ms,
  ): Promise<{ readonly epoch: Epoch; readonly durable: boolean }>
  /** The log as this context knows it, with the purges that are on their way to the durable store. */
  log(): PurgeLog
  /** What a request sent now carries. Purges on their way do not count yet: what is sent meanwhile counts as sent before them. */
  epoch(): Epoch
  /** Takes over what another context has stored under a key, in the place of what memory has of it; `undefined` when it was written here meanwhile, or cannot be read. */
  reread(
    key: CacheKey,
  ): Promise<{ readonly before: readonly StoredResponse[]; readonly after: readonly StoredResponse[] } | undefined>
  /** While purges of other contexts may have been missed: resolves when the log has been read, or cannot be. Until then `log()` trusts nothing. */
  doubt(): Promise<unknown> | undefined
  /** Whether there is a durable store, and it did what was last asked of it. */
  isDurable(): boolean
  /** Whether the durable store, or this context, has been seen to be somebody's: then what lies below may be theirs, though nobody is signed in by now. */
  hasBeenEntered(): boolean
  /** Everything that memory holds. */
  records(): Iterable<readonly [key: CacheKey, record: StoredRecord]>
  /** Bytes held in memory. */
  memoryBytes(): number
  close(): Promise<void>
}
