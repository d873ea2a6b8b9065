/**
 * What happens to a page as a whole:
 * - `hidden`: it goes, for good or into the back/forward cache, or is frozen. It must keep nothing open.
 * - `restored`: it is back, from there or from a freeze. What others told meanwhile may be lost.
 * - `shown`: a user sees it again. What others told may have been late.
 */
export type Stage = 'hidden' | 'restored' | 'shown'

/** Tells of each stage until the function that it returns is called. Where there are no stages (Node, workers) it tells nothing. */
export type WatchLifecycle = (listener: (stage: Stage) => void) => () => void
