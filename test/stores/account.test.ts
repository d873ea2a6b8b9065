import { expect, test } from 'vitest'
import type { StoredRecord, Write } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { sizeOf } from '../../src/stores/stored-record.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { byHand, rowsOf } from '../faults/database-harness.ts'
import { putOf, responseWith } from './builders.ts'
import { recordIn, rowsOfKind, valueUnder } from './golden/restored.ts'

const RELAXED = { durability: 'relaxed' } as const
const STRICT = { durability: 'strict' } as const

const key = (index: number) => [`k${String(index).padStart(4, '0')}`]
const keys = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => key(from + index))
const put = (key: readonly string[]) => putOf(key, responseWith('b', 1_000))

/** A disk on which so much is kept, stores that may keep as much as is said, what lies there, and what its account says. */
async function disk(kept: number) {
  const database = await virtualIndexedDB()
  const open = (maxBytes: number) =>
    createIndexedDbStore({
      name: 'nearcache',
      factory: database.factory,
      keyRange: database.keyRange,
      clock: virtualClock(),
      random: seededRandom(1),
      maxBytes,
      maxEntryBytes: 10_000,
      onNotice: () => {},
    })
  const stored = async () =>
    rowsOfKind(await rowsOf(database), 'record').reduce((sum, row) => sum + sizeOf(recordIn(row) as StoredRecord), 0)
  const account = async () => valueUnder(await rowsOf(database), ['meta', 'space'])
  await open(1e9).update([], () => keys(0, kept).map(put), RELAXED)
  return { database, open, stored, account }
}

test.each<[string, Write[]]>([
  ['removed ahead of the hand', keys(500, 600).map((key) => putOf(key))],
  ['removed where the hand has been', keys(0, 100).map((key) => putOf(key))],
  ['written ahead of the hand', keys(600, 700).map(put)],
  ['written where the hand has been', keys(0, 100).map(([name]) => put([`${name} too`]))],
])('what is %s while an eviction is under way is counted once', async (_, writes) => {
  const { database, open, stored, account } = await disk(600)
  // All were used: in its first round the hand only takes bits, and counts.
  await byHand(database.factory, 'nearcache', 'readwrite', (objects) => {
    for (const one of keys(0, 600)) objects.put(1, ['visited', '', one])
    return () => {}
  })
  const store = open(300_000)
  await store.update([], () => [put(['a'])], RELAXED)
  await store.update([], () => writes, RELAXED)
  await database.settled()
  expect(await stored()).toBeLessThanOrEqual(300_000)
  expect(await stored()).toBeGreaterThan(275_000)
  expect(await account()).toMatchObject({ bytes: await stored() })
})

test('what a full disk gave up is taken off once, though a purge comes while it is tried once more', async () => {
  const { database, open, stored, account } = await disk(12)
  const store = open(1e9)
  await store.read([])
  database.inject({ at: 'commit', fault: 'QuotaExceededError' })
  const purges: Promise<unknown>[] = []
  let runs = 0
  await store.update(
    [],
    () => {
      if (++runs === 2)
        purges.push(
          store.update(
            [],
            () => [{ kind: 'purge', purge: { selector: { tags: ['t'] }, mode: 'soft', at: 0 } }],
            STRICT,
          ),
        )
      return [put(['new'])]
    },
    RELAXED,
  )
  await Promise.all(purges)
  expect(purges).toHaveLength(1)
  expect(await account()).toMatchObject({ bytes: await stored() })
})

test("a user's bytes are counted as such though nobody's become less by as many in one transaction", async () => {
  const { open, stored, account } = await disk(1)
  const store = open(1e9)
  await Promise.all([
    store.update([], () => [putOf(key(0))], RELAXED),
    store.update([], () => [{ ...put(key(0)), partition: 'anna' }], RELAXED),
  ])
  const bytes = await stored()
  expect(await account()).toMatchObject({ bytes, named: bytes })
  expect(await store.enter?.('ben')).toMatchObject({ removed: { records: 1, bytes } })
  expect(await account()).toMatchObject({ bytes: 0, named: 0 })
})

test('what a full disk gave up of a user is not taken off once more when the next one has come before that was written down', async () => {
  const { database, open, stored, account } = await disk(4)
  const store = open(1e9)
  await store.enter?.('anna')
  await store.update([], () => keys(0, 12).map((key) => ({ ...put(key), partition: 'anna' })), RELAXED)
  // There is no room for what follows, nor for the account after half was given up.
  for (const nth of [1, 3, 4, 5, 6, 7, 8]) database.inject({ at: 'commit', nth, fault: 'QuotaExceededError' })
  await expect(store.update([], () => [put(['new'])], RELAXED)).rejects.toThrow()
  database.release()
  await store.enter?.('ben')
  await store.update([], () => [put(['more'])], RELAXED)
  expect(await account()).toMatchObject({ bytes: await stored(), named: 0 })
})
