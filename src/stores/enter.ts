import { promisifyRequest } from 'idb-keyval'
import type { EpochMs, PurgeLog } from '../http/message.ts'
import { emptyLog } from '../http/purge-log.ts'
import type { Random } from '../ports/random.ts'
import type { Removed, Store } from '../ports/store.ts'
import { token } from './apply.ts'
import { SPACE } from './database-keys.ts'
import { type Space, spaceOf } from './space.ts'
import { isOvertaken } from './stored-record.ts'
import { known, putHead, putLog, type View } from './view.ts'

/** What becomes of entering a partition. */
export type Entered = Awaited<ReturnType<NonNullable<Store['enter']>>>

/** That a database be a partition's: of which one, and when that was asked for. */
export interface Wish {
  readonly partition?: string | undefined
  readonly at?: EpochMs | undefined
}

export interface EnterOptions {
  readonly keyRange: typeof IDBKeyRange
  readonly random: Random
  readonly now: EpochMs
  /** The log as last seen. */
  readonly seen: PurgeLog | undefined
}

const NOTHING: Removed = { records: 0, bodies: 0, bytes: 0 }

/** What anybody has who has a name. An array comes after every string. */
const NAMED = ['record', 'body', 'visited', 'route'] as const

/** Looks whether the database is the partition's already, or is to stay whose it is; `undefined` where it has yet to be made so. Who signs in once more has signed in later: in a transaction that writes that is noted. */
export async function staysIn(
  objects: IDBObjectStore,
  { partition, at }: Wish,
  { now, seen }: EnterOptions,
): Promise<Entered | undefined> {
  const { log, ...before } = await known(objects, seen)
  const isSame = before.partition === partition
  if (!log || !(isSame || isOvertaken(at, before.enteredAt, now))) return undefined
  const isLater = before.enteredAt === undefined || isOvertaken(before.enteredAt, at, now)
  if (isSame && isLater && objects.transaction.mode === 'readwrite') putHead(objects, log, { ...before, enteredAt: at })
  return { ...before, log, removed: NOTHING }
}

/** Makes the database the partition's, and removes whatever belongs to any other one that has a name, in a transaction that writes. */
export async function enterIn(objects: IDBObjectStore, wish: Wish, options: EnterOptions): Promise<Entered> {
  const { keyRange } = options
  const stays = await staysIn(objects, wish, options)
  if (stays) return stays
  const before = await known(objects, options.seen)
  const counts = NAMED.map((kind) => {
    // Of ours nothing is left since another one was entered.
    const named = keyRange.bound([kind, '\0'], [kind, []])
    const counting = promisifyRequest(objects.count(named))
    objects.delete(named)
    return counting
  })
  const [records = 0, bodies = 0] = await Promise.all(counts)
  const space = await spaceOf(objects)
  // Where the hand stopped may be what is no more.
  objects.put({ bytes: Math.max(0, space.bytes - space.named), named: 0 } satisfies Space, SPACE)
  const next = named(objects, before.log ?? emptyLog(token(options.random)), wish, before, options)
  return { ...next, removed: { records, bodies, bytes: space.named } }
}

/** Removes everything, which takes no room. The next life is named when there is some, and has a partition as soon as that. */
export async function forgetIn(objects: IDBObjectStore, wish: Wish, options: EnterOptions): Promise<Entered> {
  const { keyRange, random } = options
  const before = await known(objects, options.seen)
  if (before.log && isOvertaken(wish.at, before.enteredAt, options.now))
    return { ...before, log: before.log, removed: NOTHING }
  const count = (kind: string) => promisifyRequest(objects.count(keyRange.bound([kind], [kind, []])))
  const [{ bytes }, records, bodies] = await Promise.all([spaceOf(objects), count('record'), count('body')])
  objects.clear()
  const log = emptyLog(token(random))
  const next = wish.partition === undefined ? { log } : named(objects, log, wish, before, options)
  return { ...next, removed: { records, bodies, bytes } }
}

/** Writes down whose the database is from now on. Whether anybody was there who had a name is not forgotten. */
function named(
  objects: IDBObjectStore,
  log: PurgeLog,
  { partition, at }: Wish,
  { unnamed = true }: Pick<View, 'unnamed'>,
  { random }: EnterOptions,
) {
  const sitting = token(random)
  putLog(objects, log, { partition, enteredAt: at, sitting, unnamed: !partition && unnamed })
  return { log, sitting }
}
