import { describe, test } from 'vitest'
import type { Store } from '../../src/ports/store.ts'
import { encryptedStore } from '../../src/stores/encrypted.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createKeyRing } from '../../src/stores/key-ring.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { seededRandom, storeContract, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { asNamed } from './as-named.ts'
import { keyRingTests, memoryKeyRing, realCrypto } from './key-rings.ts'

const room = { maxBytes: 10_000_000, maxEntryBytes: 1_000_000, onNotice: () => {} }
let created = 0

const inMemory = async (): Promise<Store> =>
  encryptedStore(createMemoryStore({ ...room, incarnation: `incarnation ${++created}` }), memoryKeyRing(), {
    ...realCrypto,
    onNotice: room.onNotice,
  })

const inIndexedDb = (inlineBytes: number) => async (): Promise<Store> => {
  const place = { ...(await virtualIndexedDB()), clock: virtualClock(), name: 'contract' }
  const store = createIndexedDbStore({ ...room, ...place, random: seededRandom(++created), inlineBytes })
  const keys = createKeyRing({ ...place, subtle: crypto.subtle })
  return encryptedStore(store, keys, { ...realCrypto, onNotice: room.onNotice })
}

describe.each([
  ['memory', inMemory],
  ['IndexedDB, bodies inside their records', inIndexedDb(65_536)],
  ['IndexedDB, bodies apart', inIndexedDb(0)],
])('the encrypted store over %s', (_, create) => {
  storeContract(create, { test, seed: 3 })

  describe('within a named partition', () => {
    storeContract(async () => asNamed(await create()), { test, seed: 4 })
  })
})

describe('the key ring in IndexedDB', () => {
  keyRingTests(async () => {
    const { factory } = await virtualIndexedDB()
    return {
      another: () => createKeyRing({ name: 'ring', factory, clock: virtualClock(), subtle: crypto.subtle }),
    }
  })
})

describe('the key ring in memory', () => {
  keyRingTests(async () => {
    const ring = memoryKeyRing()
    return { another: () => ring }
  })
})
