import type { Mood } from '../panel/origin-switches.ts'

/** One step of the story that the page plays by itself. */
export interface Step {
  readonly said: string
  readonly mood?: Mood
  readonly isRepriced?: true
  /** How long nothing happens, in seconds: in real time, since the clock of the browser's own cache cannot be put forward. */
  readonly waitS?: number
  /** The visitor leaves the screen and comes back, or closes the tab and opens it again. */
  readonly does: 'visit' | 'page'
}

/** Longer than any cache may show the list without asking, but for errors: 3 s fresh, 3 s more while it is refreshed. */
export const PAST_S = 8

/** A visitor's day, in half a minute. */
export const tour: readonly Step[] = [
  { said: 'The visitor leaves, and comes back.', does: 'visit' },
  { said: 'And once more.', does: 'visit' },
  { said: 'Prices change. A little later the visitor comes back.', isRepriced: true, waitS: 4, does: 'visit' },
  { said: 'The API is slow today.', mood: 'slow', waitS: PAST_S, does: 'visit' },
  { said: 'The tab is closed, and opened again.', waitS: PAST_S, does: 'page' },
  { said: 'The API is down, and the tab is opened again.', mood: 'dead', waitS: PAST_S, does: 'page' },
]
