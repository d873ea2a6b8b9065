import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/system-clock.ts'
import type { Store } from '../../src/ports/store.ts'
import { encryptedStore } from '../../src/stores/encrypted.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createKeyRing } from '../../src/stores/key-ring.ts'
import { storeContract } from '../../src/testing/index.ts'
import { asNamed } from './as-named.ts'
import { keyRingTests, realCrypto } from './key-rings.ts'

// A slow machine is no failure here. No database is deleted: that would wait for connections of others.
const place = { factory: indexedDB, keyRange: IDBKeyRange, clock: systemClock, deadlineMs: 60_000 }

describe('the key ring in this browser', () => {
  keyRingTests(async () => {
    const name = `keys ${crypto.randomUUID()}`
    return { another: () => createKeyRing({ ...place, name, subtle: crypto.subtle }) }
  })

  test('what lies in its database is a key that cannot be exported', async () => {
    const name = `keys ${crypto.randomUUID()}`
    await createKeyRing({ ...place, name, subtle: crypto.subtle }).keyFor('anna')
    const lying = await new Promise<unknown[]>((resolve, reject) => {
      const opening = indexedDB.open(`${name}-keys`)
      opening.onerror = () => reject(opening.error)
      opening.onsuccess = () => {
        const [storeName = ''] = opening.result.objectStoreNames
        const request = opening.result.transaction(storeName).objectStore(storeName).getAll()
        request.onsuccess = () => resolve(request.result)
      }
    })
    expect(lying).toHaveLength(1)
    expect(lying[0]).toBeInstanceOf(CryptoKey)
    await expect(crypto.subtle.exportKey('raw', lying[0] as CryptoKey)).rejects.toHaveProperty(
      'name',
      'InvalidAccessError',
    )
  })
})

function createStore(): Store {
  const name = `encrypted ${crypto.randomUUID()}`
  const onNotice = () => {}
  const room = { maxBytes: 10_000_000, maxEntryBytes: 1_000_000, onNotice }
  const store = createIndexedDbStore({ ...place, ...room, name, random: Math.random })
  return encryptedStore(store, createKeyRing({ ...place, name, subtle: crypto.subtle }), { ...realCrypto, onNotice })
}

describe('the encrypted store in this browser', () => {
  storeContract(createStore, { test })

  describe('within a named partition', () => {
    storeContract(() => asNamed(createStore()), { test })
  })
})
