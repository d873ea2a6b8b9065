import { expect } from 'vitest'
import type { StoredResponse } from '../../src/http/message.ts'
import type { Store, StoreNotice } from '../../src/ports/store.ts'
import { type EncryptionOptions, encryptedStore, plainNotice } from '../../src/stores/encrypted.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { recordOf, responseWith } from './builders.ts'
import { memoryKeyRing, realCrypto } from './key-rings.ts'

export const RELAXED = { durability: 'relaxed' } as const
export const purgeAll = { kind: 'purge', purge: { selector: { all: true }, mode: 'hard', at: 0 } } as const
export const CANARY = 'canary of a signed-in user '

let seeds = 0

/** An encrypted store over one in IndexedDB, whose keys and whose platform a test can get at. */
export async function encryptedOn({
  maxBytes = 5_000_000,
  ...more
}: Partial<EncryptionOptions> & { maxBytes?: number } = {}) {
  const database = await virtualIndexedDB()
  const notices: StoreNotice[] = []
  const clock = virtualClock()
  const keys = memoryKeyRing()
  const onNotice = (notice: StoreNotice) => notices.push(plainNotice(notice))
  const raw = createIndexedDbStore({
    ...database,
    name: 'test',
    clock,
    random: seededRandom(++seeds),
    maxBytes,
    maxEntryBytes: 2_000_000,
    inlineBytes: 1_000,
    onNotice,
  })
  const over = (beneath: Store) => encryptedStore(beneath, keys, { ...realCrypto, onNotice, ...more })
  return { store: over(raw), over, raw, keys, database, clock, notices }
}

/** A response whose body is the canary, over and over. */
export const canary = (id: string, size = 500): StoredResponse => {
  const text = `${CANARY}${id} `.repeat(Math.ceil(size / CANARY.length)).slice(0, size)
  const bytes = new TextEncoder().encode(text)
  return { ...responseWith(id), body: { id, size: bytes.byteLength, bytes } }
}

export const putOf = (partition: string, key: string, ...responses: StoredResponse[]) =>
  ({
    kind: 'record',
    partition,
    key: [key],
    value: responses.length > 0 ? recordOf(...responses) : undefined,
  }) as const

/** Puts these in the place of all that was stored under the key. */
export const put = (store: Store, partition: string, key: string, ...responses: StoredResponse[]) =>
  store.update([['record', partition, [key]]], () => [putOf(partition, key, ...responses)], RELAXED)

/** What is there under a key, as texts, wherever the bodies lie; those without a body are not there. */
export async function read(store: Store, partition: string, key: string): Promise<string[]> {
  const { record } = await store.read([['record', partition, [key]]])
  const responses = record(partition, [key])?.responses ?? []
  const { body } = await store.read(responses.map((one) => ['body', partition, [key], one.body.id] as const))
  return responses.flatMap((one) => {
    const bytes = one.body.bytes ?? body(partition, [key], one.body.id)
    if (bytes) expect(bytes.byteLength).toBe(one.body.size)
    return bytes ? [new TextDecoder().decode(bytes)] : []
  })
}
export const textOf = ({ body }: StoredResponse) => new TextDecoder().decode(body.bytes)

/** What lies in a database, by hand. */
export function rows(factory: IDBFactory, name = 'test'): Promise<Array<[IDBValidKey, unknown]>> {
  return new Promise((resolve, reject) => {
    const opening = factory.open(name)
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('nearcache')
      const objects = transaction.objectStore('nearcache')
      const [keys, values] = [objects.getAllKeys(), objects.getAll()]
      transaction.oncomplete = () => {
        opening.result.close()
        resolve(keys.result.map((key, index) => [key, values.result[index]]))
      }
      transaction.onabort = () => reject(transaction.error)
    }
  })
}

/** Everything that lies there as one text, bytes as the characters that they are. */
export const dump = (lying: unknown): string =>
  JSON.stringify(lying, (_, value) => (value instanceof Uint8Array ? String.fromCharCode(...value) : value))

/** Changes the ciphertexts of a record of anna's. */
export async function tamper(
  raw: Store,
  key: string,
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
) {
  const beneath = ['sealed', key]
  const { record } = await raw.read([['record', 'anna', beneath]])
  const responses = (record('anna', beneath)?.responses ?? []).map(({ body: { id, bytes }, ...one }) => {
    const changed = change(bytes as Uint8Array<ArrayBuffer>)
    return { ...one, body: { id, size: changed.byteLength, bytes: changed } }
  })
  expect(responses.length).toBeGreaterThan(0)
  const write = { kind: 'record', partition: 'anna', key: beneath, value: recordOf(...responses) } as const
  await raw.update([], () => [write], RELAXED)
}

/** The operations that are said to have failed. */
export const failures = (notices: readonly StoreNotice[]) =>
  notices.map((notice) => (notice.type === 'store-failed' ? notice.operation : notice.type))
