/** What this context knows of how origins do. It only ever saves requests: what nothing can answer otherwise is sent, whatever is known. */
export interface Health {
  /** Whether what can be answered otherwise should be, because requests like this one have failed lately. */
  isIll(url: string): boolean
  /** Whether a request that nobody waits for may be sent now. While the origin is ill that is one at a time, and only when its next probe is due: who is told `true` makes it. */
  admits(url: string): boolean
}
