import type { Epoch, EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'

/** What an opaque response counts for, in bytes: its size cannot be seen, and browsers pad it to hide it from the quota as well. */
const OPAQUE_BYTES = 7 * 2 ** 20

/** A response that no script may look into, with what a rule and the log say of it. */
interface OpaqueEntry {
  readonly url: string
  readonly storedAt: EpochMs
  readonly lifetimeMs: Ms
  /** The purge log's, when it was asked for. */
  readonly epoch: Epoch
  /** When it was last used: the one that was not used for longest goes first. */
  readonly usedAt: EpochMs
}

export interface OpaqueStoreOptions {
  readonly caches: CacheStorage
  /** The name of the cache in Cache Storage: nothing else lies there. */
  readonly name: string
  readonly clock: Clock
  /** The budget, in which each response counts `OPAQUE_BYTES`. */
  readonly maxBytes: number
}

/** Opaque responses, which IndexedDB cannot hold: Cache Storage does, and never forgets by itself. */
export interface OpaqueStore {
  /** The response with what is known of it; `undefined` when there is none of this partition. */
  match(
    url: string,
    partition: string,
  ): Promise<{ readonly entry: OpaqueEntry; readonly response: Response } | undefined>
  /** Keeps it, in the place of the one before and of those that were not used for longest. What belongs to another partition goes first. */
  put(entry: Omit<OpaqueEntry, 'usedAt'>, response: Response, partition: string): Promise<void>
}

interface Index {
  readonly v: 1
  readonly partition: string
  readonly entries: readonly OpaqueEntry[]
}

/** Where the index lies in the cache: no request of a page has such a URL. */
const INDEX = 'https://index.nearcache.invalid/'

export function createOpaqueStore({ caches, name, clock, maxBytes }: OpaqueStoreOptions): OpaqueStore {
  /** One change of the index after another. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => {})
    return turn
  }

  /** What of another user lies there is removed before anything is given or kept. */
  async function open(partition: string): Promise<{ cache: Cache; entries: readonly OpaqueEntry[] }> {
    let cache = await caches.open(name)
    const index = await readIndex(cache)
    if (index && index.partition !== partition) {
      await caches.delete(name)
      cache = await caches.open(name)
    }
    return { cache, entries: index?.partition === partition ? index.entries : [] }
  }

  const write = (cache: Cache, partition: string, entries: readonly OpaqueEntry[]): Promise<void> =>
    cache.put(INDEX, new Response(JSON.stringify({ v: 1, partition, entries } satisfies Index)))

  return {
    match: (url, partition) =>
      inTurn(async () => {
        const { cache, entries } = await open(partition)
        const entry = entries.find((one) => one.url === url)
        const response = entry && (await cache.match(url, { ignoreVary: true }))
        if (!response) return undefined
        const usedAt = clock.now()
        // A write costs more than the read: the order of use is kept by the minute.
        if (Math.abs(usedAt - entry.usedAt) > 60_000)
          await write(
            cache,
            partition,
            entries.map((one) => (one === entry ? { ...one, usedAt } : one)),
          )
        return { entry, response }
      }),
    put: (entry, response, partition) =>
      inTurn(async () => {
        const { cache, entries } = await open(partition)
        const room = Math.floor(maxBytes / OPAQUE_BYTES)
        const others = entries.filter(({ url }) => url !== entry.url).sort((a, b) => b.usedAt - a.usedAt)
        const kept = room > 0 ? [{ ...entry, usedAt: clock.now() }, ...others.slice(0, room - 1)] : []
        // Also what a worker has left that was stopped between two steps.
        for (const request of await cache.keys())
          if (request.url !== INDEX && !kept.some(({ url }) => url === request.url))
            await cache.delete(request, { ignoreVary: true })
        await write(cache, partition, kept)
        if (room > 0) await cache.put(entry.url, response)
      }),
  }
}

async function readIndex(cache: Cache): Promise<Index | undefined> {
  try {
    const index = (await (await cache.match(INDEX))?.json()) as Partial<Index> | undefined
    return index?.v === 1 && typeof index.partition === 'string' && Array.isArray(index.entries)
      ? (index as Index)
      : undefined
  } catch {
    return undefined
  }
}
