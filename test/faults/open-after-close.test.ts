import { describe, expect, test } from 'vitest'
import { profile, watched } from './database-harness.ts'

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
