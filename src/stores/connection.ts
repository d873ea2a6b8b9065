import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'

/** One object store holds everything; composite array keys tell the kinds apart. */
const OBJECT_STORE = 'nearcache'
/** Grows when the shape of the database changes; the shape of a record has a version of its own. */
const DATABASE_VERSION = 1

/** After how many failures in a row the database is left alone for a while: for two deadlines at first, then twice as long each time, and for this many milliseconds at most. */
const PATIENCE = 2
const MAX_REST_MS: Ms = 60_000

export interface ConnectionOptions {
  /** The database's name. */
  readonly name: string
  readonly factory: IDBFactory
  readonly clock: Clock
  /** How long an operation may take before it has failed: a frozen tab may hold a transaction open for ever. */
  readonly deadlineMs: Ms
}

/** A connection to one database that mends itself. */
export interface Connection {
  /**
   * Runs `work` in one transaction, and resolves with what it gave when the transaction is complete: the success of a request that writes is not yet success. `work` awaits nothing but its own
   * requests, and may run again when the connection was lost.
   *
   * @throws the transaction's error, what `work` threw (then nothing is written), a `TimeoutError` at the deadline; at once what it threw last while the database is left alone
   */
  transact<T>(
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    work: (objects: IDBObjectStore) => Promise<T>,
  ): Promise<T>
  /** Begins to open: whoever comes first waits for less. */
  prepare(): void
  /** Whether the database failed when it was used last: what can wait leaves it alone. */
  isIll(): boolean
  close(): Promise<void>
}

/**
 * Opens when it is first needed, and again after a loss; a failed open is forgotten. Steps aside when another tab wants to upgrade or delete the database. Commits at once, so that a tab
 * that is frozen or killed holds nobody up. A database that fails time and again is left alone, and one operation looks now and then whether it has recovered.
 */
export function createConnection({ name, factory, clock, deadlineMs }: ConnectionOptions): Connection {
  let current: Promise<IDBDatabase> | undefined
  /** How often in a row the database could not be used, when the last time was, and why. */
  let trouble: { readonly times: number; readonly at: EpochMs; readonly error: unknown } | undefined

  /** Throws while the database is left alone. Of those who come after, the first may look. */
  function admit(): void {
    if (!trouble || trouble.times < PATIENCE) return
    const restMs = Math.min(MAX_REST_MS, deadlineMs * 2 ** (trouble.times - PATIENCE + 1))
    const rested = clock.now() - trouble.at
    // A clock that was set back does not count.
    if (rested >= 0 && rested < restMs) throw trouble.error
    trouble = { ...trouble, at: clock.now() }
  }

  function leave(opening: Promise<IDBDatabase>): void {
    if (current === opening) current = undefined
    opening.then(
      (database) => database.close(),
      () => {},
    )
  }

  function open(): Promise<IDBDatabase> {
    const opening = new Promise<IDBDatabase>((resolve, reject) => {
      const request = factory.open(name, DATABASE_VERSION)
      request.onupgradeneeded = () => request.result.createObjectStore(OBJECT_STORE)
      request.onerror = () => reject(request.error)
      request.onsuccess = () => {
        const database = request.result
        database.onversionchange = () => leave(opening)
        database.onclose = () => leave(opening)
        resolve(database)
      }
    })
    opening.catch(() => leave(opening))
    return opening
  }

  return {
    async transact(mode, durability, work) {
      admit()
      const known = trouble
      const timer = new AbortController()
      /** Whether there is a transaction: what fails then is the work, if the connection was not lost. */
      let isAtWork = false
      let giveUp = () => {}
      const late = clock.sleep(deadlineMs, timer.signal).then(() => {
        giveUp()
        isAtWork = false
        throw new DOMException(`IndexedDB did not answer within ${deadlineMs} ms`, 'TimeoutError')
      })

      const run = async () => {
        isAtWork = false
        current ??= open()
        const opening = current
        giveUp = () => leave(opening)
        const database = await opening
        if (timer.signal.aborted) {
          // Something held it up only for a while: whoever comes next may try.
          trouble = undefined
          throw timer.signal.reason
        }
        try {
          const transaction = database.transaction(OBJECT_STORE, mode, { durability })
          isAtWork = true
          giveUp = () => {
            // What has been reported as failed must not be written later.
            attempt(() => transaction.abort())
            leave(opening)
          }
          return await outcomeOf(transaction, work(transaction.objectStore(OBJECT_STORE)))
        } catch (error) {
          if (!isAtWork || isLoss(error)) leave(opening)
          throw error
        }
      }

      try {
        const result = await Promise.race([
          late,
          run().catch((error: unknown) => {
            // The connection was lost on the way: one more time, with a new one.
            if (isLoss(error) && !timer.signal.aborted) return run()
            throw error
          }),
        ])
        trouble = undefined
        return result
      } catch (error) {
        if (isAtWork && !isLoss(error)) trouble = undefined
        // What fails at the same time fails for one reason.
        else if (trouble === known) trouble = { times: (known?.times ?? 0) + 1, at: clock.now(), error }
        throw error
      } finally {
        timer.abort()
      }
    },
    prepare() {
      current ??= open()
    },
    isIll: () => trouble !== undefined,
    async close() {
      if (current) leave(current)
    },
  }
}

/** What `work` gave, when its transaction is complete. The transaction's own error says more than that of a request: exceeded quota shows only there. */
function outcomeOf<T>(transaction: IDBTransaction, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let failure: unknown
    transaction.oncomplete = () => resolve(work)
    transaction.onabort = () =>
      reject(transaction.error ?? failure ?? new DOMException('The transaction was lost', 'AbortError'))
    work.then(
      (result) => {
        // What was read was read, however it ends: Chromium aborts a transaction in which the file of a value was missing.
        if (transaction.mode === 'readonly') resolve(result)
        else attempt(() => transaction.commit?.())
      },
      (error: unknown) => {
        failure = error
        attempt(() => transaction.abort())
      },
    )
  })
}

/** Whether an error says that the connection is of no use any more (IndexedDB has no error of its own for it): `UnknownError` is what WebKit and Chromium give for a lost server or file. */
const isLoss = (error: unknown): boolean =>
  error instanceof DOMException && ['InvalidStateError', 'AbortError', 'UnknownError'].includes(error.name)

/** Ends a transaction that may have ended by itself. */
function attempt(end: () => void): void {
  try {
    end()
  } catch {
    // It has.
  }
}
