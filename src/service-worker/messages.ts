import type { HeaderList } from '../http/message.ts'

/**
 * What a page says to its worker. A page of one version may have a worker of another (Service Workers, update): each message carries the number of its format, and what is not known is ignored. A
 * message can be lost, when the worker is stopped: nothing rests on one.
 */
export type ToWorker =
  /** The waiting worker may take over. */
  | { readonly nearcache: 1; readonly type: 'skip-waiting' }
  /** Something was entered or left: the database is to be looked at. */
  | { readonly nearcache: 1; readonly type: 'look' }
  /** The page goes, and leaves these refreshes unfinished. */
  | { readonly nearcache: 1; readonly type: 'refresh'; readonly requests: readonly Refresh[] }

/** A request that is made anew. Without `credentials`, as pages of version 0.1 send it, as usual. */
export interface Refresh {
  readonly url: string
  readonly headers: HeaderList
  readonly credentials?: RequestCredentials | undefined
}

/** Refreshes taken over at once from one page, at most. */
const MAX_REFRESHES = 50

/** What was received, if it is one of ours, of a format that is known here, and whole. */
export function readMessage(data: unknown): ToWorker | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { nearcache, type, requests } = data as Record<string, unknown>
  if (nearcache !== 1) return undefined
  if (type === 'skip-waiting' || type === 'look') return { nearcache, type }
  if (type !== 'refresh' || !Array.isArray(requests)) return undefined
  return { nearcache, type, requests: requests.filter(isRefresh).slice(0, MAX_REFRESHES) }
}

const isRefresh = (value: unknown): value is Refresh =>
  typeof value === 'object' &&
  value !== null &&
  'url' in value &&
  typeof value.url === 'string' &&
  'headers' in value &&
  (!('credentials' in value) || ['omit', 'same-origin', 'include', undefined].includes(value.credentials as string)) &&
  Array.isArray(value.headers) &&
  value.headers.every(
    (line) => Array.isArray(line) && line.length === 2 && line.every((part) => typeof part === 'string'),
  )
