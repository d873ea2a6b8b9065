import type { OpenChannel } from '../ports/channel.ts'

// What a later release of the library may do: it writes records and sends messages under another number, which those of today must leave alone, and understands those of today.

/** Numbers of records, and of messages. */
const RECORD = { today: 2, later: 3 } as const
const MESSAGE = { today: 1, later: 2 } as const

/** Databases whose records a later version writes, and reads beside those of today. What they are in is as it is: a shape of the database that others cannot open would be another database. */
export function laterDatabase(database: IDBDatabase): void {
  const begin = database.transaction.bind(database)
  database.transaction = (...given) => {
    const transaction = begin(...given)
    const objectStore = transaction.objectStore.bind(transaction)
    transaction.objectStore = (name) => {
      const objects = objectStore(name)
      const [put, get, getAll] = [objects.put.bind(objects), objects.get.bind(objects), objects.getAll.bind(objects)]
      objects.put = (value, key) => put(renumbered(value, 'v', RECORD.today, RECORD.later), key)
      objects.get = (key) => reading(get(key), (value) => renumbered(value, 'v', RECORD.later, RECORD.today))
      objects.getAll = (...range) =>
        reading(getAll(...range), (values) => values.map((value) => renumbered(value, 'v', RECORD.later, RECORD.today)))
      return objects
    }
    return transaction
  }
}

/** A channel on which a later version speaks its own language, and understands the one of today. */
export const laterChannel =
  (open: OpenChannel): OpenChannel =>
  (name, onMessage) => {
    const channel = open(name, (message) => onMessage(renumbered(message, 'nearcache', MESSAGE.later, MESSAGE.today)))
    return (
      channel && {
        post: (message) => channel.post(renumbered(message, 'nearcache', MESSAGE.today, MESSAGE.later)),
        close: () => channel.close(),
      }
    )
  }

function renumbered<T>(value: T, field: string, from: number, to: number): T {
  const isOfFrom = typeof value === 'object' && value !== null && (value as Record<string, unknown>)[field] === from
  return isOfFrom ? { ...value, [field]: to } : value
}

/** The request, whose result is seen through `read`. */
function reading<T>(request: IDBRequest<T>, read: (result: T) => T): IDBRequest<T> {
  const real = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(request), 'result')
  Object.defineProperty(request, 'result', {
    get: () => read(real?.get?.call(request) as T),
    set: (result: T) => real?.set?.call(request, result),
  })
  return request
}
