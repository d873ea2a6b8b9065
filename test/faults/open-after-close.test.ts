import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { CacheOptions } from '../../src/index.ts'
import { profile, rowsOf, watched } from './database-harness.ts'
import { instantCrypto } from './instant-crypto.ts'

// close() gives back the database, whatever is under way or comes later.

describe('a cache that is closed holds nothing open', () => {
  test('made and closed at once', async () => {
    const world = await profile()
    const { cache } = world.open()
    await cache.close()
    await world.clock.settle()
    expect(world.database.connections()).toBe(0)
  })

  test('made and closed at once, while the open hangs', async () => {
    const world = await profile()
    world.database.inject({ at: 'open', fault: 'hang' })
    const { cache } = world.open()
    const closing = watched(cache.close())
    await world.clock.settle()
    expect(closing.state).toBe('fulfilled')
    world.database.release()
    await world.clock.settle()
    expect(world.database.connections()).toBe(0)
  })

  test('deleted by another tab before the early open is done', async () => {
    const world = await profile()
    world.open()
    const deleting = world.database.factory.deleteDatabase('nearcache')
    await new Promise((resolve, reject) => {
      deleting.onsuccess = resolve
      deleting.onblocked = reject
    })
    expect(world.database.connections()).toBe(0)
  })

  test('closed while a user signs out', async () => {
    const world = await profile()
    const { cache } = world.open({ partition: 'anna' })
    await cache.json('/a')
    await cache.settled()
    const leaving = cache.setPartition(undefined)
    await cache.close()
    await leaving.catch(() => {})
    await world.clock.settle()
    expect(world.database.connections()).toBe(0)
  })

  test('closed while one user comes after another', async () => {
    const world = await profile()
    const { cache } = world.open({ partition: 'anna' })
    await cache.json('/a')
    await cache.settled()
    const leaving = [cache.setPartition('ben'), cache.setPartition(undefined)]
    await cache.close()
    await Promise.allSettled(leaving)
    await world.clock.settle()
    expect(world.database.connections()).toBe(0)
  })

  test('a user signs out after it was closed: what lies there is removed', async () => {
    const world = await profile()
    const { cache } = world.open({ partition: 'anna' })
    await cache.json('/a')
    await cache.settled()
    await cache.close()
    expect(await cache.setPartition(undefined)).toMatchObject({ disk: { records: 1 } })
    await world.clock.settle()
    expect(world.database.connections()).toBe(0)
  })

  test('closed while the disk takes no purge', async () => {
    const world = await profile()
    const { cache } = world.open()
    await cache.json('/a')
    await cache.settled()
    for (let nth = 1; nth <= 50; nth++) world.database.inject({ at: 'commit', nth, fault: 'ConstraintError' })
    expect(await cache.purge({ url: '/a' }, { mode: 'hard' })).toMatchObject({ durable: false })
    await cache.close()
    await world.clock.settle()
    expect(world.database.connections()).toBe(0)
  })
})

describe('who signs out after the cache was closed, where bodies are encrypted (disk.encrypt)', () => {
  beforeAll(async () => {
    vi.stubGlobal('crypto', instantCrypto)
    // The cache loads it when it is needed, which takes no virtual time.
    await import('../../src/stores/encrypted.ts')
  })
  afterAll(() => {
    vi.unstubAllGlobals()
  })

  /** A page of Anna's has been here, and lies on the disk with its key; and what is there now. */
  async function annasProfile() {
    const world = await profile()
    const open = (options: CacheOptions = {}) => world.open({ disk: { encrypt: true }, ...options })
    const first = open({ partition: 'anna' })
    await first.cache.json('/a')
    await first.cache.close()
    const lies = async () => {
      const [rows, keys] = [await rowsOf(world.database), await rowsOf(world.database, 'nearcache-keys')]
      return {
        isAnnaThere: JSON.stringify(rows).includes('anna'),
        keys: keys.filter(([name]) => typeof name === 'string').length,
      }
    }
    expect(await lies()).toEqual({ isAnnaThere: true, keys: 1 })
    return { ...world, first, open, lies }
  }

  test.each([undefined, 'ben'])('to %s: data and key of who has left are gone, and nothing is open', async (next) => {
    const { first, lies, clock, database } = await annasProfile()
    expect(first.cache.peek('/a')).toBeDefined()
    const leaving = first.cache.setPartition(next)
    expect(first.cache.peek('/a')).toBeUndefined()
    expect(await leaving).toMatchObject({ disk: { records: 1 } })
    await clock.settle()
    expect(database.connections()).toBe(0)
    expect(await lies()).toEqual({ isAnnaThere: false, keys: 0 })
  })

  test.each([
    ['of nobody', {}],
    ['of hers', { partition: 'anna' }],
  ])('a cache %s that was made and closed at once forgets them just so', async (_, options) => {
    const { open, lies, clock, database } = await annasProfile()
    const { cache } = open(options)
    await cache.close()
    expect(await cache.setPartition(undefined)).toMatchObject({ disk: { records: 1 } })
    await clock.settle()
    expect(database.connections()).toBe(0)
    expect(await lies()).toEqual({ isAnnaThere: false, keys: 0 })
  })

  test('also while it closes', async () => {
    const { open, lies, clock, database } = await annasProfile()
    const { cache } = open({ partition: 'anna' })
    await cache.json('/a')
    await Promise.all([cache.close(), cache.setPartition(undefined)])
    await clock.settle()
    expect(database.connections()).toBe(0)
    expect(await lies()).toEqual({ isAnnaThere: false, keys: 0 })
  })

  test('hears when the disk fails, and nothing is open; the next time all of it goes', async () => {
    const { first, lies, clock, database } = await annasProfile()
    // Those of the keys, twice, and that of the records between them.
    for (let nth = 1; nth <= 3; nth++) database.inject({ at: 'open', nth, fault: 'SecurityError' })
    await expect(first.cache.setPartition(undefined)).rejects.toMatchObject({ code: 'storage' })
    await clock.settle()
    expect(database.connections()).toBe(0)
    expect(first.cache.peek('/a')).toBeUndefined()
    await clock.advance(60_000)
    await first.cache.setPartition(undefined)
    await clock.settle()
    expect(database.connections()).toBe(0)
    expect(await lies()).toEqual({ isAnnaThere: false, keys: 0 })
  })

  test('a database of the keys that hangs delays it, and is not left open', async () => {
    const { first, lies, clock, database } = await annasProfile()
    database.inject({ at: 'transaction', fault: 'hang' })
    const leaving = watched(first.cache.setPartition(undefined))
    await clock.advance(2_999)
    expect(leaving.state).toBe('pending')
    await clock.advance(1)
    expect(leaving.value).toMatchObject({ disk: { records: 1 } })
    await clock.settle()
    expect(database.connections()).toBe(0)
    expect(await lies()).toEqual({ isAnnaThere: false, keys: 0 })
  })
})
