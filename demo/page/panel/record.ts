import type { CacheEvent, DecisionNumbers } from 'nearcache'
import { useSyncExternalStore } from 'react'
import { cache } from '../cache.ts'
import { clock } from '../clock.ts'

type Answered = Extract<CacheEvent, { type: 'answered' }>

/** One request of the shop, and how it was answered. */
export interface RequestEntry {
  readonly kind: 'request'
  readonly id: number
  readonly url: string
  readonly method: string
  /** `rejected`: there was no response at all. */
  readonly cause: Answered['cause'] | 'rejected'
  readonly status: number
  readonly durationMs: number
  readonly bytesSaved: number
  readonly msSaved: number
  /** Age and lifetime of what is stored, and the moment at which they were so. Absent for what is not stored. */
  readonly numbers?: DecisionNumbers
  readonly at: number
  /** What became of the refresh behind a stale answer. */
  readonly behind?: 'waiting' | 'unchanged' | 'new' | 'failed'
}

/** A purge, between the requests before and after it. */
export interface PurgeEntry {
  readonly kind: 'purge'
  readonly id: number
  readonly mode: Extract<CacheEvent, { type: 'purged' }>['mode']
  readonly urls: readonly string[]
}

export type Entry = RequestEntry | PurgeEntry

/** Longer than anyone reads back. */
const MAX_ENTRIES = 150

let entries: readonly Entry[] = []
let nextId = 1
const listeners = new Set<() => void>()

function set(next: readonly Entry[]): void {
  entries = next.slice(0, MAX_ENTRIES)
  for (const listener of listeners) listener()
}

/** Replaces the latest request to `url` that `isMeant`. */
function amend(url: string, isMeant: (entry: RequestEntry) => boolean, change: Partial<RequestEntry>): void {
  const meant = entries.find((entry) => entry.kind === 'request' && entry.url === url && isMeant(entry))
  if (meant) set(entries.map((entry) => (entry === meant ? ({ ...entry, ...change } as Entry) : entry)))
}

const isWaiting = ({ behind }: RequestEntry) => behind === 'waiting'

cache.on((event) => {
  switch (event.type) {
    case 'answered': {
      const { url, method, cause, status, durationMs, bytesSaved, msSaved, numbers } = event
      const refreshes = ['stale-while-revalidate', 'early-refresh', 'soft-deadline'].includes(cause)
      const entry: RequestEntry = {
        kind: 'request',
        id: nextId++,
        url,
        method,
        cause,
        status,
        durationMs,
        bytesSaved,
        msSaved,
        at: clock.now(),
        ...(numbers && { numbers }),
        ...(refreshes && { behind: 'waiting' }),
      }
      set([entry, ...entries])
      if (!numbers && method === 'GET') measure(url)
      break
    }
    case 'rejected': {
      const { url } = event
      const nothing = { status: 0, durationMs: 0, bytesSaved: 0, msSaved: 0 }
      const entry: Entry = {
        kind: 'request',
        id: nextId++,
        url,
        method: '',
        cause: 'rejected',
        ...nothing,
        at: clock.now(),
      }
      set([entry, ...entries])
      break
    }
    case 'stored':
      amend(event.url, isWaiting, { behind: 'new' })
      measure(event.url)
      break
    case 'freshened':
      amend(event.url, isWaiting, { behind: 'unchanged' })
      break
    case 'failed':
      amend(event.url, isWaiting, { behind: 'failed' })
      break
    case 'purged':
      set([{ kind: 'purge', id: nextId++, mode: event.mode, urls: event.urls ?? [] }, ...entries])
      break
  }
})

/** A response is passed on while it is stored, so its lifetime is known a little later than the answer. */
async function measure(url: string): Promise<void> {
  const { numbers } = await cache.explain(url, { headers: { 'accept-language': document.documentElement.lang } })
  if (numbers) amend(url, (entry) => !entry.numbers && entry.method === 'GET', { numbers, at: clock.now() })
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** What has happened, latest first. */
export const useEntries = (): readonly Entry[] => useSyncExternalStore(subscribe, () => entries)
