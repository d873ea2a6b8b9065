import { expect, test } from 'vitest'
import type { Store, StoreNotice } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { rowsOf } from '../faults/database-harness.ts'
import { idsOf, putOf, responseWith } from './builders.ts'

const RELAXED = { durability: 'relaxed' } as const
const KEPT = 1_200

/** A disk on which much is kept, and a store that may keep as much as is said. */
async function fullDisk(maxBytes: number) {
  const database = await virtualIndexedDB()
  const notices: StoreNotice[] = []
  const open = (room: number) =>
    createIndexedDbStore({
      name: 'nearcache',
      factory: database.factory,
      keyRange: database.keyRange,
      clock: virtualClock(),
      random: seededRandom(1),
      maxBytes: room,
      maxEntryBytes: 10_000,
      onNotice: (notice) => notices.push(notice),
    })
  const keys = Array.from({ length: KEPT }, (_, index) => [`k${String(index).padStart(4, '0')}`])
  await open(1e9).update([], () => keys.map((key) => putOf(key, responseWith('b', 1_000))), RELAXED)
  const records = async () => (await rowsOf(database)).filter(([key]) => (key as string[])[0] === 'record').length
  return { database, store: open(maxBytes), notices, keys, records }
}

const put = (store: Store, key: string) => store.update([], () => [putOf([key], responseWith('new', 1_000))], RELAXED)
const read = async (store: Store, key: string) => (await store.read([['record', '', [key]]])).record('', [key])

test('what is too much for one transaction is evicted in several, and those who read come in between', async () => {
  const { database, store, notices, records } = await fullDisk(200_000)
  await put(store, 'new')
  const afterFirst = await records()
  expect(afterFirst).toBeGreaterThan(KEPT / 2)
  // Nobody asks for it: it goes on by itself.
  await store.read([])
  await database.settled()
  expect(await records()).toBeLessThan(110)
  expect(idsOf(await read(store, 'new'))).toEqual(['new'])
  expect(notices.filter(({ type }) => type === 'evicted')).toHaveLength(KEPT + 1 - (await records()))
  const space = (await rowsOf(database)).find(([key]) => (key as string[])[1] === 'space')?.[1]
  expect(space).toMatchObject({ bytes: expect.any(Number) })
  expect((space as { bytes: number }).bytes).toBeLessThanOrEqual(200_000)
})

test('no transaction of an eviction has the hand pass more than 256 records', async () => {
  const { database, store, records } = await fullDisk(200_000)
  await store.read([])
  const counts: number[] = []
  let before = await records()
  await put(store, 'new')
  for (let now = await records(); now !== before; now = await records()) {
    counts.push(before - now)
    before = now
    await new Promise(setImmediate)
  }
  await database.settled()
  expect(counts.length).toBeGreaterThan(2)
  expect(Math.max(...counts)).toBeLessThanOrEqual(2 * 256)
})

test('an eviction that was cut off in the middle goes on with the next write, where it stopped', async () => {
  const { database, store, records } = await fullDisk(200_000)
  await store.read([])
  // The first of its transactions is done, the next one never.
  database.inject({ at: 'transaction', nth: 2, fault: 'UnknownError' })
  database.inject({ at: 'transaction', nth: 3, fault: 'UnknownError' })
  await put(store, 'new')
  await database.settled()
  expect(await records()).toBeGreaterThan(KEPT / 2)
  await put(store, 'next')
  await database.settled()
  expect(await records()).toBeLessThan(110)
})

test('an eviction goes on to its end though a write comes in between that changes no size', async () => {
  const { database, store, records } = await fullDisk(200_000)
  await put(store, 'new')
  await store.update([['record', '', ['new']]], () => [], RELAXED)
  expect(await records()).toBeGreaterThan(KEPT / 2)
  await database.settled()
  await store.read([])
  await database.settled()
  expect(await records()).toBeLessThan(110)
})

test('half of a full disk is given up in several transactions as well', async () => {
  const { database, store, records } = await fullDisk(1e9)
  await store.read([])
  database.inject({ at: 'commit', fault: 'QuotaExceededError' })
  const before = database.count('transaction')
  await put(store, 'new')
  expect(database.count('transaction') - before).toBeGreaterThan(4)
  expect(await records()).toBeLessThanOrEqual(KEPT / 2 + 2)
  expect(idsOf(await read(store, 'new'))).toEqual(['new'])
})

test('what a full disk kept from being evicted is not told as evicted', async () => {
  const { database, store, notices, records } = await fullDisk(200_000)
  await store.read([])
  database.inject({ at: 'commit', fault: 'QuotaExceededError' })
  await put(store, 'new')
  await store.read([])
  await database.settled()
  expect(notices.filter(({ type }) => type === 'evicted')).toHaveLength(KEPT + 1 - (await records()))
})
