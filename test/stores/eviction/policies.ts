import type { CacheKey, StoredRecord, Write } from '../../../src/ports/store.ts'
import { createIndexedDbStore } from '../../../src/stores/indexeddb.ts'
import { createMemoryStore } from '../../../src/stores/memory.ts'
import { sizeOf as bytesOf } from '../../../src/stores/stored-record.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../../src/testing/index.ts'
import { recordOf, responseWith } from '../builders.ts'
import type { Trace } from './traces.ts'

/** What came of a trace, from 0 to 1. */
export interface Ratios {
  readonly hits: number
  readonly bytes: number
}

const keyOf = (key: number): CacheKey => [`https://shop.example/item/${key}`]

/** What lies under each key, made once. It counts for its body and an overhead: what `cost` says. */
export function recordsOf({ sizeOf }: Trace) {
  const known = new Map<number, StoredRecord>()
  const record = (key: number): StoredRecord => {
    const made = known.get(key) ?? recordOf({ ...responseWith(String(key), sizeOf(key)), url: keyOf(key)[0] as string })
    known.set(key, made)
    return made
  }
  return { record, cost: (key: number) => bytesOf(record(key)) }
}

/** Counts what `request` says of each request of a trace: whether it was there. */
async function counted(
  { requests }: Trace,
  cost: (key: number) => number,
  request: (key: number, index: number) => boolean | Promise<boolean>,
): Promise<Ratios> {
  let [hits, hitBytes, bytes] = [0, 0, 0]
  for (const [index, key] of requests.entries()) {
    const size = cost(key)
    bytes += size
    if (!(await request(key, index))) continue
    hits++
    hitBytes += size
  }
  return { hits: hits / requests.length, bytes: hitBytes / bytes }
}

/** Our store in memory, as it is; no body is too large, so that nothing but the eviction is compared. */
export function inMemory(trace: Trace, maxBytes: number): Promise<Ratios> {
  const { record, cost } = recordsOf(trace)
  const store = createMemoryStore({ maxBytes, maxEntryBytes: maxBytes, incarnation: 'one', onNotice() {} })
  return counted(trace, cost, (key) => {
    if (store.peek('', keyOf(key))) return true
    store.put('', keyOf(key), record(key))
    return false
  })
}

/** Our store in IndexedDB, as it is. */
export async function onDisk(trace: Trace, maxBytes: number): Promise<Ratios> {
  const { record, cost } = recordsOf(trace)
  const databases = await virtualIndexedDB()
  const store = createIndexedDbStore({
    name: 'eviction',
    factory: databases.factory,
    keyRange: databases.keyRange,
    clock: virtualClock(),
    random: seededRandom(1),
    maxBytes,
    maxEntryBytes: maxBytes,
    onNotice() {},
  })
  return counted(trace, cost, async (key) => {
    const place = ['record', '', keyOf(key)] as const
    if ((await store.read([place])).record('', keyOf(key))) return true
    const put: Write = { kind: 'record', partition: '', key: keyOf(key), value: record(key) }
    await store.update([place], () => [put], { durability: 'relaxed' })
    return false
  })
}

/** What everybody has: the least recently used goes. */
export function leastRecentlyUsed(trace: Trace, maxBytes: number): Promise<Ratios> {
  const { cost } = recordsOf(trace)
  const held = new Map<number, number>()
  let total = 0
  return counted(trace, cost, (key) => {
    const size = held.get(key)
    if (size !== undefined) {
      held.delete(key)
      held.set(key, size)
      return true
    }
    held.set(key, cost(key))
    total += cost(key)
    for (const [oldest, bytes] of held) {
      if (total <= maxBytes) break
      held.delete(oldest)
      total -= bytes
    }
    return false
  })
}

/** What nobody can have: whoever is needed last goes, by knowledge of the future (Belady 1966); the optimum where all are of one size, and close to it for bytes where they are not. */
export function belady(trace: Trace, maxBytes: number): Promise<Ratios> {
  const { cost } = recordsOf(trace)
  const { requests } = trace
  const nextUse = new Array<number>(requests.length)
  const seen = new Map<number, number>()
  for (let index = requests.length - 1; index >= 0; index--) {
    const key = requests[index] as number
    nextUse[index] = seen.get(key) ?? Number.POSITIVE_INFINITY
    seen.set(key, index)
  }
  const held = new Map<number, number>()
  let total = 0
  return counted(trace, cost, (key, index) => {
    const isHit = held.has(key)
    if (!isHit) total += cost(key)
    held.set(key, nextUse[index] as number)
    while (total > maxBytes) {
      let [last, when] = [key, -1]
      for (const [one, use] of held) if (use > when) [last, when] = [one, use]
      held.delete(last)
      total -= cost(last)
    }
    return isHit
  })
}
