/**
 * Carries hints to the other contexts of this profile: tabs and workers of the same origin. Nothing may rest on it: a message can be lost, doubled, late, out of order, of another version of this
 * library, or somebody else's. The truth is in the store.
 */
export interface Channel {
  /** Tells all others, never oneself. Plain cloneable data; what cannot be sent is lost. Never throws. */
  post(message: unknown): void
  /** Gives the channel back. An open one keeps a page out of the back/forward cache. */
  close(): void
}

/** Opens the channel of that name; `undefined` where there is none. */
export type OpenChannel = (name: string, onMessage: (message: unknown) => void) => Channel | undefined
