import { describe, expect, test } from 'vitest'
import type { StoredRecord } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { sizeOf } from '../../src/stores/stored-record.ts'
import {
  createWorld,
  seededRandom,
  virtualClock,
  virtualIndexedDB,
  type WorldContext,
} from '../../src/testing/index.ts'
import { putOf, responseWith } from '../stores/builders.ts'
import { recordIn, rowsOfKind, valueUnder } from '../stores/golden/restored.ts'
import { rowsOf } from './database-harness.ts'

describe('a sign-out on a full disk: whoever comes next does not trust what the browser has below (law 5)', () => {
  /** Which cache mode the next page, where nobody is signed in, gives its first request for what Anna has read. */
  async function modeOfTheNext(fullTimes: number) {
    const world = await createWorld({ tabs: 1 })
    world.origin.serves('/me', { cacheControl: 'max-age=600', json: {} })
    const [tab] = world.tabs as [WorldContext]
    const entering = tab.cache.setPartition('anna')
    await world.clock.settle()
    await entering
    const reading = tab.cache.json('/me')
    await world.clock.settle()
    await reading
    for (let nth = 2; nth <= 1 + fullTimes; nth++)
      world.database.inject({ at: 'commit', nth, fault: 'QuotaExceededError' })
    const leaving = tab.cache.setPartition(undefined)
    await world.clock.settle()
    await leaving
    tab.reload()
    const again = tab.cache.json('/me')
    await world.clock.settle()
    await again
    return world.origin.requests.at(-1)?.cacheMode
  }

  test('with room', async () => {
    expect(await modeOfTheNext(0)).toBe('no-cache')
  })

  test('with room for a name alone', async () => {
    expect(await modeOfTheNext(1)).toBe('no-cache')
  })
})

/** Stores of two tabs on one database. */
async function tabs() {
  const database = await virtualIndexedDB()
  const clock = virtualClock()
  const open = () =>
    createIndexedDbStore({
      name: 'nearcache',
      factory: database.factory,
      keyRange: database.keyRange,
      clock,
      random: seededRandom(1),
      maxBytes: 1e9,
      maxEntryBytes: 10_000,
      onNotice: () => {},
    })
  const stored = async () =>
    rowsOfKind(await rowsOf(database), 'record').reduce((sum, row) => sum + sizeOf(recordIn(row) as StoredRecord), 0)
  const account = async () => valueUnder(await rowsOf(database), ['meta', 'space'])
  return { database, clock, annas: open(), bens: open(), stored, account }
}

const put = (key: string, partition: string) => ({ ...putOf([key], responseWith('b', 1_000)), partition })
const RELAXED = { durability: 'relaxed' } as const

test('what a full disk gave up of a user is not taken off the account of the next one by the tab that was left', async () => {
  const { database, clock, annas, bens, stored, account } = await tabs()
  await annas.enter?.('anna', clock.now())
  await annas.update([], () => Array.from({ length: 12 }, (_, index) => put(`k${index}`, 'anna')), RELAXED)
  // There is no room for what follows, nor for the account after half was given up.
  for (const nth of [1, 3, 4, 5, 6, 7, 8]) database.inject({ at: 'commit', nth, fault: 'QuotaExceededError' })
  await expect(annas.update([], () => [put('new', 'anna')], RELAXED)).rejects.toThrow()
  database.release()
  await clock.advance(10)
  await bens.enter?.('ben', clock.now())
  await bens.update([], () => Array.from({ length: 12 }, (_, index) => put(`b${index}`, 'ben')), RELAXED)
  // Anna's tab has been left; what it purges is everybody's.
  await annas.update([], () => [{ kind: 'purge', purge: { selector: { tags: ['t'] }, mode: 'soft', at: 0 } }], {
    durability: 'strict',
  })
  const bytes = await stored()
  expect(await account()).toMatchObject({ bytes, named: bytes })
})

test('an entering that finds the disk full does not end what was entered meanwhile, by a later wish', async () => {
  const { database, clock, annas, bens } = await tabs()
  const asked = clock.now()
  await clock.advance(10)
  database.inject({ at: 'commit', nth: 3, fault: 'QuotaExceededError' })
  // Ben's is behind Anna's, and before what she does instead.
  const entering = [annas.enter?.('anna', asked), bens.enter?.('ben', clock.now())]
  await Promise.allSettled(entering)
  expect((await bens.read([])).partition).toBe('ben')
})
