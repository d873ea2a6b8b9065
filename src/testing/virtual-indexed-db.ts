import type * as FakeIndexedDb from 'fake-indexeddb'

/** Where a fault strikes, counted over all connections. */
export type DatabasePoint =
  /** `IDBFactory.open()` */
  | 'open'
  /** `IDBDatabase.transaction()` */
  | 'transaction'
  /** A request to an object store: `get`, `put`, `delete`, `openCursor` and so on */
  | 'request'
  /** The end of a transaction that writes, when its requests have succeeded */
  | 'commit'

export interface DatabaseFault {
  readonly at: DatabasePoint
  /** The first one from now on is 1. @default 1 */
  readonly nth?: number
  /**
   * What happens. The name of a `DOMException`: the opening fails or throws (`SecurityError`), `transaction()` throws, the transaction aborts with that error (quota shows so:
   * `QuotaExceededError` at `commit`). `hang`: nothing comes any more, as with a frozen tab that holds the database (not at `request`). `lose`: the connection is closed by force.
   */
  readonly fault: 'hang' | 'lose' | 'SecurityError' | 'QuotaExceededError' | 'UnknownError' | (string & {})
}

/** An IndexedDB in memory whose progress is the same each time, and that fails as a test says. */
export interface VirtualIndexedDb {
  readonly factory: IDBFactory
  /** Makes ranges of keys for `factory`'s databases, as `globalThis.IDBKeyRange` does in a browser. */
  readonly keyRange: typeof IDBKeyRange
  /** Plans a fault: it strikes once. */
  inject(fault: DatabaseFault): void
  /** Lets go on what hangs, and forgets faults that have not struck. */
  release(): void
  /** Closes all connections by force, as a browser does when it loses its storage; with `forget`, the data are gone as well. */
  lose(options?: { readonly forget?: boolean }): Promise<void>
  /** Closes one connection by force, and aborts what is under way in it: its process has ended. */
  closeByForce(connection: IDBDatabase): void
  /** How many operations of a kind there were so far: for a test that lets each of them fail once. */
  count(at: DatabasePoint): number
  /** Connections open now. */
  connections(): number
  /** Resolves when nothing is under way, except what hangs. */
  settled(): Promise<void>
}

/** What this file needs of fake-indexeddb beyond the standard: `_requests` wait for their turn, `_start` runs the next, `_abort` ends the transaction with an error. */
interface Transaction extends IDBTransaction {
  readonly _started: boolean
  readonly _requests: { operation: () => unknown }[]
  _abort(name: string): void
  _start(): void
}
interface Database extends IDBDatabase {
  _rawDatabase: { processTransactions(): void }
}

const REQUESTS = [
  'get',
  'getKey',
  'getAll',
  'getAllKeys',
  'count',
  'put',
  'add',
  'delete',
  'clear',
  'openCursor',
] as const

/**
 * A deterministic IndexedDB for tests outside browsers, on fake-indexeddb 6 (an optional peer dependency). Each event is one turn of the event loop, in the order in which
 * the operations were asked for: nothing depends on time, so it moves on with `virtualClock().advance()` too.
 *
 * @throws when fake-indexeddb is not installed
 * @example
 * const database = await virtualIndexedDB()
 * database.inject({ at: 'commit', fault: 'QuotaExceededError' })
 */
