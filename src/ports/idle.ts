/**
 * Resolves when there is nothing more urgent to do here, be it soon or not for long: in a page that nobody sees perhaps never.
 *
 * @param signal - not aborted yet; when it is, nobody waits any more, and what waited is let go of
 * @throws the reason of `signal`
 */
export type Idle = (signal: AbortSignal) => Promise<void>
