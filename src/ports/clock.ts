import type { EpochMs, Ms } from '../http/message.ts'

/** The only source of time. */
export interface Clock {
  /** The wall clock. It may be wrong, and may be set back. */
  now(): EpochMs
  /**
   * A clock that nobody sets and that never goes back, from any start; it may stand still while the machine sleeps. With it a wall clock that was set back while nobody looked is noticed.
   *
   * @param at - what the wall clock has just said: it may answer again what it answered for the same moment, where looking costs much
   */
  monotonic?(at?: EpochMs): Ms
  /** Resolves after `ms`; rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(ms: Ms, signal?: AbortSignal): Promise<void>
}
