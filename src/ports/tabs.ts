import type { Epoch, EpochMs, Ms, PurgeRecord } from '../http/message.ts'
import type { CacheKey } from './store.ts'

/** What one context tells the others. A hint: whoever hears it looks into the store, which alone is the truth. */
export type Hint =
  /** A purge is in the shared log, under `epoch`; without one the log could not take it. */
  | {
      readonly kind: 'purged'
      readonly purge: Omit<PurgeRecord, 'number'>
      readonly epoch?: Epoch | undefined
      /** What is looked at is to be read anew within so many milliseconds. */
      readonly spreadMs?: Ms | undefined
    }
  /** What is stored under a key has changed on the disk. */
  | { readonly kind: 'stored'; readonly partition: string; readonly key: CacheKey }
  /** How an origin is, as one context has found it. */
  | { readonly kind: 'health'; readonly news: unknown }
  /** Another partition was entered: look. `partition`: which one, `at`: when that was asked for; an older version does not say. `untold`: the store could not be told, so there is nothing to look at. */
  | {
      readonly kind: 'look'
      readonly partition?: string | undefined
      readonly at?: EpochMs | undefined
      readonly untold?: boolean | undefined
    }

/** A context's turn. */
export interface Turn {
  leave(): void
  /** Whether it was taken from another context, or left by it, whose request may still be under way: as far as is known now. */
  isTakenOver(): boolean
}

/** The other tabs and workers of this profile. Without any of it everything goes on, with more requests. */
export interface Tabs {
  /** Tells all others, with everything else that is to be told at this moment. */
  tell(hint: Hint): void
  /**
   * One at a time among all contexts: resolves when it is this one's turn. `undefined`: there is nobody to wait for, or it would be in vain; go on without.
   * Waits for `lockMs`, and then takes the turn from a holder that may be frozen or dead; of all who wait only one does.
   *
   * @param what - a name; it is shown to nobody
   * @throws the reason of `signal`
   */
  turn(what: string, signal: AbortSignal): Promise<Turn | undefined>
  /** The same without waiting; `busy` when another one has it. */
  turnIfFree(what: string): Promise<Turn | 'busy' | undefined>
  /** What was waited for cannot be shared: for a while nobody need wait for it (hit-for-miss). */
  unshared(what: string): void
  /** Whether others can be waited for at all. */
  readonly hasTurns: boolean
}
