/**
 * What went wrong, for programs:
 * - `option`: an option of `createCache()` or of a call is wrong; `path` names it.
 * - `status`: `json()` got a response that is not ok; `response` carries it.
 * - `parse`: the body is not JSON; `response` carries status and fields (its body is used).
 * - `schema`: the body does not fit the caller's schema; `issues` says where.
 * - `storage`: `setPartition()` could not empty the disk; `cause` says why.
 * - `worker`: a service worker could not be registered, or the app shell not be installed; `cause` says why.
 * - `state`: `hydrate()` was given something that `dehydrate()` of this version did not make, or something was used after its end.
 * - `forward`: a purge hub's CDN did not take a purge; `cause` says why.
 */
export type CacheErrorCode = 'option' | 'status' | 'parse' | 'schema' | 'storage' | 'worker' | 'state' | 'forward'

/** What a `CacheError` carries beside its message. */
export interface CacheErrorDetails {
  readonly path?: string | undefined
  readonly response?: Response | undefined
  readonly issues?: readonly unknown[] | undefined
  readonly cause?: unknown
}

/** The one error class of nearcache. The message says what was given, what is allowed and what to do next. A network error is fetch's own `TypeError`, never this. */
export class CacheError extends Error {
  override readonly name = 'CacheError'
  readonly code: CacheErrorCode
  /** The option's path, as `memory.maxBytes`. */
  readonly path?: string | undefined
  readonly response?: Response | undefined
  readonly issues?: readonly unknown[] | undefined

  constructor(code: CacheErrorCode, message: string, details: CacheErrorDetails = {}) {
    super(`${message} (${code})`, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.path = details.path
    this.response = details.response
    this.issues = details.issues
  }
}

/** Whether something ended because time was over, as `AbortSignal.timeout()` says it, and not because its owner wants nothing any more. */
export const isTimeout = (reason: unknown): boolean => reason instanceof DOMException && reason.name === 'TimeoutError'
