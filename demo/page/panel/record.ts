import type { CacheEvent, DecisionNumbers, Explanation } from 'nearcache'
import { useSyncExternalStore } from 'react'
import { cache } from '../cache.ts'
import { clock } from '../clock.ts'
import { causes } from './causes.ts'

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
  /** Which context has asked the origin for it, or had it confirmed last. */
  readonly askedBy?: Explanation['askedBy']
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

/** The latest request to `url` that `isMeant`. */
const latest = (url: string, isMeant: (entry: RequestEntry) => boolean): RequestEntry | undefined =>
  entries.find((entry): entry is RequestEntry => entry.kind === 'request' && entry.url === url && isMeant(entry))

function change({ id }: RequestEntry, to: Partial<RequestEntry>): void {
  set(entries.map((entry) => (entry.id === id ? ({ ...entry, ...to } as Entry) : entry)))
}

const isWaiting = ({ behind }: RequestEntry) => behind === 'waiting'

cache.on((event) => {
  switch (event.type) {
    case 'answered': {
      const { url, method, cause, status, durationMs, bytesSaved, msSaved, numbers } = event
      const { source } = causes[cause]
      const isAsked = ['origin', 'confirmed', 'past'].includes(source) && cause !== 'collapsed'
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
        ...(isAsked && { askedBy: 'here' }),
        ...(refreshes && { behind: 'waiting' }),
      }
      set([entry, ...entries])
      if (!isAsked || (!numbers && method === 'GET')) measure(entry)
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
      told(event.url, 'new')
      break
    case 'freshened':
      told(event.url, 'unchanged')
      break
    case 'failed': {
      const waiting = latest(event.url, isWaiting)
      if (waiting) change(waiting, { behind: 'failed' })
      break
    }
    case 'purged':
      set([{ kind: 'purge', id: nextId++, mode: event.mode, urls: event.urls ?? [] }, ...entries])
      break
  }
})

/** The refresh behind a stale answer has come to this. What was answered without being stored yet has its lifetime now. */
function told(url: string, behind: 'new' | 'unchanged'): void {
  const waiting = latest(url, isWaiting)
  if (waiting) {
    change(waiting, { behind })
    measure(waiting, true)
  }
  const unmeasured = latest(url, ({ numbers, method }) => !numbers && method === 'GET')
  if (unmeasured) measure(unmeasured)
}

/**
 * A response is passed on while it is stored, so its lifetime is known a little later than the answer; and who has asked for it is for the store to say.
 *
 * @param isNew - whether there is another one by now
 */
async function measure({ id, url }: RequestEntry, isNew = false): Promise<void> {
  const { numbers, askedBy } = await cache.explain(url, {
    headers: { 'accept-language': document.documentElement.lang },
  })
  const entry = entries.find((one): one is RequestEntry => one.kind === 'request' && one.id === id)
  if (!entry) return
  change(entry, {
    ...(numbers && !entry.numbers && { numbers, at: clock.now() }),
    ...(askedBy && (isNew || !entry.askedBy) && { askedBy }),
  })
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** What has happened, latest first. */
export const useEntries = (): readonly Entry[] => useSyncExternalStore(subscribe, () => entries)
