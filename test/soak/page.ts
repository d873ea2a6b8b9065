import { createCache } from '../../src/index.ts'
import { unsealedRecord } from '../../src/stores/seal.ts'
import { sizeOf } from '../../src/stores/stored-record.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { type BodyFacts, type Item, items, readBody } from './body.ts'

declare global {
  /** Tells the soak, before anything else happens: the pipe that it goes through outlives the browser. */
  var tell: (text: string) => void
}

/** What the page tells while it works. */
export type Told =
  | {
      readonly type: 'purged'
      readonly mode: 'soft' | 'hard'
      /** What it covers. */
      readonly names: readonly string[]
      /** When it was asked for. */
      readonly asked: number
      readonly epoch: { readonly incarnation: string; readonly number: number }
      readonly durable: boolean
    }
  /** A moment lies in a database beside the cache's own, too, written strictly as purges are. */
  | { readonly type: 'witnessed'; readonly asked: number }
  | { readonly type: 'answered'; readonly cause: string }
  | { readonly type: 'store-failed'; readonly what: string }
  | { readonly type: 'broken'; readonly what: string }

/** One response as it lies on the disk. */
export interface OnDisk {
  readonly url: string
  readonly name: string
  readonly tags: readonly string[]
  readonly epoch: { readonly incarnation: string; readonly number: number }
  /** What its body says of itself; absent: not whole, or not there. */
  readonly body?: BodyFacts
}

/** The database, read without the cache. */
export interface Disk {
  readonly log?: {
    readonly incarnation: string
    readonly last: number
    readonly floor: number
    readonly purges: readonly { readonly number: number; readonly mode: string; readonly selector: Selector }[]
  }
  readonly responses: readonly OnDisk[]
  /** Keys of what is not a record of ours. */
  readonly unreadable: readonly string[]
  /** Bytes in use, as the store counts them, and as they lie there: of records and of bodies that no record names. */
  readonly counted: number
  readonly lying: number
  /** Bytes of the largest record. */
  readonly largest: number
}

export interface Selector {
  readonly urls?: readonly string[]
  readonly tags?: readonly string[]
  readonly pattern?: string
  readonly all?: true
}

/** An answer without the network. */
export interface Served {
  readonly name: string
  readonly mode: 'only-if-cached' | 'default'
  readonly cause: string
  readonly body?: BodyFacts
}

export interface Walk {
  /** Absent: there is no database. */
  readonly disk?: Disk
  readonly served: readonly Served[]
  readonly failures: readonly string[]
  /** The moment that lies in a database beside the cache's own; 0: none. Where it is behind what was told, the browser has lost what had been written. */
  readonly witness: number
}

export interface Plan {
  readonly seed: number
  /** Where the count of requests and purges goes on. */
  readonly asked: number
  /** Per name, when the last hard purge was asked for that has resolved. */
  readonly purged: Readonly<Record<string, number>>
}

const NAME = 'soak'
const WITNESS = 'witness'
/** Small enough that there is always something to evict. */
const DISK = { maxBytes: 3 * 2 ** 20, maxEntryBytes: 2 ** 20 }
const MEMORY = { maxBytes: 2 ** 19, maxEntryBytes: 2 ** 18 }
const WORKERS = 5

const headersOf = ({ variant }: Item): Record<string, string> => (variant ? { 'x-variant': variant } : {})

/** Looks at everything that a killed browser has left: through a cache that knows nothing yet and reaches no origin, and without one. */
export async function walk(isCacheFirst: boolean): Promise<Walk> {
  const early = isCacheFirst ? await readThroughCache() : undefined
  const witness = await withWitness('readonly', (objects) => objects.get(WITNESS))
  const disk = await readDisk()
  return { ...(disk && { disk }), ...(early ?? (await readThroughCache())), witness: witness ?? 0 }
}

async function readThroughCache(): Promise<Pick<Walk, 'served' | 'failures'>> {
  const failures: string[] = []
  const cache = createCache({
    name: NAME,
    disk: DISK,
    memory: MEMORY,
    earlyExpiry: false,
    // The disk alone answers, however slow the machine is.
    deadlines: { diskMs: 60_000 },
    fetch: async () => {
      throw new TypeError('There is no network')
    },
  })
  cache.on((event) => {
    if (event.type === 'store-failed') failures.push(`${event.operation}: ${event.error}`)
  })
  async function ask(item: Item, mode: Served['mode']): Promise<Served[]> {
    const init = { cache: mode, mode: 'same-origin', headers: headersOf(item) } as const
    const response = await cache.fetch(item.path, init).catch((error: unknown) => {
      if (!(error instanceof TypeError)) throw error
      return undefined
    })
    if (!response) return []
    const cause = /detail=([\w-]+)/.exec(response.headers.get('cache-status') ?? '')?.[1] ?? ''
    const body = readBody(new Uint8Array(await response.arrayBuffer()))
    return [{ name: item.name, mode, cause, ...(body && { body }) }]
  }
  const unasked = await Promise.all(items.map((item) => ask(item, 'only-if-cached')))
  const offline = await Promise.all(items.map((item) => ask(item, 'default')))
  await cache.close()
  return { served: [...unasked, ...offline].flat(), failures }
}

