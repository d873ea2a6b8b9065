import { promisifyRequest } from 'idb-keyval'
import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import { createConnection } from './connection.ts'
import { isObject, isOvertaken } from './stored-record.ts'

/** One key per partition. Every method may reject; each settles within the ring's own deadline. */
export interface KeyRing {
  /** The partition's key, made when there is none. Everyone who asks, in whatever tab, is given the same one until it is dropped. */
  keyFor(partition: string): Promise<CryptoKey>
  /** The partition's key, if there is one. */
  find(partition: string): Promise<CryptoKey | undefined>
  /** Forgets a key, in every tab at once: what was encrypted with it is lost. */
  drop(partition: string): Promise<void>
  /**
   * Forgets every key but this partition's.
   *
   * @param at - when that was asked for: nothing is forgotten where it was asked for later that those of another one be kept
   */
  keepOnly(partition: string, at?: EpochMs): Promise<void>
  /** Gives back what the ring holds open. It may be used again. */
  close?(): Promise<void>
}

export interface KeyRingOptions {
  /** The name of the database that the keys belong to; theirs is called `<name>-keys`. */
  readonly name: string
  readonly factory: IDBFactory
  readonly clock: Clock
  readonly subtle: SubtleCrypto
  /** How long an operation may take. @default 3,000 */
  readonly deadlineMs?: Ms
}

/**
 * Keeps keys in an IndexedDB database of their own, as the objects that they are: script can use a key, nobody can read it (`extractable: false`). None is remembered outside the
 * database, so that one dropped in one tab is of no use in any other.
 */
export function createKeyRing({ name, factory, clock, subtle, deadlineMs = 3_000 }: KeyRingOptions): KeyRing {
  const connection = createConnection({ name: `${name}-keys`, factory, clock, deadlineMs })

  async function look(objects: IDBObjectStore, partition: string): Promise<CryptoKey | undefined> {
    const value = await promisifyRequest<unknown>(objects.get(partition))
    return isKey(value) ? value : undefined
  }

  const find = together((partition) =>
    connection.transact('readonly', 'relaxed', (objects) => look(objects, partition)),
  )

  const keyFor = together(async (partition) => {
    const known = await find(partition)
    if (known) return known
    const made = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    return connection.transact('readwrite', 'strict', async (objects) => {
      // Another tab may have been first.
      const first = await look(objects, partition)
      if (!first) objects.put(made, partition)
      return first ?? made
    })
  })

  return {
    find,
    keyFor,
    drop: (partition) =>
      connection.transact('readwrite', 'strict', async (objects) => {
        objects.delete(partition)
      }),
    keepOnly: (partition, at) =>
      connection.transact('readwrite', 'strict', async (objects) => {
        const [names, keptAt] = await Promise.all([
          promisifyRequest(objects.getAllKeys()),
          promisifyRequest<unknown>(objects.get(KEPT_AT)),
        ])
        if (isOvertaken(at, keptAt, clock.now())) return
        for (const name of names) if (typeof name === 'string' && name !== partition) objects.delete(name)
        // It is asked for before and after entering.
        if (at !== undefined && at !== keptAt) objects.put(at, KEPT_AT)
      }),
    close: connection.close,
  }
}

/** Where it lies when it was asked for the partition whose key is kept. No partition is called so. */
const KEPT_AT = ['kept', 'at']

const isKey = (value: unknown): value is CryptoKey =>
  isObject(value) && value.type === 'secret' && value.extractable === false

/** Those who ask for the same at the same time share one answer. */
function together<T>(ask: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const asking = new Map<string, Promise<T>>()
  return (name) => {
    const shared = asking.get(name) ?? ask(name).finally(() => asking.delete(name))
    asking.set(name, shared)
    return shared
  }
}
