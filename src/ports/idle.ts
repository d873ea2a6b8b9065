/** Resolves when there is nothing more urgent to do here, be it soon or not for long. */
export type Idle = () => Promise<void>
