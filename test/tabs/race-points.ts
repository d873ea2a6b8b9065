/** Where a purge can meet a response on its way into the store (FAULTS F-56). */
export const points = [
  'before dispatch',
  'after headers',
  'mid-body',
  'before the transaction',
  'inside the transaction',
  'after the transaction',
  'before others are told',
] as const
export type Point = (typeof points)[number]

/** Where the reads are under way while the first page purges. */
export const places = ['the same tab', 'another tab', 'the worker'] as const

export const selections = ['url', 'tag', 'pattern', 'all'] as const

/** Reads that one purge meets. */
export interface Round {
  readonly point: Point
  readonly place: (typeof places)[number]
  readonly selection: (typeof selections)[number]
  readonly mode: 'soft' | 'hard'
  /** How many are under way at once. */
  readonly count: number
  /** Whether they go on before the purge is on disk, or after. */
  readonly early: boolean
}

/** What the origin answers. */
export interface Body {
  readonly path: string
  /** Grows with each purge: what was asked for before one has a lower one than what was asked for after it. */
  readonly version: number
}
