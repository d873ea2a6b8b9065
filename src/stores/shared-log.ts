import type { Epoch, EpochMs, Ms, PurgeLog, PurgeRecord } from '../http/message.ts'
import { appendPurge, emptyLog } from '../http/purge-log.ts'
import type { Snapshot, Store, Write } from '../ports/store.ts'
import type { Hint } from '../ports/tabs.ts'
import type { MemoryStore } from './memory.ts'

export type Purge = Omit<PurgeRecord, 'number'>

/** A purge that another context has told of. */
export type Heard = Omit<Extract<Hint, { kind: 'purged' }>, 'kind'>

/** Purges that others told of and that are in force before the durable log has shown them, at most. Beyond, everything is in doubt. */
const MAX_HEARD = 100

export interface SharedLogOptions {
  readonly memory: MemoryStore
  /** Names the log until the durable store's own is known. */
  readonly incarnation: string
  /** Whether there is a durable store. */
  readonly isDurable: boolean
  /** Runs an operation of the durable store; a failure is told, and gives `undefined`. */
  attempt<T>(operation: string, work: (store: Store) => Promise<T>): Promise<T | undefined>
  /** Reads the durable log by way of `reading()`, and heeds whose the store is; answers whether it could be read. */
  readLog(): Promise<boolean>
  /** What other contexts that share the durable store should know. */
  tell(hint: Hint): void
  /** The log is another one from now on. */
  onChange(log: PurgeLog): void
  /** Another context has purged: it is in force here from this moment on. */
  onPurged(purge: Purge, spreadMs?: Ms): void
}

/** One purge log for memory and the durable store. */
export interface SharedLog {
  /** The log as this context knows it, with the purges that are on their way. */
  current(): PurgeLog
  /** What a request sent now carries. */
  epoch(): Epoch
  /** Takes over the log of a read or a write of the durable store. */
  adopt(seen: PurgeLog): void
  /** Gives the durable store the purges that it failed to take, before anything else is done with it. */
  catchUp(store: Store): Promise<void> | undefined
  /** Takes over the log of what is read, and ends a doubt that was there before. */
  reading(read: () => Promise<Snapshot | undefined>): Promise<Snapshot | undefined>
  /** In force from the call on; resolves when the durable store has it or has failed. */
  purge(purge: Purge, spreadMs?: Ms): Promise<{ readonly epoch: Epoch; readonly durable: boolean }>
  /** Other contexts have purged: in force from the call on, as if it had been purged here. `epoch`: under which the shared log has it, which is looked into; without one it is put there. */
  hear(purges: readonly Heard[], at: EpochMs): void
  /** Reads the log: one look at a time; what is asked for meanwhile is one more. What stays in doubt, since the log cannot be read, is given up. */
  look(): Promise<boolean>
  /** What others have purged may not have been heard: until the log has been read nothing in memory is trusted, only validated. */
  doubt(at: EpochMs): void
  /** While there is a doubt: resolves when the log has been read, or cannot be. */
  doubted(): Promise<unknown> | undefined
}

/**
 * One purge log for memory and the durable store: the durable one as last seen, and on it the purges that are on their way there.
 *
 * Until the durable log has been seen there is a provisional one. When the real one comes it takes its place, and what was asked for under the provisional one counts as asked for
 * before every purge (`PurgeLog.provisional`): nobody knows which of them came after. The same when the durable store fails to take a purge: memory is emptied, a provisional log
 * starts with that purge, and nothing that lies on the disk is used before the disk has taken all of it. So whatever fails, no response counts as newer than a purge that it is not.
 */
