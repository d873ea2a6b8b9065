import { expect, test } from 'vitest'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { idsOf, putOf, responseWith } from './builders.ts'

test('one key takes no more than half of the disk’s budget: of its variants the latest stay, and others keep their place', async () => {
  const { factory, keyRange } = await virtualIndexedDB()
  const evicted: unknown[] = []
  const store = createIndexedDbStore({
    name: 'large',
    factory,
    keyRange,
    clock: virtualClock(),
    random: seededRandom(1),
    maxBytes: 60_000,
    maxEntryBytes: 10_000,
    onNotice: (notice) => evicted.push(notice),
  })
  const put = (key: string, ...ids: string[]) =>
    store.update([], () => [putOf([key], ...ids.map((id) => responseWith(id, 8_000)))], { durability: 'relaxed' })
  await put('page', 'p')
  await put('film', ...Array.from({ length: 12 }, (_, index) => String(index)))
  const { record } = await store.read([
    ['record', '', ['page']],
    ['record', '', ['film']],
  ])
  expect(idsOf(record('', ['page']))).toEqual(['p'])
  expect(idsOf(record('', ['film']))).toEqual(['9', '10', '11'])
  expect(evicted).toEqual([])
})
