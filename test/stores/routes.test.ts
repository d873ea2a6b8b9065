import { describe, expect, test } from 'vitest'
import type { StoredResponse } from '../../src/http/message.ts'
import type { Store, StoreNotice } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { rowsOf } from '../faults/database-harness.ts'
import { recordOf, responseWith } from './builders.ts'

const RELAXED = { durability: 'relaxed' } as const
const limits = { maxBytes: 1e6, maxEntryBytes: 1e6 }

async function onDisk() {
  const database = await virtualIndexedDB()
  const notices: StoreNotice[] = []
  const open = (maxBytes = limits.maxBytes) =>
    createIndexedDbStore({
      ...limits,
      maxBytes,
      name: 'nearcache',
      factory: database.factory,
      keyRange: database.keyRange,
      clock: virtualClock(),
      random: seededRandom(1),
      onNotice: (notice) => notices.push(notice),
    })
  return { store: open(), open, notices, database }
}

async function inMemory() {
  const notices: StoreNotice[] = []
  const open = (maxBytes = limits.maxBytes) =>
    createMemoryStore({ ...limits, maxBytes, incarnation: 'one', onNotice: (notice) => notices.push(notice) })
  return { store: open() as Store, open, notices }
}

const put = (store: Store, key: string, more: Partial<StoredResponse> = {}, partition = '', size = 10) =>
  store.update(
    [],
    () => [{ kind: 'record', partition, key: [key], value: recordOf(responseWith(key, size, more)) }],
    RELAXED,
  )
const isThere = async (store: Store, key: string, partition = '') =>
  (await store.read([['record', partition, [key]]])).record(partition, [key]) !== undefined
const kept = async (store: Store, keys: readonly string[]) => {
  const there = await Promise.all(keys.map((key) => isThere(store, key)))
  return keys.filter((_, index) => there[index])
}

const of = (name: string, maxKeys: number) => ({ route: { name, maxKeys } })

describe.each([
  ['memory', inMemory],
  ['the disk', onDisk],
])('a limited number of keys per route, in %s', (_, make) => {
  test('the longest stored one goes when another one comes, and that is told', async () => {
    const { store, notices } = await make()
    for (const key of ['a', 'b', 'c', 'd', 'e']) await put(store, key, of('r', 3))
    expect(await kept(store, ['a', 'b', 'c', 'd', 'e'])).toEqual(['c', 'd', 'e'])
    expect(notices.map((notice) => notice.type === 'evicted' && notice.key)).toEqual([['a'], ['b']])
  })

  test('what was used since is spared once', async () => {
    const { store } = await make()
    for (const key of ['a', 'b', 'c']) await put(store, key, of('r', 3))
    await isThere(store, 'a')
    // The bits come along with the next write.
    await put(store, 'other')
    await put(store, 'd', of('r', 3))
    expect(await kept(store, ['a', 'b', 'c', 'd'])).toEqual(['a', 'c', 'd'])
  })

  test('a route does not count what is of another one, or of none', async () => {
    const { store } = await make()
    for (const key of ['a', 'b', 'c', 'd']) await put(store, key)
    for (const key of ['e', 'f']) await put(store, key, of('r', 2))
    for (const key of ['g', 'h']) await put(store, key, of('s', 2))
    expect(await kept(store, [...'abcdefgh'])).toEqual([...'abcdefgh'])
  })

  test('what is stored again, or was removed, does not count twice', async () => {
    const { store } = await make()
    await put(store, 'a', of('r', 2))
    await put(store, 'b', of('r', 2))
    for (let times = 0; times < 3; times++) await put(store, 'b', of('r', 2))
    await store.update([], () => [{ kind: 'record', partition: '', key: ['a'], value: undefined }], RELAXED)
    await put(store, 'a', of('r', 2))
    expect(await kept(store, ['a', 'b'])).toEqual(['a', 'b'])
  })

  test('what has come to another route meanwhile is not removed for the sake of the first', async () => {
    const { store } = await make()
    await put(store, 'a', of('r', 1))
    await put(store, 'a', of('s', 1))
    await put(store, 'b', of('r', 1))
    await put(store, 'c', of('r', 1))
    expect(await kept(store, ['a', 'b', 'c'])).toEqual(['a', 'c'])
  })
})

describe.each([
  ['memory', inMemory],
  ['the disk', onDisk],
])('pinned, in %s', (_, make) => {
  const PINNED = { pinned: true } as const

  test('is never given up while anything is there that is not pinned', async () => {
    const { open } = await make()
    const store = open(60_000)
    for (const key of ['p', 'q']) await put(store, key, PINNED, '', 10_000)
    for (let index = 0; index < 30; index++) {
      await put(store, `k${index}`, {}, '', 8_000)
      expect(await kept(store, ['p', 'q'])).toEqual(['p', 'q'])
    }
  })

  test('stays within the budget all the same: of what is pinned, some goes when nothing else is left', async () => {
    const { open } = await make()
    const store = open(60_000)
    await put(store, 'k', {}, '', 5_000)
    const keys = Array.from({ length: 12 }, (_, index) => `p${index}`)
    for (const key of keys) await put(store, key, PINNED, '', 10_000)
    const left = await kept(store, keys)
    expect(left.length).toBeGreaterThan(1)
    expect(left.length).toBeLessThanOrEqual(5)
    expect(await kept(store, ['k'])).toEqual([])
  })

  test('what is not pinned does not push it out, and is not kept where there is no room beside it', async () => {
    const { open } = await make()
    const store = open(40_000)
    const keys = ['p', 'q', 'r']
    for (const key of keys) await put(store, key, PINNED, '', 11_000)
    await put(store, 'k', {}, '', 15_000)
    expect(await kept(store, [...keys, 'k'])).toEqual(keys)
  })
})

test('the list of a route goes with its partition: nothing of who signed out stays on the disk (law 5)', async () => {
  const { store, database } = await onDisk()
  await store.enter?.('anna')
  await put(store, 'secret', of('r', 2), 'anna')
  expect(JSON.stringify(await rowsOf(database))).toContain('"route","anna","r"')
  await store.enter?.('')
  expect(JSON.stringify(await rowsOf(database))).not.toContain('secret')
})

test.each([['text'], [[5, null, ['a', 5]]], [{}]])('a list that is damaged (%j) begins anew', async (damage) => {
  const { store, database } = await onDisk()
  await put(store, 'a', of('r', 1))
  await new Promise<void>((resolve) => {
    database.factory.open('nearcache').onsuccess = ({ target }) => {
      const { result } = target as IDBOpenDBRequest
      const transaction = result.transaction('nearcache', 'readwrite')
      transaction.objectStore('nearcache').put(damage, ['route', '', 'r'])
      transaction.oncomplete = () => {
        result.close()
        resolve()
      }
    }
  })
  for (const key of ['b', 'c']) await put(store, key, of('r', 1))
  expect(await kept(store, ['b', 'c'])).toEqual(['c'])
})