export function createSharedLog({
  memory,
  incarnation,
  isDurable,
  attempt,
  readLog,
  tell,
  onChange,
  onPurged,
}: SharedLogOptions): SharedLog {
  /** The durable log as last seen, or the provisional one. */
  let base = emptyLog(incarnation)
  /** The incarnation of the durable store, once it is known. `base` is provisional while it is of another one. */
  let home: string | undefined
  let secessions = 0
  /** Purges on their way to the durable store, or seen on their way out of it. */
  let pending: readonly Purge[] = []
  /** What stands for the purges that may have been missed. */
  let unheard: Purge | undefined
  let looking: Promise<boolean> | undefined
  let isBehind = false
  let log = base
  let catchingUp: Promise<void> | undefined

  function setBase(next: PurgeLog): void {
    base = next
    log = [...pending, ...(unheard ? [unheard] : [])].reduce(appendPurge, base)
    onChange(log)
  }

  /**
   * Takes over the log of a read or a write of the durable store.
   *
   * @param told - the provisional log whose purges are part of it
   */
  function adopt(seen: PurgeLog, told?: PurgeLog): void {
    if (seen.incarnation === base.incarnation) {
      if (seen.last <= base.last) return
      const news = seen.purges.filter(({ number }) => number > base.last)
      setBase({ ...seen, provisional: base.provisional ?? [] })
      for (const purge of news) if (!pending.some(isSame(purge))) onPurged(purge)
      return
    }
    // The disk has to learn first what was purged meanwhile.
    if (base.incarnation !== home && base.last > 0 && base !== told) return
    const isReborn = home !== undefined && home !== seen.incarnation
    if (isReborn) memory.clear()
    home = seen.incarnation
    setBase({ ...seen, provisional: isReborn ? [] : [...(base.provisional ?? []), base.incarnation] })
  }

  /** Gives the durable store the purges that it failed to take, before anything else is done with it. */
  function catchUp(store: Store): Promise<void> | undefined {
    if (base.incarnation === home || base.last === 0) return undefined
    const told = base
    const [first] = told.purges
    const purges: readonly Purge[] =
      told.floor > 0 && first ? [{ selector: { all: true }, mode: 'hard', at: first.at }] : told.purges
    catchingUp ??= store
      .update([], () => purges.map(asWrite), { durability: 'strict' })
      .then((seen) => adopt(seen, told))
      .finally(() => {
        catchingUp = undefined
      })
    return catchingUp
  }

  /** Ends a doubt. */
  function trust(asked: Purge | undefined): void {
    if (!asked || asked !== unheard) return
    unheard = undefined
    setBase(base)
  }

  async function reading(read: () => Promise<Snapshot | undefined>): Promise<Snapshot | undefined> {
    const asked = unheard
    const snapshot = await read()
    if (!snapshot) return undefined
    adopt(snapshot.log)
    trust(asked)
    return snapshot
  }

  const epoch = (): Epoch => ({ incarnation: base.incarnation, number: base.last })

  /** In force at once, while `work` does with the durable store what makes it so there; `undefined` when that failed, and then no more is read from it before it has taken the purges. */
  async function inForce<T>(purges: readonly Purge[], work: () => Promise<T | undefined>, log: (done: T) => PurgeLog) {
    pending = [...pending, ...purges]
    setBase(base)
    const done = await work()
    if (done) adopt(log(done))
    pending = pending.filter((one) => !purges.includes(one))
    if (done) {
      // In a log of another life it came to lie beside the provisional one.
      setBase(log(done).incarnation === base.incarnation ? base : purges.reduce(appendPurge, base))
      return done
    }
    if (base.incarnation === home) {
      memory.clear()
      setBase(emptyLog(`${incarnation}.${++secessions}`))
    }
    setBase(purges.reduce(appendPurge, base))
    return undefined
  }

  /** Adds a purge to the durable log. */
  const append = (purge: Purge) =>
    inForce(
      [purge],
      () => attempt('purge', (store) => store.update([], () => [asWrite(purge)], { durability: 'strict' })),
      (seen) => seen,
    )

  async function purge(purge: Purge, spreadMs?: Ms): Promise<{ readonly epoch: Epoch; readonly durable: boolean }> {
    if (!isDurable) setBase(appendPurge(base, purge))
    const seen = isDurable ? await append(purge) : undefined
    const place = seen && { incarnation: seen.incarnation, number: seen.last }
    tell({ kind: 'purged', purge, epoch: place, spreadMs })
    return { epoch: place ?? epoch(), durable: place !== undefined }
  }

  const isKnown = ({ purge, epoch }: Heard) =>
    pending.some(isSame(purge)) ||
    (epoch === undefined
      ? base.purges.some(isSame(purge))
      : epoch.incarnation === base.incarnation && epoch.number <= base.last)

  function hear(heard: readonly Heard[], at: EpochMs): void {
    const news = heard.filter((one) => !isKnown(one))
    if (news.length + pending.length > MAX_HEARD) {
      doubt(at)
      return
    }
    const logged = news.flatMap(({ purge, epoch }) => (epoch && isDurable ? [purge] : []))
    if (logged.length > 0)
      inForce(
        logged,
        () => attempt('read', (store) => store.read([])),
        (snapshot) => snapshot.log,
      )
    for (const { purge, spreadMs } of news) {
      if (!isDurable) setBase(appendPurge(base, purge))
      else if (!logged.includes(purge)) append(purge)
      onPurged(purge, spreadMs)
    }
  }

  /** One look at a time; what is asked for meanwhile is one more. What stays in doubt, since the log cannot be read, is given up. */
  function look(): Promise<boolean> {
    isBehind = true
    looking ??= (async () => {
      let isRead = true
      try {
        while (isBehind) {
          isBehind = false
          const asked = unheard
          isRead = await readLog()
          if (asked && asked === unheard) memory.clear()
          trust(asked)
        }
        return isRead
      } finally {
        // In the same turn: nobody may join a look that reads no more.
        looking = undefined
      }
    })()
    return looking
  }

  function doubt(at: EpochMs): void {
    const purge = { selector: { all: true }, mode: 'invalidate', at } as const
    if (isDurable) unheard = purge
    // Nor who has signed in, where no store can tell.
    else memory.clear()
    setBase(isDurable ? base : appendPurge(base, purge))
    if (isDurable) look()
  }

  return {
    current: () => log,
    epoch,
    adopt,
    catchUp,
    reading,
    purge,
    hear,
    look,
    doubt,
    doubted: () => (unheard ? looking : undefined),
  }
}

/** Whether two purges are one: the log knows no names of purges. */
const isSame =
  (one: Purge) =>
  (other: Purge): boolean =>
    one.at === other.at && one.mode === other.mode && JSON.stringify(one.selector) === JSON.stringify(other.selector)

const asWrite = ({ selector, mode, at }: Purge): Write => ({ kind: 'purge', purge: { selector, mode, at } })
