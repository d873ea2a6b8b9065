import type { FeedPurge, Greeting, Position, Slice } from './messages.ts'

/** How far a follower is: everything up to this number was applied. Without a mark only the number is known. */
export interface Progress {
  readonly number: number
  readonly mark?: string | undefined
}

/** Before anything is known: whatever the log still holds is to be applied. */
export const START: Progress = { number: 0 }

/** What a message asks a follower to do. */
export type Step =
  /** It says nothing new. */
  | { readonly do: 'nothing' }
  /** Nothing is to be applied, and this is where the follower is. */
  | { readonly do: 'note'; readonly progress: Progress }
  | { readonly do: 'apply'; readonly purge: FeedPurge; readonly progress: Progress }
  /** What was purged between is not known: everything has to be forgotten, softly, before going on from here. */
  | { readonly do: 'forget'; readonly progress: Progress }
  /** Something before it is missing: the log has to be asked. */
  | { readonly do: 'ask' }

/** The first message of a connection, or the frame of an answer. */
export function onGreeting({ number }: Progress, { complete, ...end }: Greeting | Slice): Step {
  const progress = { number: end.number, mark: end.mark }
  if (!complete) return { do: 'forget', progress }
  // Where nothing is to follow; otherwise the purges bring it forward one by one.
  return end.number === number ? { do: 'note', progress } : { do: 'nothing' }
}

/** A purge counts once, in its turn: an earlier number was applied, a later one has to wait for those before it. */
export function onPurge({ number }: Progress, { selector, mode, spread, ...place }: FeedPurge & Position): Step {
  if (place.number <= number) return { do: 'nothing' }
  if (place.number > number + 1) return { do: 'ask' }
  return { do: 'apply', purge: { selector, mode, spread }, progress: { number: place.number, mark: place.mark } }
}