export async function virtualIndexedDB(): Promise<VirtualIndexedDb> {
  const { IDBFactory: Factory, IDBKeyRange: keyRange, forceCloseDatabase } = await load()
  const factory = new Factory()
  const counts = new Map<DatabasePoint, number>()
  let faults: { at: DatabasePoint; turn: number; fault: string }[] = []
  const connected = new Set<Database>()
  const active = new Set<Transaction>()
  const hanging = new Set<Transaction>()
  let waiting: (() => void)[] = []
  let opening = 0

  /** Counts an operation; the fault that strikes it, if one does. */
  function strike(at: DatabasePoint): string | undefined {
    const turn = (counts.get(at) ?? 0) + 1
    counts.set(at, turn)
    const planned = faults.find((one) => one.at === at && one.turn === turn)
    faults = faults.filter((one) => one !== planned)
    return planned?.fault
  }

  function closeByForce(database: Database): void {
    for (const transaction of [...active]) if (transaction.db === database) attempt(() => transaction.abort())
    forceCloseDatabase(database as never)
    connected.delete(database)
  }

  function watchTransaction(transaction: Transaction, database: Database, isHanging: boolean): void {
    active.add(transaction)
    for (const end of ['complete', 'abort']) transaction.addEventListener(end, () => active.delete(transaction))
    if (isHanging) hang(transaction)

    const objectStore = transaction.objectStore.bind(transaction)
    transaction.objectStore = (name) => {
      const objects = objectStore(name)
      for (const request of REQUESTS) {
        const real = objects[request].bind(objects) as (...given: unknown[]) => IDBRequest
        const faulty = (...given: unknown[]) => {
          const fault = strike('request')
          const result = real(...given)
          if (fault === 'lose') queueMicrotask(() => closeByForce(database))
          else if (fault !== undefined) failLater(transaction, fault)
          return result
        }
        Object.assign(objects, { [request]: faulty })
      }
      return objects
    }

    if (transaction.mode === 'readonly') return
    const start = transaction._start.bind(transaction)
    const commit = transaction.commit.bind(transaction)
    let isChecked = false
    const mayEnd = () => {
      if (isChecked) return true
      isChecked = true
      const fault = strike('commit')
      if (fault === 'hang') hang(transaction)
      else if (fault === 'lose') closeByForce(database)
      else if (fault !== undefined) transaction._abort(fault)
      return fault === undefined
    }
    transaction.commit = () => {
      if (mayEnd()) commit()
    }
    // One that nobody commits ends when it is asked to go on and has no request left; `_requests` is empty then.
    if (!isHanging) {
      transaction._start = () => {
        const left = transaction._requests.length
        const isFirst = !transaction._started
        if (left > 0 || isFirst || mayEnd()) start()
      }
    }
  }

  function hang(transaction: Transaction): void {
    hanging.add(transaction)
    const own = Object.getOwnPropertyDescriptor(transaction, '_start')
    transaction._start = () => {}
    waiting.push(() => {
      if (own) Object.defineProperty(transaction, '_start', own)
      else Reflect.deleteProperty(transaction, '_start')
      hanging.delete(transaction)
      if (transaction._started) transaction._start()
      else (transaction.db as Database)._rawDatabase.processTransactions()
    })
  }

  function watchDatabase(database: Database): void {
    connected.add(database)
    const close = database.close.bind(database)
    database.close = () => {
      connected.delete(database)
      close()
    }
    const begin = database.transaction.bind(database)
    database.transaction = (...given) => {
      const fault = strike('transaction')
      if (fault === 'lose') closeByForce(database)
      else if (fault !== undefined && fault !== 'hang') throw new DOMException('As the test says', fault)
      const transaction = begin(...given) as Transaction
      watchTransaction(transaction, database, fault === 'hang')
      return transaction
    }
  }

  const open = factory.open.bind(factory)
  factory.open = (...given) => {
    const fault = strike('open')
    if (fault === 'SecurityError') throw new DOMException('As the test says', fault)
    if (fault !== undefined) {
      const request = Object.assign(new EventTarget(), {
        error: new DOMException('As the test says', fault),
        onerror: () => {},
      })
      if (fault !== 'hang') void turn().then(() => request.onerror())
      return request as unknown as IDBOpenDBRequest
    }
    opening++
    const request = open(...given)
    request.addEventListener('success', () => {
      opening--
      watchDatabase(request.result as Database)
    })
    request.addEventListener('error', () => {
      opening--
    })
    return request
  }

  async function settled(): Promise<void> {
    // A connection is closed, and the next operation asked for, in a turn of their own.
    for (let quiet = 0; quiet < 3; quiet++) {
      while (opening > 0 || [...active].some((one) => !hanging.has(one))) {
        if ([...active].some((one) => hanging.has(one))) break
        await turn()
        quiet = 0
      }
      await turn()
    }
  }

  return {
    factory,
    keyRange: keyRange as unknown as typeof IDBKeyRange,
    inject({ at, nth = 1, fault }) {
      faults.push({ at, turn: (counts.get(at) ?? 0) + nth, fault })
    },
    release() {
      faults = []
      const released = waiting
      waiting = []
      for (const one of released) one()
    },
    async lose({ forget = false } = {}) {
      const names = new Set([...connected].map(({ name }) => name))
      for (const database of [...connected]) closeByForce(database)
      await turn()
      if (!forget) return
      await Promise.all(
        [...names].map(
          (name) =>
            new Promise<void>((resolve) => {
              factory.deleteDatabase(name).onsuccess = () => resolve()
            }),
        ),
      )
    },
    closeByForce: (connection) => closeByForce(connection as Database),
    count: (at) => counts.get(at) ?? 0,
    connections: () => connected.size,
    settled,
  }
}

/** The request that was made last fails when its turn comes, and with it the transaction. */
function failLater(transaction: Transaction, name: string): void {
  const last = transaction._requests.at(-1)
  if (last) {
    last.operation = () => {
      throw new DOMException('As the test says', name)
    }
  }
}

async function load(): Promise<typeof FakeIndexedDb> {
  try {
    return await import('fake-indexeddb')
  } catch (cause) {
    throw new Error('virtualIndexedDB() runs on fake-indexeddb 6: npm install --save-dev fake-indexeddb', { cause })
  }
}

/** One turn of the event loop, as fake-indexeddb takes them. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void }
    if (setImmediate) setImmediate(resolve)
    else setTimeout(resolve)
  })

function attempt(end: () => void): void {
  try {
    end()
  } catch {
    // It has ended already.
  }
}
