import type { ReactNode } from 'react'

/** A piece, as the screen shows it. */
export interface Piece {
  readonly slug: string
  readonly name: string
  readonly price: number
}

/** What the screen gets of one request, whoever has asked. */
export interface Answer<T> {
  readonly data: T | undefined
  readonly failed: boolean
}

/** One way of reading the shop's API. */
export interface Lane {
  /** Also the mark in its URLs, by which the origin's own log tells the lanes apart. */
  readonly id: 'fetch' | 'tanstack' | 'nearcache'
  readonly name: string
  /** The whole of what a developer writes for it, in short. */
  readonly code: string
  /** As a visitor's page begins: whatever it had in memory is gone; gives what wraps the screen. */
  begin(): Promise<(screen: ReactNode) => ReactNode>
  /** A hook. */
  useRead<T>(path: string): Answer<T>
}
