import type { EpochMs, Ms } from '../http/message.ts'

/** The only source of time. */
export interface Clock {
  /** The wall clock. It may be wrong, and may be set back. */
  now(): EpochMs
  /** Resolves after `ms`; rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(ms: Ms, signal?: AbortSignal): Promise<void>
}
