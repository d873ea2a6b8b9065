import type { PurgeLog, StoredResponse } from '../http/message.ts'
import type { Cipher } from '../ports/cipher.ts'
import type { CacheKey, Snapshot, Store, StoredRecord, StoreKey, StoreNotice, Write } from '../ports/store.ts'
import type { KeyRing } from './key-ring.ts'
import { isForeign } from './stored-record.ts'

export { createKeyRing } from './key-ring.ts'

export interface EncryptionOptions extends Cipher {
  onNotice(notice: StoreNotice): void
}

type Bytes = Uint8Array<ArrayBuffer>

/** Bytes of a body, and where they belong. */
interface Body {
  readonly place: readonly [partition: string, key: CacheKey, id: string]
  readonly bytes: Bytes
}

/** What was decrypted, by the names of the keys of the store. */
interface Opened {
  readonly records: ReadonlyMap<string, StoredRecord | undefined>
  readonly bodies: ReadonlyMap<string, Bytes | undefined>
}

/** AES-GCM: an initialization vector of 96 bits and a tag of 128 (NIST SP 800-38D). */
const IV_BYTES = 12
const ADDED_BYTES = IV_BYTES + 16

/** In front of the key of each record that holds ciphertext. Elsewhere a key starts with a URL: whoever switches encryption on or off takes neither kind for the other. */
const SEALED = 'sealed'

/**
 * Encrypts the bodies of partitions that have a name; everything else goes through as it is. To forget a partition is then to drop its key, whatever becomes of the bytes on the disk.
 *
 * Promised are the bodies, nothing else: URLs, fields, sizes, times, tags and the names of partitions stay readable, and so does all that lies in the unnamed partition.
 *
 * A body is encrypted by AES-GCM under its partition's key, with a random initialization vector, which lies in front of it. Partition, key and name of the body are authenticated with
 * it: a ciphertext that was moved is worth no more than one that was changed. What cannot be decrypted counts as not stored, and what cannot be
 * encrypted is not stored. A notice says so, unless the key was dropped: that is as it should be.
 *
 * Encryption is asynchronous, and a transaction waits for nobody. So `change` runs once more, beforehand, to find out which bodies it will write. It sees the records of named
 * partitions with all bodies apart.
 */
