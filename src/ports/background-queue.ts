/** Lets background work go one after another, behind what users wait for. */
export interface BackgroundQueue {
  /**
   * Does `work` at once, later, or not at all: only a few at a time for each origin; the longest waiting is dropped when too much waits; nothing is done for a user who saves data or does not look.
   *
   * @param name - what is done: the same is not queued twice
   * @returns resolves when it is done or dropped; `work` must not reject
   */
  take(url: string, name: string | undefined, work: () => Promise<unknown>): Promise<void>
  /** Whether the user saves data, or does not look. */
  isQuiet(): boolean
}
