// What the pages of under-fire.chromium.e2e.ts run. It stands on `globalThis.fire`, where a test calls it by name.

import type { CacheEvent, CacheOptions, NearCache } from '../../src/index.ts'
import { createCache } from '../../src/index.ts'

/** An answer as the page had it. */
export interface Answer {
  /** Which answer of the origin it is. */
  readonly seq: number
  readonly path: string
  /** Whether its body is whole. */
  readonly isWhole: boolean
  readonly cause: string
}

const events: CacheEvent[] = []
const errors: string[] = []
addEventListener('error', ({ message }) => errors.push(message))
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))

let cache: NearCache

/** Connections and transactions that are held until the page says otherwise. */
let release = () => {}

const settle = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const connect = (version?: number): Promise<IDBDatabase> => {
  const opening = indexedDB.open('nearcache', version)
  opening.onupgradeneeded = () => {
    if (!opening.result.objectStoreNames.contains('nearcache')) opening.result.createObjectStore('nearcache')
  }
  return settle(opening)
}

const here = {
  open(options: CacheOptions = {}): void {
    cache = createCache({
      // What the browser's own cache below holds is another matter.
      fetch: (input, init) => fetch(input, { ...init, cache: 'no-store' }),
      earlyExpiry: false,
      ...options,
    })
    cache.on((event) => events.push(event))
  },

  async read(path: string): Promise<Answer> {
    const response = await cache.fetch(path)
    const cause = /detail=([\w-]+)/.exec(response.headers.get('cache-status') ?? '')?.[1] ?? ''
    const { seq, path: of, pad } = await response.json()
    return { seq, path: of, isWhole: pad === `${of} ${seq}`.padEnd(pad.length, '.'), cause }
  },

  purge: (url: string) => cache.purge({ url }, { mode: 'hard' }),
  settled: () => cache.settled(),

  /** What has failed so far, and what nobody has caught. */
  told: () => ({
    failures: events.flatMap((event) =>
      event.type === 'store-failed'
        ? [`${event.operation}: ${event.error instanceof DOMException ? event.error.name : event.error}`]
        : [],
    ),
    evicted: events.filter(({ type }) => type === 'evicted').length,
    errors,
  }),

  /** The keys of all records on disk, as the paths of their URLs. */
  async stored(): Promise<string[]> {
    const database = await connect()
    const keys = await settle(database.transaction('nearcache').objectStore('nearcache').getAllKeys())
    database.close()
    return (keys as unknown as [string, string, string[]][])
      .filter(([kind]) => kind === 'record')
      .map(([, , [url]]) => new URL(url ?? '').pathname)
  },

  /** Connects as an old tab does: it does not step aside. */
  async stayConnected(): Promise<void> {
    const database = await connect()
    release = () => database.close()
  },
  /** Holds a transaction that writes open, uncommitted. */
  async holdTransaction(): Promise<void> {
    const database = await connect()
    const objects = database.transaction('nearcache', 'readwrite').objectStore('nearcache')
    let isHeld = true
    const spin = () => {
      if (isHeld) objects.get('nothing').onsuccess = spin
    }
    objects.put('held', 'held').onsuccess = spin
    release = () => {
      isHeld = false
      database.close()
    }
  },
  release: () => release(),
  /** Asks for a newer version, and does not wait for it. */
  upgrade(version: number): void {
    connect(version).then((database) => database.close())
  },
  async upgraded(version: number): Promise<number> {
    const database = await connect(version)
    database.close()
    return database.version
  },
  /** Puts something into the database by hand, and looks for it. */
  async put(name: string): Promise<void> {
    const database = await connect()
    await settle(database.transaction('nearcache', 'readwrite').objectStore('nearcache').put(name, name))
    database.close()
  },
  async has(name: string): Promise<boolean> {
    const database = await connect()
    const found = await settle(database.transaction('nearcache').objectStore('nearcache').get(name))
    database.close()
    return found !== undefined
  },
  /** Asks for the database to go, and does not wait for it. */
  remove(): void {
    indexedDB.deleteDatabase('nearcache')
  },
}

declare global {
  var fire: typeof here
}
globalThis.fire = here
