import type { PurgeLog, StoredResponse } from '../http/message.ts'
import { appendPurge, emptyLog } from '../http/purge-log.ts'
import type { CacheKey, Snapshot, Store, StoredRecord, StoreNotice } from '../ports/store.ts'
import { createSieve, type Sieve } from './sieve.ts'
import { isForeign, isPinned, routeOf, sizeOf, withinHalf } from './stored-record.ts'

export interface MemoryOptions {
  /** Bytes kept at most: bodies, and an estimate of the rest. */
  readonly maxBytes: number
  /** A response with a larger body is not kept. */
  readonly maxEntryBytes: number
  /** Names the life of this store, as a database's does. */
  readonly incarnation: string
  onNotice(notice: StoreNotice): void
}

/** A store in memory, with what makes it fast: everything also at once. What is put is not copied, and must not be written to. */
export interface MemoryStore extends Store {
  /** Counts as a use, for the eviction. */
  peek(partition: string, key: CacheKey): StoredRecord | undefined
  /** Puts a record in the place of the former one, less its responses without a body at hand or with too large a one; `undefined` removes it. */
  put(partition: string, key: CacheKey, record: StoredRecord | undefined): void
  records(partition: string): Array<readonly [key: CacheKey, record: StoredRecord]>
  bytes(): number
  /** Forgets the records, not the purges. */
  clear(): void
}

interface Held {
  readonly partition: string
  readonly key: CacheKey
  readonly record: StoredRecord
}

/** Keeps records in memory within a budget, by SIEVE. Bodies always lie inside their records. */
export function createMemoryStore({ maxBytes, maxEntryBytes, incarnation, onNotice }: MemoryOptions): MemoryStore {
  const records = new Map<string, Held>()
  const sieve = createSieve<string>()
  /** Of each route whose number of keys is limited: these, each counting 1. */
  const routes = new Map<string, Sieve<string>>()
  let log = emptyLog(incarnation)
  let entered: string | undefined

  function peek(partition: string, key: CacheKey): StoredRecord | undefined {
    const name = nameOf(partition, key)
    const held = records.get(name)
    if (held) {
      sieve.visit(name)
      if (routes.size > 0) among(held.record)?.visit(name)
    }
    return held?.record
  }

  const among = (record: StoredRecord | undefined) => routes.get(routeOf(record)?.name ?? '')

  function remove(name: string): void {
    among(records.get(name)?.record)?.delete(name)
    records.delete(name)
    sieve.delete(name)
  }

  function put(partition: string, key: CacheKey, record: StoredRecord | undefined): void {
    const name = nameOf(partition, key)
    const fits = ({ body }: StoredResponse) => body.bytes && body.bytes.byteLength <= maxEntryBytes
    const responses = withinHalf(record?.responses.filter(fits) ?? [], maxBytes)
    if (responses.length === 0) {
      remove(name)
      return
    }
    const kept = record && responses.length === record.responses.length ? record : { v: 1 as const, responses }
    const route = routeOf(kept)
    const former = records.get(name)?.record
    if (routeOf(former)?.name !== route?.name) among(former)?.delete(name)
    records.set(name, { partition, key, record: kept })
    const evictions = sieve.set(name, sizeOf(kept), maxBytes, isPinned(kept))
    if (route) {
      const all = routes.get(route.name) ?? createSieve()
      routes.set(route.name, all)
      evictions.push(...all.set(name, 1, route.maxKeys))
    }
    for (const evicted of evictions) {
      const gone = records.get(evicted)
      if (!gone) continue
      remove(evicted)
      onNotice({
        type: 'evicted',
        key: gone.key,
        partition: gone.partition,
        bytes: sizeOf(gone.record),
        tier: 'memory',
      })
    }
  }

  /** The present view, for as long as nothing awaits. */
  const present = (): Snapshot => ({
    log,
    partition: entered,
    record: (partition, key) => records.get(nameOf(partition, key))?.record,
    body: (partition, key, id) =>
      records.get(nameOf(partition, key))?.record.responses.find(({ body }) => body.id === id)?.body.bytes,
  })

  return {
    peek,
    put,
    records: (partition) =>
      [...records.values()]
        .filter((one) => one.partition === partition)
        .map(({ key, record }) => [key, record] as const),
    bytes: sieve.bytes,
    clear() {
      for (const name of records.keys()) sieve.delete(name)
      records.clear()
      routes.clear()
    },
    async read(keys) {
      const held = new Map(keys.map(([, partition, key]) => [nameOf(partition, key), peek(partition, key)]))
      const frozen = log
      return {
        log: frozen,
        partition: entered,
        record: (partition, key) => held.get(nameOf(partition, key)),
        body: (partition, key, id) =>
          held.get(nameOf(partition, key))?.responses.find(({ body }) => body.id === id)?.body.bytes,
      }
    },
    async update(_, change): Promise<PurgeLog> {
      for (const write of change(present())) {
        if (write.kind === 'purge') log = appendPurge(log, write.purge)
        else if (!isForeign(write.partition, entered)) put(write.partition, write.key, write.value)
      }
      return log
    },
    async enter(partition) {
      entered = partition
      const gone = [...records.values()].filter((one) => isForeign(one.partition, partition))
      for (const { partition: name, key } of gone) put(name, key, undefined)
      const bytes = gone.reduce((sum, { record }) => sum + sizeOf(record), 0)
      return { log, removed: { records: gone.length, bodies: 0, bytes } }
    },
  }
}

/** One string for the parts of a key, so that no two keys can meet: the usual key, one URL without a partition, is itself. */
export const nameOf = (partition: string, key: CacheKey): string =>
  key.length === 1 && partition === '' && !key[0]?.startsWith('[')
    ? (key[0] as string)
    : JSON.stringify([partition, ...key])
