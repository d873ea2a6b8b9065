import { describe, test } from 'vitest'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { seededRandom, storeContract, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'

const room = { maxBytes: 10_000_000, maxEntryBytes: 1_000_000, onNotice: () => {} }
let created = 0

describe('the store in memory', () => {
  storeContract(() => createMemoryStore({ ...room, incarnation: `incarnation ${++created}` }), { test })
})

describe.each([65_536, 0])('the store in IndexedDB, bodies up to %i bytes inside their records', (inlineBytes) => {
  storeContract(
    async () => {
      const { factory, keyRange } = await virtualIndexedDB()
      const random = seededRandom(++created)
      return createIndexedDbStore({
        ...room,
        name: 'contract',
        factory,
        keyRange,
        clock: virtualClock(),
        random,
        inlineBytes,
      })
    },
    { test, seed: 2 },
  )
})
