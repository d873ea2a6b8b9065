import { createCache } from '../../src/index.development.ts'
import type { CacheEvent, CacheOptions, NearCache } from '../../src/index.ts'
import {
  type ScriptedOrigin,
  scriptedOrigin,
  seededRandom,
  type VirtualClock,
  type VirtualIndexedDb,
  virtualClock,
  virtualIndexedDB,
} from '../../src/testing/index.ts'

/** A page with a cache of its own, on the database of all. */
export interface Page {
  readonly cache: NearCache
  readonly events: CacheEvent[]
}

/** Globals by their names, with what their getters give. */
export type Globals = Readonly<Record<string, () => unknown>>

export interface Profile {
  readonly database: VirtualIndexedDb
  readonly clock: VirtualClock
  readonly origin: ScriptedOrigin & { readonly url: string }
  /** Another tab, or the next load of the page. `globals` are there in the place of the database. */
  open(options?: CacheOptions, globals?: Globals): Page
}

/** A browser's profile: pages that share a database, time, and an origin that says of each body which one it is. */
export async function profile(): Promise<Profile> {
  const database = await virtualIndexedDB()
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  origin.serves('*', ({ path, seq }) => ({ cacheControl: 'max-age=600', json: { path, seq } }))
  let opened = 0
  return {
    database,
    clock,
    origin,
    open(options, globals = { indexedDB: () => database.factory, IDBKeyRange: () => database.keyRange }) {
      const random = seededRandom(++opened)
      const cache = withGlobals(globals, () =>
        createCache({ fetch: origin.fetch, base: origin.url, clock, random, ...options }),
      )
      const events: CacheEvent[] = []
      cache.on((event) => events.push(event))
      return { cache, events }
    },
  }
}

/** Runs `work` where these globals give what is said: a cache looks for its database when it is made. */
function withGlobals<T>(globals: Globals, work: () => T): T {
  for (const [name, get] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { configurable: true, get })
  try {
    return work()
  } finally {
    for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name)
  }
}

/** What went wrong with the store, in order. */
export const failures = (events: readonly CacheEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'store-failed'
      ? [`${event.operation}: ${event.error instanceof DOMException ? event.error.name : String(event.error)}`]
      : [],
  )

/** Everything that lies in a database, by hand. */
export const rowsOf = ({ factory }: VirtualIndexedDb, name = 'nearcache'): Promise<Array<[IDBValidKey, unknown]>> =>
  byHand(factory, name, 'readonly', (objects) => {
    const [keys, values] = [objects.getAllKeys(), objects.getAll()]
    return () => keys.result.map((key, index): [IDBValidKey, unknown] => [key, values.result[index]])
  })

/** Opens a database by hand, does `work` in one transaction, and gives what it gives at the end. */
export function byHand<T>(
  factory: IDBFactory,
  name: string,
  mode: IDBTransactionMode,
  work: (objects: IDBObjectStore) => () => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = factory.open(name)
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const database = opening.result
      const transaction = database.transaction('nearcache', mode)
      const result = work(transaction.objectStore('nearcache'))
      transaction.oncomplete = () => {
        database.close()
        resolve(result())
      }
      transaction.onabort = () => reject(transaction.error)
    }
  })
}

/** What a promise came to, for a test that lets time pass meanwhile. */
export function watched<T>(work: Promise<T>): {
  readonly state: 'pending' | 'fulfilled' | 'rejected'
  readonly value?: T
} {
  const watch: { state: 'pending' | 'fulfilled' | 'rejected'; value?: T } = { state: 'pending' }
  work.then(
    (value) => Object.assign(watch, { state: 'fulfilled', value }),
    () => Object.assign(watch, { state: 'rejected' }),
  )
  return watch
}
