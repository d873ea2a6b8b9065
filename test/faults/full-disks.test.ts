import { afterEach, describe, expect, test, vi } from 'vitest'
import type { StoredRecord } from '../../src/ports/store.ts'
import { sizeOf } from '../../src/stores/stored-record.ts'
import { recordIn, rowsOfKind, valueUnder } from '../stores/golden/restored.ts'
import { failures, type Profile, profile, rowsOf } from './database-harness.ts'

// FAULTS F-03, F-04: a full disk. Browsers tell it when the transaction aborts (B-24), whatever was in it; one that only removes goes through.

/** From now on nothing can be written. With `keeps`, not even a transaction that only removes goes through. */
async function fill({ database }: Profile, { keeps = false } = {}): Promise<{ empty(): void; refused: number }> {
  const { factory } = database
  const open = factory.open.bind(factory)
  const disk = { refused: 0, isFull: true, empty: () => Object.assign(disk, { isFull: false }) }
  factory.open = (...given) => {
    const opening = open(...given)
    opening.addEventListener('success', () => {
      const { result } = opening
      const begin = result.transaction.bind(result)
      result.transaction = (...how) => {
        const transaction = begin(...how) as IDBTransaction & { _abort(name: string): void }
        let isGrowing = keeps && transaction.mode === 'readwrite'
        const objectStore = transaction.objectStore.bind(transaction)
        transaction.objectStore = (name) => {
          const objects = objectStore(name)
          const put = objects.put.bind(objects)
          objects.put = (...what) => {
            isGrowing = true
            return put(...what)
          }
          return objects
        }
        const commit = transaction.commit.bind(transaction)
        transaction.commit = () => {
          if (!disk.isFull || !isGrowing) return commit()
          disk.refused++
          transaction._abort('QuotaExceededError')
        }
        return transaction
      }
    })
    return opening
  }
  // Whoever is connected connects anew.
  await database.lose()
  return disk
}

const kinds = async (world: Profile) => (await rowsOf(world.database)).map(([key]) => (key as string[]).slice(0, 1)[0])

/** A profile with twelve stored responses. */
async function filled(): Promise<Profile> {
  const world = await profile()
  const { cache } = world.open()
  for (let index = 0; index < 12; index++) await cache.json(`/old/${index}`)
  await cache.close()
  return world
}

describe('a response that the disk has no room for (F-03)', () => {
  test('its caller has it, and later callers have it from memory', async () => {
    const world = await filled()
    await fill(world)
    const { cache } = world.open()
    expect(await cache.json('/new')).toEqual({ path: '/new', seq: 13 })
    await cache.settled()
    expect(await cache.json('/new')).toEqual({ path: '/new', seq: 13 })
  })

  test('half of what is stored makes room, the evictions are told, and it is tried once more', async () => {
    const world = await filled()
    const { cache, events } = world.open()
    await cache.json('/old/0')
    await cache.settled()
    world.database.inject({ at: 'commit', fault: 'QuotaExceededError' })
    await cache.json('/new')
    await cache.settled()
    expect(failures(events)).toEqual([])
    const evicted = events.filter((event) => event.type === 'evicted')
    expect(evicted.length).toBeGreaterThanOrEqual(5)
    expect(evicted.length).toBeLessThanOrEqual(7)
    expect((await kinds(world)).filter((kind) => kind === 'record')).toHaveLength(13 - evicted.length)
    world.origin.fails('*', 'network')
    expect(await world.open().cache.json('/new')).toEqual({ path: '/new', seq: 13 })
  })

  test('when that was in vain, the rest stays: no more is given up for the next ones, for a minute', async () => {
    const world = await filled()
    const disk = await fill(world)
    const { cache, events } = world.open()
    for (let index = 0; index < 10; index++) await cache.json(`/new/${index}`)
    await cache.settled()
    expect(disk.refused).toBeGreaterThanOrEqual(2)
    const left = (await kinds(world)).filter((kind) => kind === 'record').length
    expect(left).toBeGreaterThanOrEqual(5)
    expect(left).toBeLessThanOrEqual(7)
    expect(new Set(failures(events))).toEqual(new Set(['update: QuotaExceededError']))
    // And what is left is still used.
    world.origin.fails('*', 'network')
    const answers = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) => world.open().cache.json(`/old/${index}`)),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(left)
  })

  test('is told once a minute for each operation, not each time', async () => {
    const world = await filled()
    await fill(world)
    const { cache, events } = world.open()
    for (let index = 0; index < 20; index++) {
      await cache.json(`/new/${index}`)
      await world.clock.advance(1_000)
    }
    await cache.settled()
    expect(failures(events)).toEqual(['update: QuotaExceededError'])
    await world.clock.advance(60_000)
    await cache.json('/later')
    await cache.settled()
    expect(failures(events)).toEqual(['update: QuotaExceededError', 'update: QuotaExceededError'])
  })

  test('the count of what is stored is right again as soon as something can be written', async () => {
    const world = await filled()
    const disk = await fill(world)
    const { cache } = world.open()
    await cache.json('/new/0')
    await cache.settled()
    disk.empty()
    for (const path of ['/new/1', '/new/2', '/new/3']) await cache.json(path)
    await cache.settled()
    const rows = await rowsOf(world.database)
    const records = rowsOfKind(rows, 'record').map((row) => recordIn(row) as StoredRecord)
    const counted = records.reduce((sum, record) => sum + sizeOf(record), 0)
    expect(valueUnder(rows, ['meta', 'space'])).toMatchObject({ bytes: counted })
  })
})

