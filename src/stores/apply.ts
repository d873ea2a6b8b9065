import type { PurgeLog } from '../http/message.ts'
import { appendPurge, emptyLog } from '../http/purge-log.ts'
import type { Random } from '../ports/random.ts'
import type { Snapshot, StoreKey, Write } from '../ports/store.ts'
import { recordKey, SPACE, visitedKey } from './database-keys.ts'
import { putRecord, type RecordLimits } from './put-record.ts'
import { keepWithinRoutes, type Newcomer } from './routes.ts'
import { nameOf } from './seal.ts'
import { type Evicted, evict, type Growth, grown, spaceOf } from './space.ts'
import { isForeign, routeOf } from './stored-record.ts'
import { asItIs, known, look, putLog, snapshotOf, type View } from './view.ts'

/** What the caller of `update()` wants to be done. */
export interface Change {
  readonly keys: readonly StoreKey[]
  readonly change: (snapshot: Snapshot) => readonly Write[]
}

/** What comes along with the changes of one transaction. */
export interface Along {
  /** The log as last seen. */
  readonly seen: PurgeLog | undefined
  /** Names of records that were used. */
  readonly bits: readonly string[]
  /** What was removed before, and is in no account yet. */
  readonly unaccounted: readonly Growth[]
  /** Names of records that eviction takes last: it is told what is written. */
  readonly spared: Set<string>
  /** Is told what went. */
  readonly evicted: Evicted[]
}

/** What has been done. */
export interface Applied {
  /** The log after each of the changes. */
  readonly logs: readonly PurgeLog[]
  /** Whether there is more than the budget: it was too much to evict in one transaction, and another one is to follow. Absent where nothing has changed that, and nobody looked. */
  readonly isOver?: boolean
}

export interface ApplyOptions extends RecordLimits {
  readonly keyRange: typeof IDBKeyRange
  readonly random: Random
}

/** Carries out changes one after another in one transaction that writes, within the budget. Without changes it evicts what is over. */
export async function apply(
  objects: IDBObjectStore,
  changes: readonly Change[],
  { seen, bits, unaccounted, spared, evicted }: Along,
  { keyRange, random, ...limits }: ApplyOptions,
): Promise<Applied> {
  const knowing = known(objects, seen)
  const tidy = (keys: readonly StoreKey[]) => lookAndTidy(objects, keys, knowing, keyRange)
  const view = await tidy(changes.flatMap(({ keys }) => keys))
  for (const name of bits) {
    const [, partition, key] = JSON.parse(name)
    // What was read of a partition that has been left since, or is not known to a new database, leaves no trace.
    if (partition === '' || partition === view.partition) objects.put(1, visitedKey(partition, key))
  }
  const before = view.log
  let log = before ?? emptyLog(token(random))
  // Of who has left everything was taken off.
  const growth = unaccounted.filter(({ partition }) => !isForeign(partition, view.partition))
  const newcomers: Newcomer[] = []
  async function put(write: Extract<Write, { kind: 'record' }>, ofRoute?: string): Promise<number> {
    const { partition, key } = write
    const place = ['record', partition, key] as const
    const name = nameOf(place)
    if (!view.records.has(name)) view.records.set(name, (await tidy([place])).records.get(name))
    const former = routeOf(view.records.get(name))
    // By now it may be of another route, which is not full.
    if (ofRoute !== undefined && former?.name !== ofRoute) return 0
    const bytes = putRecord(objects, view, write, limits)
    if (bytes !== 0) growth.push({ partition, key, bytes })
    spared.add(name)
    const route = routeOf(view.records.get(name))
    if (route && route.name !== former?.name) newcomers.push({ partition, key, route })
    return bytes
  }
  const logs: PurgeLog[] = []
  for (const { change } of changes) {
    for (const one of change(snapshotOf(asItIs(view), log))) {
      if (one.kind === 'purge') log = appendPurge(log, one.purge)
      else if (!isForeign(one.partition, view.partition)) await put(one)
    }
    logs.push(log)
  }
  await keepWithinRoutes(objects, newcomers, async (partition, key, route) => {
    const bytes = -(await put({ kind: 'record', partition, key, value: undefined }, route))
    if (bytes > 0) evicted.push({ type: 'evicted', partition, key, bytes, tier: 'disk' })
  })
  if (log !== before) putLog(objects, log, view)
  if (growth.length === 0 && changes.length > 0) return { logs }
  const { maxBytes } = limits
  let space = grown(await spaceOf(objects), growth, keyRange)
  // A little more than needed, so that not every write has to.
  if (space.bytes > maxBytes || space.passing)
    space = await evict(objects, keyRange, space, maxBytes - maxBytes / 16, spared, evicted)
  objects.put(space, SPACE)
  return { logs, isOver: space.bytes > maxBytes }
}

/** Looks within a transaction that writes: records of no use are gone afterwards, with their bodies. */
async function lookAndTidy(
  objects: IDBObjectStore,
  keys: readonly StoreKey[],
  knowing: Parameters<typeof look>[2],
  keyRange: typeof IDBKeyRange,
): Promise<View> {
  const view = await look(objects, keys, knowing)
  for (const [kind, partition, key] of view.damaged) {
    if (kind !== 'record') continue
    objects.delete(recordKey(partition, key))
    objects.delete(keyRange.bound(['body', partition, key], ['body', partition, key, []]))
  }
  return view
}

/** 128 bits by chance, as hexadecimal digits. */
export const token = (random: Random): string =>
  Array.from({ length: 8 }, () =>
    Math.floor(0x10000 + random() * 0x10000)
      .toString(16)
      .slice(1),
  ).join('')