/** The database as it lies there. This is the one place that knows the format beside the store itself. */
async function readDisk(): Promise<Disk | undefined> {
  // Opening it would make one.
  if (!(await indexedDB.databases()).some(({ name }) => name === NAME)) return undefined
  const database = await open(NAME)
  const [store] = database.objectStoreNames
  if (!store) throw new Error('The database has no object store')
  const objects = database.transaction(store).objectStore(store)
  const [keys, values] = await Promise.all([settle(objects.getAllKeys()), settle(objects.getAll())])
  database.close()

  const entries = new Map(keys.map((key, index) => [JSON.stringify(key), values[index]]))
  const found = (...key: unknown[]) => entries.get(JSON.stringify(key))
  const responses: OnDisk[] = []
  const unreadable: string[] = []
  const named = new Set<string>()
  let [lying, largest] = [0, 0]
  for (const [name, value] of entries) {
    const [kind, partition, key] = JSON.parse(name)
    if (kind !== 'record') continue
    const record = unsealedRecord(value, name)
    if (!record) {
      unreadable.push(name)
      continue
    }
    lying += sizeOf(record)
    largest = Math.max(largest, sizeOf(record))
    for (const { url, nominated, tags, epoch, body } of record.responses) {
      named.add(JSON.stringify(['body', partition, key, body.id]))
      const bytes = body.bytes ?? found('body', partition, key, body.id)?.bytes
      const facts = bytes instanceof Uint8Array && bytes.byteLength === body.size ? readBody(bytes) : undefined
      const variant = nominated.find(([field]) => field === 'x-variant')
      const path = new URL(url).pathname
      const ours = { url, name: variant ? `${path}#${variant[1]}` : path, tags, epoch }
      responses.push({ ...ours, ...(facts && { body: facts }) })
    }
  }
  for (const [name, value] of entries)
    if (name.startsWith('["body"') && !named.has(name)) lying += value.bytes.byteLength
  const head = found('meta', 'log')
  const log = head && { ...head, purges: found('meta', 'purges') ?? [] }
  const counted = found('meta', 'space')?.bytes ?? 0
  return { ...(log && { log }), responses, unreadable, counted, lying, largest }
}

/** When LevelDB finds its log damaged, Chromium fails one attempt to open, and starts anew with the next one. */
const open = (name: string): Promise<IDBDatabase> => {
  const attempt = () => {
    const request = indexedDB.open(name)
    if (name === WITNESS) request.onupgradeneeded = () => request.result.createObjectStore(WITNESS)
    return settle(request)
  }
  return attempt().catch(attempt)
}

async function withWitness<T>(mode: IDBTransactionMode, work: (objects: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open(WITNESS)
  const transaction = database.transaction(WITNESS, mode, { durability: 'strict' })
  const complete = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve
    transaction.onabort = () => reject(transaction.error)
  })
  const result = await settle(work(transaction.objectStore(WITNESS)))
  await complete
  database.close()
  return result
}

const settle = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** Stores, validates and purges, many things at once, for as long as it lives. */
export function work({ seed, asked: before, purged: purgedBefore }: Plan): void {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const say = (told: Told) => globalThis.tell(JSON.stringify(told))
  const purged = new Map(Object.entries(purgedBefore))
  let asked = before
  let witnessed = asked

  const cache = createCache({
    name: NAME,
    disk: DISK,
    memory: MEMORY,
    fetch(input, init) {
      const headers = new Headers(init?.headers)
      headers.set('x-asked', String(++asked))
      // What the browser's own cache below holds is another matter.
      return fetch(input, { ...init, headers, cache: 'no-store' })
    },
  })
  cache.on((event) => {
    if (event.type === 'answered') say({ type: 'answered', cause: event.cause })
    if (event.type === 'store-failed') say({ type: 'store-failed', what: `${event.operation}: ${event.error}` })
  })

  async function read(item: Item, mode: RequestCache): Promise<void> {
    const since = purged.get(item.name) ?? 0
    const response = await cache.fetch(item.path, {
      cache: mode,
      headers: headersOf(item),
      nearcache: { tags: [item.tag] },
    })
    const body = readBody(new Uint8Array(await response.arrayBuffer()))
    const about = `${item.name} (${mode}) was answered with ${JSON.stringify(body)}`
    if (body?.name !== item.name) say({ type: 'broken', what: `${about}: not whole, or another's` })
    else if (body.asked < since) say({ type: 'broken', what: `${about}, hard purged at ${since}` })
  }

  async function purge(mode: 'soft' | 'hard'): Promise<void> {
    const { path, tag } = pick(items)
    const draw = random()
    const [selector, isCovered]: readonly [Parameters<typeof cache.purge>[0], (item: Item) => boolean] =
      draw < 0.6
        ? [{ url: path }, (item) => item.path === path]
        : draw < 0.8
          ? [{ tag }, (item) => item.tag === tag]
          : draw < 0.95
            ? [{ pattern: '/r/1*' }, (item) => item.path.startsWith('/r/1')]
            : [{ all: true }, () => true]
    const names = items.filter(isCovered).map(({ name }) => name)
    const mine = ++asked
    if (mode === 'hard') for (const name of names) purged.set(name, mine)
    const { epoch, durable } = await cache.purge(selector, { mode })
    say({ type: 'purged', mode, names, asked: mine, epoch, durable })
    if (mine < witnessed) return
    witnessed = mine
    await witness()
  }

  async function witness(): Promise<void> {
    let last = witnessed
    await withWitness('readwrite', (objects) => {
      last = witnessed
      return objects.put(last, WITNESS)
    })
    say({ type: 'witnessed', asked: last })
  }

  async function worker(): Promise<void> {
    for (;;) {
      const draw = random()
      if (draw < 0.08) await purge('hard')
      else if (draw < 0.12) await purge('soft')
      else await read(pick(items), draw < 0.3 ? 'reload' : draw < 0.4 ? 'no-cache' : 'default')
    }
  }

  const all = async () => {
    await witness()
    await Promise.all(Array.from({ length: WORKERS }, worker))
  }
  all().catch((error: unknown) => say({ type: 'broken', what: `The page has thrown ${error}` }))
}
