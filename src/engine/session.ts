import type { CacheRequestInit } from './api.ts'
import type { Core } from './core.ts'
import type { JsonViews } from './json-views.ts'
import type { Presented } from './presented.ts'

/** What one partition has of its own, for as long as it is entered: nothing of it reaches the next one. */
export interface Session {
  readonly core: Core
  readonly views: JsonViews
  read(input: RequestInfo | URL, init?: CacheRequestInit): Presented
  /** Why nothing of it may be given to anyone any more. */
  over?: DOMException
  /** What came after it, when another context has entered another partition: for as long as that lasts, what was asked for here goes past the cache. */
  next?: Session
  /** Whether another context has entered another partition: everything bypasses. */
  readonly isOutside: boolean
}

/** Nothing of it is given to anyone from now on. */
export function end(session: Session): void {
  session.over = new DOMException('The partition of this request was left', 'AbortError')
  session.core.flights.close(session.over)
}
