/** What tells that somebody looks at the page again, or that it may reach its origin again. */
export interface PageEvents {
  /** Returns the function that ends it. */
  listen(listener: (event: 'focus' | 'reconnect') => void): () => void
  /** Whether somebody may see the page; where there is none, nobody can. */
  isVisible(): boolean
}