describe('what storage.estimate() says of the room that there is (B-24)', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  /** A browser that says so much of its disk. */
  function saying(quota: number, usage: number): void {
    vi.stubGlobal('navigator', { storage: { estimate: async () => ({ quota, usage }) } })
  }

  test('10 GB are no room when the transaction aborts: half of what is stored goes, and it is tried once more', async () => {
    saying(10e9, 0)
    const world = await filled()
    world.database.inject({ at: 'commit', fault: 'QuotaExceededError' })
    const { cache, events } = world.open()
    await cache.json('/new')
    await cache.settled()
    expect(failures(events)).toEqual([])
    expect(events.filter(({ type }) => type === 'evicted').length).toBeGreaterThanOrEqual(5)
    world.origin.fails('*', 'network')
    expect(await world.open().cache.json('/new')).toEqual({ path: '/new', seq: 13 })
  })

  test('10 GB are no budget either: that is ours, by our own count', async () => {
    saying(10e9, 0)
    const world = await profile()
    const { cache } = world.open({ disk: { maxBytes: 10_000 } })
    for (let index = 0; index < 20; index++) {
      await cache.json(`/${index}`)
      await cache.settled()
    }
    const records = (await kinds(world)).filter((kind) => kind === 'record')
    expect(records.length).toBeGreaterThan(1)
    expect(records.length).toBeLessThan(10)
  })

  test('a disk that is said to be full is written to, and nothing is given up for it', async () => {
    saying(1, 1)
    const world = await filled()
    const { cache, events } = world.open()
    await cache.json('/new')
    await cache.settled()
    expect(events.filter(({ type }) => type === 'evicted' || type === 'store-failed')).toEqual([])
    expect((await kinds(world)).filter((kind) => kind === 'record')).toHaveLength(13)
  })
})

describe('a purge that the disk has no room for (F-04)', () => {
  test.each([
    [{ url: '/old/7' }, '/old/7'],
    [{ pattern: '/old/*' }, '/old/8'],
    [{ all: true }, '/old/9'],
  ] as const)(
    '%j holds on disk too: with no room for its record, what is stored is removed',
    async (selector, path) => {
      const world = await filled()
      fill(world)
      const { cache, events } = world.open()
      await cache.json(path)
      expect(await cache.purge(selector, { mode: 'hard' })).toMatchObject({ durable: true })
      expect(failures(events)).toEqual([])
      expect(await cache.json(path)).toEqual({ path, seq: 13 })
      await cache.settled()
      world.origin.fails('*', 'network')
      await expect(world.open().cache.json(path)).rejects.toThrow(TypeError)
    },
  )

  test('as the first thing that the database does, it holds for what came into memory before', async () => {
    const world = await filled()
    for (let nth = 1; nth <= 4; nth++) world.database.inject({ at: 'open', nth, fault: 'UnknownError' })
    const { cache, events } = world.open()
    await cache.json('/a')
    await cache.settled()
    expect(new Set(failures(events))).toEqual(new Set(['read: UnknownError', 'update: UnknownError']))
    await world.clock.advance(60_000)
    await fill(world)
    expect(await cache.purge({ url: '/a' }, { mode: 'hard' })).toMatchObject({ durable: true })
    expect(cache.peek('/a')).toBeUndefined()
  })

  test('every other tab learns of it at its next look', async () => {
    const world = await filled()
    await fill(world)
    const [one, other] = [world.open(), world.open()]
    expect(await other.cache.json('/old/1')).toEqual({ path: '/old/1', seq: 2 })
    await one.cache.purge({ url: '/old/1' }, { mode: 'hard' })
    await other.cache.json('/elsewhere')
    await other.cache.settled()
    expect(await other.cache.json('/old/1')).not.toEqual({ path: '/old/1', seq: 2 })
  })

  test('when nothing can be removed either, it says that it is not durable, and holds here', async () => {
    const world = await filled()
    await fill(world, { keeps: true })
    const { cache, events } = world.open()
    await cache.json('/old/1')
    expect(await cache.purge({ url: '/old/1' }, { mode: 'hard' })).toMatchObject({ durable: false })
    expect(failures(events)).toContain('purge: QuotaExceededError')
    expect(await cache.json('/old/1')).toEqual({ path: '/old/1', seq: 13 })
  })

  test('as soon as there is room, everything is stored again', async () => {
    const world = await filled()
    const disk = await fill(world)
    const { cache } = world.open()
    await cache.purge({ all: true }, { mode: 'hard' })
    disk.empty()
    const body = await cache.json('/kept')
    await cache.settled()
    world.origin.fails('*', 'network')
    expect(await world.open().cache.json('/kept')).toEqual(body)
  })

  test('the one who signs out is forgotten all the same', async () => {
    const world = await profile()
    const ada = world.open({ partition: 'ada' })
    await ada.cache.json('/mine')
    await ada.cache.settled()
    await fill(world)
    expect(await ada.cache.setPartition('bob')).toMatchObject({ disk: { records: 1 } })
    expect(await kinds(world)).not.toContain('record')
    await ada.cache.setPartition('ada')
    world.origin.fails('*', 'network')
    await expect(ada.cache.json('/mine')).rejects.toThrow(TypeError)
  })
})
