import { createStore, get, set } from 'idb-keyval'
import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { ProgressStore } from '../purge/follower.ts'
import { readPosition } from '../purge/messages.ts'

/** How long the database may take, in milliseconds. */
const DEADLINE_MS: Ms = 3_000

/**
 * How far a profile is, in a small IndexedDB database of its own: one place for all its tabs and workers. It shares the fate of what the cache has on disk: both go when the browser's data are cleared.
 *
 * @param name - the cache's: each has a progress of its own
 * @param url - of the feed
 */
export function durableProgress(name: string, url: string, clock: Clock): ProgressStore {
  let store: ReturnType<typeof createStore> | undefined
  const open = () => {
    store ??= createStore(`${name}-purge-feed`, 'progress')
    return store
  }
  const inTime = async <T>(work: Promise<T>): Promise<T> => {
    const done = new AbortController()
    const late = clock.sleep(DEADLINE_MS, done.signal).then(() => {
      throw new DOMException('The progress of the purge feed took too long', 'TimeoutError')
    })
    try {
      return await Promise.race([work, late])
    } finally {
      done.abort()
      late.catch(() => {})
    }
  }
  return {
    // As text: what is of another format is unknown, not half understood.
    get: async () => readPosition((await inTime(get<string>(url, open()))) ?? '') ?? undefined,
    set: (progress) => inTime(set(url, JSON.stringify(progress), open())),
  }
}