export function encryptedStore(
  store: Store,
  keys: KeyRing,
  { subtle, fillRandom, onNotice }: EncryptionOptions,
): Store {
  /** The end of the last update's preparations: encrypted or not, updates reach the store beneath in the order in which they were asked for. */
  let reached: Promise<unknown> = Promise.resolve()

  const tell = (operation: string) => (error: unknown) => onNotice({ type: 'store-failed', operation, error })

  const algorithm = ({ place }: Body, iv: Bytes): AesGcmParams => ({
    name: 'AES-GCM',
    iv,
    additionalData: new TextEncoder().encode(JSON.stringify(place)),
  })

  async function encrypt(body: Body): Promise<Bytes> {
    const key = await keys.keyFor(body.place[0])
    const iv = fillRandom(new Uint8Array(IV_BYTES))
    const ciphertext = await subtle.encrypt(algorithm(body, iv), key, body.bytes)
    const sealed = new Uint8Array(IV_BYTES + ciphertext.byteLength)
    sealed.set(iv)
    sealed.set(new Uint8Array(ciphertext), IV_BYTES)
    return sealed
  }

  async function decrypt(body: Body, key: CryptoKey): Promise<Bytes> {
    const iv = body.bytes.subarray(0, IV_BYTES)
    return new Uint8Array(await subtle.decrypt(algorithm(body, iv), key, body.bytes.subarray(IV_BYTES)))
  }

  /** Decrypts what was asked for. Without a key everything is absent; of several failures one is told. */
  async function open(
    snapshot: Snapshot,
    asked: readonly StoreKey[],
    found: ReadonlyMap<string, Promise<CryptoKey | undefined>>,
  ): Promise<Opened> {
    const records = new Map<string, StoredRecord | undefined>()
    const bodies = new Map<string, Bytes | undefined>()
    const failures: unknown[] = []

    async function bytesOf(body: Body): Promise<Bytes | undefined> {
      try {
        const key = await found.get(body.place[0])
        return key && (await decrypt(body, key))
      } catch (error) {
        failures.push(error)
        return undefined
      }
    }

    async function responseOf(partition: string, key: CacheKey, one: StoredResponse): Promise<StoredResponse[]> {
      const { id, size, bytes } = one.body
      if (!bytes) return [{ ...one, body: { id, size: size - ADDED_BYTES } }]
      const opened = await bytesOf({ place: [partition, key, id], bytes })
      return opened ? [{ ...one, body: { id, size: size - ADDED_BYTES, bytes: opened } }] : []
    }

    await Promise.all(
      asked.filter(isNamed).map(async (place) => {
        const [, partition, key] = place
        if (place[0] === 'record') {
          const { responses = [] } = snapshot.record(partition, sealedKey(key)) ?? {}
          const opened = await Promise.all(responses.map((one) => responseOf(partition, key, one)))
          records.set(nameOf(place), asRecord(opened.flat()))
        } else {
          const bytes = snapshot.body(partition, sealedKey(key), place[3])
          bodies.set(nameOf(place), bytes && (await bytesOf({ place: [partition, key, place[3]], bytes })))
        }
      }),
    )
    if (failures.length > 0) tell('decrypt')(failures[0])
    return { records, bodies }
  }

  /** The keys of those partitions that are asked for, looked for at once. */
  function findKeys(asked: readonly StoreKey[]): Map<string, Promise<CryptoKey | undefined>> {
    const partitions = new Set(asked.filter(isNamed).map(([, partition]) => partition))
    const found = new Map([...partitions].map((partition) => [partition, keys.find(partition)]))
    // Whoever needs one hears that it failed.
    for (const one of found.values()) one.catch(() => {})
    return found
  }

  async function read(asked: readonly StoreKey[]): Promise<Snapshot> {
    if (!asked.some(isNamed)) return store.read(asked)
    const found = findKeys(asked)
    const snapshot = await store.read(asked.map(placeBeneath))
    const { records, bodies } = await open(snapshot, asked, found)
    return {
      ...snapshot,
      record: (partition, key) =>
        partition === '' ? snapshot.record(partition, key) : records.get(nameOf(['record', partition, key])),
      body: (partition, key, id) =>
        partition === '' ? snapshot.body(partition, key, id) : bodies.get(nameOf(['body', partition, key, id])),
    }
  }

  const update: Store['update'] = async (asked, change, options) => {
    /** Ciphertexts by the names of their places; `undefined` where there is none to be had. */
    const sealed = new Map<string, Bytes | undefined>()
    const keyed = new Set<string>()
    /** Bodies that `change` may look at, decrypted. */
    let opened: Opened['bodies'] | undefined

    async function seal(bodies: readonly Body[]): Promise<void> {
      const failures: unknown[] = []
      await Promise.all(
        bodies.map(async (body) => {
          keyed.add(body.place[0])
          const bytes = await encrypt(body).catch((error: unknown) => {
            failures.push(error)
            return undefined
          })
          sealed.set(nameOf(['body', ...body.place]), bytes)
        }),
      )
      if (failures.length > 0) tell('encrypt')(failures[0])
    }

    /** What `change` sees: of bodies, only those that were asked for. */
    const viewOf = (snapshot: Snapshot): Snapshot => ({
      ...snapshot,
      record: (partition, key) =>
        partition === '' ? snapshot.record(partition, key) : withoutBodies(snapshot.record(partition, sealedKey(key))),
      body(partition, key, id) {
        if (partition === '') return snapshot.body(partition, key, id)
        return snapshot.body(partition, sealedKey(key), id) && opened?.get(nameOf(['body', partition, key, id]))
      },
    })

    /** Runs `change`; its writes as the store beneath is to have them, without the bodies that are missing a ciphertext. */
    function run(snapshot: Snapshot): { readonly writes: Write[]; readonly missing: Body[] } {
      const missing: Body[] = []
      const sealedResponse = (partition: string, key: CacheKey, one: StoredResponse): StoredResponse[] => {
        const { id, size, bytes } = one.body
        const held = snapshot.record(partition, sealedKey(key))?.responses.find(({ body }) => body.id === id)
        if (!bytes) return [{ ...one, body: held?.body ?? { id, size: size + ADDED_BYTES } }]
        const name = nameOf(['body', partition, key, id])
        const ciphertext = sealed.get(name)
        if (ciphertext) return [{ ...one, body: { id, size: ciphertext.byteLength, bytes: ciphertext } }]
        if (!sealed.has(name)) missing.push({ place: [partition, key, id], bytes })
        return []
      }
      const writes = change(viewOf(snapshot)).flatMap((write): Write[] => {
        if (write.kind === 'purge' || write.partition === '') return [write]
        const { partition, key, value } = write
        if (isForeign(partition, snapshot.partition)) return []
        const responses = (value?.responses ?? []).flatMap((one) => sealedResponse(partition, key, one))
        return [{ ...write, key: sealedKey(key), value: asRecord(responses) }]
      })
      return { writes, missing }
    }

    async function prepare(): Promise<void> {
      const bodies = asked.filter(([kind]) => kind === 'body')
      const found = findKeys(bodies)
      const snapshot = await store.read(asked.map(placeBeneath))
      opened = (await open(snapshot, bodies, found)).bodies
      let missing: readonly Body[] = []
      try {
        missing = run(snapshot).missing
      } catch {
        // It is in the transaction that it counts.
      }
      await seal(missing)
    }

    /** @param isLast - what is still missing a ciphertext is left out, and not encrypted once more */
    async function commit(isLast: boolean): Promise<PurgeLog> {
      let missing: readonly Body[] = []
      let entered: string | undefined
      try {
        const log = await store.update(
          asked.map(placeBeneath),
          (snapshot) => {
            missing = []
            entered = snapshot.partition
            const ran = run(snapshot)
            missing = ran.missing
            // Then nothing is written.
            if (missing.length > 0 && !isLast) throw new Error('Not yet encrypted')
            return ran.writes
          },
          options,
        )
        // Whoever left a partition meanwhile has dropped its key: no other one stays in its place.
        for (const partition of keyed)
          if (isForeign(partition, entered)) await keys.drop(partition).catch(tell('forget'))
        return log
      } catch (error) {
        if (isLast || missing.length === 0) throw error
      }
      await seal(missing)
      return commit(true)
    }

    if (!asked.some(isNamed)) return commit(false)
    const [turn, prepared] = [reached, prepare()]
    prepared.catch(() => {})
    const reaching = turn.then(() => prepared).then(() => ({ log: commit(false) }))
    reached = reaching.then(
      () => {},
      () => {},
    )
    return (await reaching).log
  }

  const enterBeneath = store.enter?.bind(store)
  const enter: Store['enter'] =
    enterBeneath &&
    (async (partition, at) => {
      let whose = partition
      const forget = () => keys.keepOnly(whose, at).catch(tell('forget'))
      // First of all: from here on the partition that is left is unreadable, whatever becomes of the rest.
      await forget()
      try {
        const entered = await enterBeneath(partition, at)
        whose = entered.partition ?? partition
        return entered
      } finally {
        // Who was still writing for it has made it a new key.
        await forget()
      }
    })

  const own: Store = {
    read,
    update,
    ...(enter && { enter }),
    async close() {
      await Promise.all([store.close?.(), keys.close?.()])
    },
  }

  // What else a store may offer does not concern bodies.
  return new Proxy(own, {
    get(_, name) {
      const target = name in own ? own : store
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A notice of the store beneath an encrypted one, with the keys as they are above it. */
export const plainNotice = (notice: StoreNotice): StoreNotice =>
  notice.type === 'evicted' && notice.partition !== '' && notice.key[0] === SEALED
    ? { ...notice, key: notice.key.slice(1) }
    : notice

const isNamed = ([, partition]: StoreKey): boolean => partition !== ''

const sealedKey = (key: CacheKey): CacheKey => [SEALED, ...key]

/** Where that lies in the store beneath. */
function placeBeneath(place: StoreKey): StoreKey {
  if (!isNamed(place)) return place
  const key = sealedKey(place[2])
  return place[0] === 'record' ? ['record', place[1], key] : ['body', place[1], key, place[3]]
}

/** The record as the store beneath has it, each body apart. */
const withoutBodies = (record: StoredRecord | undefined): StoredRecord | undefined =>
  asRecord(
    (record?.responses ?? []).map((one) => ({ ...one, body: { id: one.body.id, size: one.body.size - ADDED_BYTES } })),
  )

const asRecord = (responses: readonly StoredResponse[]): StoredRecord | undefined =>
  responses.length > 0 ? { v: 1, responses } : undefined

/** Injective: no two keys have one name. */
const nameOf = (key: StoreKey): string => JSON.stringify(key)
