/** What tells that somebody looks at the page again, or that it may reach its origin again. */
export interface PageEvents {
  /** Calls `listener` until `signal` is aborted. */
  listen(listener: (event: 'focus' | 'reconnect') => void, signal: AbortSignal): void
  /** Whether somebody may see the page; where there is none, nobody can. */
  isVisible(): boolean
}
