import { promisifyRequest } from 'idb-keyval'
import type { EpochMs, Ms, PurgeLog } from '../http/message.ts'
import { purgeEffect } from '../http/purge-effect.ts'
import { asSeenFrom } from '../http/purge-log.ts'
import type { CacheKey, StoredRecord } from '../ports/store.ts'
import { recordKey, SPACE, SWEEP, visitedKey } from './database-keys.ts'
import { putRecord } from './put-record.ts'
import { nameOf, unsealedRecord } from './seal.ts'
import { type Growth, grown, spaceOf } from './space.ts'
import { isNumber, isObject, isText, isTexts } from './stored-record.ts'
import { known } from './view.ts'

/** Keys that are looked at in one transaction: those who read wait for it. */
const STRIDE = 32

/** How long after the end of a round the next one looks for orphans, though nothing was purged. */
const ROUND_MS: Ms = 24 * 3_600_000

/** What lies under `['meta', 'sweep']`: how far the sweeping has come. */
interface Sweep {
  /** The log when the round began: what was purged up to then is gone when it has ended. */
  readonly incarnation: string
  readonly last: number
  /** When it began, and then when it ended. */
  readonly at: EpochMs
  /** The key that was looked at last; absent when the round has ended. */
  readonly after?: IDBValidKey
}

type Place = readonly [kind: 'body' | 'record' | 'visited', partition: string, key: CacheKey, id?: string]

/** Nothing is taken out for its size: what is there may stay, and where it is. */
const AS_IT_IS = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxEntryBytes: Number.POSITIVE_INFINITY,
  inlineBytes: Number.POSITIVE_INFINITY,
}

/**
 * Removes some of what no read can use any more: responses that were hard-purged or that lie below the floor of the log, bodies that no record names, and visited bits without a record. The
 * place where it stopped lies in the database, in the same transaction: whoever comes next goes on there, in whatever tab.
 *
 * Left alone is what this version cannot read: it may be another's.
 *
 * @returns whether there is more to be done
 */
export async function sweepSome(objects: IDBObjectStore, keyRange: typeof IDBKeyRange, now: EpochMs): Promise<boolean> {
  const [{ log }, swept] = await Promise.all([known(objects, undefined), promisifyRequest<unknown>(objects.get(SWEEP))])
  if (!log) return false
  // In a database that nobody has swept yet is nothing but what was stored since, and perhaps purged.
  const fresh = { incarnation: log.incarnation, last: 0, at: now }
  if (swept === undefined) objects.put(fresh, SWEEP)
  const found = swept ?? fresh
  const before = isSweep(found) && found.incarnation === log.incarnation ? found : undefined
  const isUnderWay = before?.after !== undefined
  if (before && !isUnderWay && !isDue(before, log, now)) return false
  const round = isUnderWay ? before : { incarnation: log.incarnation, last: log.last, at: now }

  const keys = await promisifyRequest(objects.getAllKeys(keyRange.lowerBound(round.after ?? ['body'], true), STRIDE))
  const places = (keys as readonly unknown[]).filter(isPlace)
  const names = new Map(
    places.map(([, partition, key]) => [nameOf(['record', partition, key]), [partition, key] as const]),
  )
  const records = new Map<string, unknown>()
  await Promise.all(
    [...names].map(async ([name, [partition, key]]) => {
      records.set(name, await promisifyRequest<unknown>(objects.get(recordKey(partition, key))))
    }),
  )

  const growth: Growth[] = []
  for (const place of places) {
    const [kind, partition, key, id] = place
    const name = nameOf(['record', partition, key])
    const value = records.get(name)
    const record = unsealedRecord(value, name)
    if (kind === 'record') {
      const bytes = record ? sweepRecord(objects, partition, key, record, log) : 0
      if (bytes !== 0) growth.push({ partition, key, bytes })
    } else if (value === undefined || (kind === 'body' && record && !isNamedIn(record, id)))
      objects.delete(place as unknown as IDBValidKey)
  }
  if (growth.length > 0) objects.put(grown(await spaceOf(objects), growth, keyRange), SPACE)

  const isEnd = keys.length < STRIDE
  const { incarnation, last, at } = round
  const ended = { incarnation, last, at: now }
  objects.put(isEnd ? ended : { incarnation, last, at, after: keys.at(-1) }, SWEEP)
  return !isEnd || isDue(ended, log, now)
}

/** Leaves out what was hard-purged; returns by how many bytes that changes what is stored. */
function sweepRecord(
  objects: IDBObjectStore,
  partition: string,
  key: CacheKey,
  record: StoredRecord,
  log: PurgeLog,
): number {
  const seen = asSeenFrom(log, partition)
  const usable = record.responses.filter((one) => purgeEffect(one, seen)?.mode !== 'hard')
  if (usable.length === record.responses.length) return 0
  if (usable.length === 0) objects.delete(visitedKey(partition, key))
  const name = nameOf(['record', partition, key])
  const view = { log, partition, records: new Map([[name, record]]), bodies: new Map(), damaged: [] }
  const left: StoredRecord = { v: 1, responses: usable }
  return putRecord(objects, view, { kind: 'record', partition, key, value: left }, AS_IT_IS)
}

const isNamedIn = ({ responses }: StoredRecord, id: string | undefined): boolean =>
  responses.some(({ body }) => body.id === id)

/** Whether something was hard-purged, or has come to lie below the floor, since a round began; or the last one was long ago, by whatever clock. */
const isDue = ({ last, at }: Sweep, { purges, floor }: PurgeLog, now: EpochMs): boolean =>
  floor > last || purges.some(({ number, mode }) => number > last && mode === 'hard') || Math.abs(now - at) >= ROUND_MS

const isSweep = (value: unknown): value is Sweep =>
  isObject(value) && isText(value.incarnation) && isNumber(value.last) && isNumber(value.at)

const isPlace = (key: unknown): key is Place =>
  Array.isArray(key) && ['body', 'record', 'visited'].includes(key[0]) && isText(key[1]) && isTexts(key[2])
