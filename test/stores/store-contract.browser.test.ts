import { describe, test } from 'vitest'
import { systemClock } from '../../src/platform/system-clock.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { storeContract } from '../../src/testing/index.ts'

const room = { maxBytes: 10_000_000, maxEntryBytes: 1_000_000, onNotice: () => {} }

describe('the store in memory', () => {
  storeContract(() => createMemoryStore({ ...room, incarnation: crypto.randomUUID() }), { test })
})

describe.each([65_536, 0])('the store in this browser, bodies up to %i bytes inside their records', (inlineBytes) => {
  storeContract(
    () =>
      createIndexedDbStore({
        ...room,
        // A database of its own for each test, and none is deleted: that would wait for connections of others.
        name: `contract ${crypto.randomUUID()}`,
        factory: indexedDB,
        keyRange: IDBKeyRange,
        clock: systemClock,
        random: Math.random,
        inlineBytes,
        // A slow machine is no failure here.
        deadlineMs: 60_000,
      }),
    { test },
  )
})
