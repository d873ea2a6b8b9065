import { describe, expect, test } from 'vitest'
import { failures, type Globals, type Profile, profile } from './database-harness.ts'

// FAULTS F-12, F-13, B-1, B-2, B-26; STANDARDS DB-6, DB-7, SQ-4, SQ-5: a database that is lost comes back, and where there is none the cache is one in memory.

/** What the next load of the page finds on disk, without the origin. */
async function onDisk(world: Profile, path: string): Promise<unknown> {
  world.origin.fails('*', 'network')
  const answer = await world
    .open()
    .cache.json(path)
    .catch(() => undefined)
  world.origin.recovers('*')
  return answer
}

describe('a connection that is lost', () => {
  test('the first open fails, the second works: the first answer has it already (B-26)', async () => {
    const world = await profile()
    const first = world.open()
    await first.cache.json('/a')
    await first.cache.settled()
    world.database.inject({ at: 'open', fault: 'UnknownError' })
    expect(await onDisk(world, '/a')).toEqual({ path: '/a', seq: 1 })
  })

  test.each([
    // Thrown at once: that it was too early to open is known before anything is read.
    ['SecurityError', []],
    ['NotReadableError', ['read: NotReadableError']],
  ])('%s from one open: a miss, and the next request opens again', async (fault, told) => {
    const world = await profile()
    world.database.inject({ at: 'open', fault })
    const page = world.open()
    expect(await page.cache.json('/a')).toEqual({ path: '/a', seq: 1 })
    await page.cache.settled()
    expect(failures(page.events)).toEqual(told)
    expect(await onDisk(world, '/a')).toEqual({ path: '/a', seq: 1 })
  })

  test('is there early: it begins to open with the cache, once, and again only when it is needed', async () => {
    const world = await profile()
    const { cache } = world.open()
    expect(world.database.count('open')).toBe(1)
    await Promise.all([cache.fetch('/a'), cache.fetch('/b')])
    await cache.settled()
    expect(world.database.count('open')).toBe(1)
    await cache.close()
    await cache.fetch('/c')
    await cache.json('/d')
    expect(world.database.count('open')).toBe(1)
  })

  test('that nobody has used yet gives way to another tab that deletes the database', async () => {
    const world = await profile()
    world.open()
    await world.clock.settle()
    const deleting = world.database.factory.deleteDatabase('nearcache')
    await new Promise((resolve, reject) => {
      deleting.onsuccess = resolve
      deleting.onblocked = reject
    })
  })

  test('InvalidStateError from transaction() after the connection closed opens anew, within the same operation (DB-6)', async () => {
    const world = await profile()
    const page = world.open()
    await page.cache.json('/a')
    await page.cache.settled()
    world.database.inject({ at: 'transaction', fault: 'InvalidStateError' })
    await page.cache.json('/b')
    await page.cache.settled()
    expect(failures(page.events)).toEqual([])
    expect(world.database.count('open')).toBe(2)
    expect(await onDisk(world, '/b')).toEqual({ path: '/b', seq: 2 })
  })

  test.each(['transaction', 'request', 'commit'] as const)(
    'UnknownError at a %s: the handle is given up, and the operation done with another (B-1)',
    async (at) => {
      const world = await profile()
      const page = world.open()
      await page.cache.json('/a')
      await page.cache.settled()
      world.database.inject({ at, fault: 'UnknownError' })
      await page.cache.json('/b')
      await page.cache.settled()
      expect(failures(page.events)).toEqual([])
      expect(world.database.count('open')).toBe(2)
      expect(world.database.connections()).toBe(1)
      expect(await onDisk(world, '/b')).toEqual({ path: '/b', seq: 2 })
    },
  )

  test('whose data are gone as well: a cold start, and nothing in memory is taken for newer than a purge that nobody remembers (F-12)', async () => {
    const world = await profile()
    const page = world.open()
    await page.cache.json('/a')
    await page.cache.settled()
    await world.database.lose({ forget: true })
    await page.cache.json('/b')
    await page.cache.settled()
    // Another tab knows only the new database, and purges there.
    expect(page.cache.peek('/a')).toBeUndefined()
    expect(await page.cache.json('/a')).toEqual({ path: '/a', seq: 3 })
    await page.cache.settled()
    expect(failures(page.events)).toEqual([])
    expect(await onDisk(world, '/a')).toEqual({ path: '/a', seq: 3 })
  })

  test('"Internal error opening backing store", for ever: memory, and about one look a minute (B-2)', async () => {
    const world = await profile()
    for (let nth = 1; nth <= 1_000; nth++) world.database.inject({ at: 'open', nth, fault: 'UnknownError' })
    const page = world.open()
    for (let minute = 0; minute < 60; minute++) {
      for (let index = 0; index < 10; index++) {
        const path = `/${minute}/${index}`
        expect(await page.cache.json(path)).toMatchObject({ path })
        expect(await page.cache.json(path)).toMatchObject({ path })
      }
      await world.clock.advance(60_000)
    }
    expect(world.origin.requests).toHaveLength(600)
    // Each look opens twice.
    expect(world.database.count('open')).toBeLessThanOrEqual(140)
    expect(world.database.count('open')).toBeGreaterThanOrEqual(60)
  })
})

describe('where there is no IndexedDB (F-13)', () => {
  const refuse = () => {
    throw new DOMException('The operation is insecure', 'SecurityError')
  }

  const missing: ReadonlyArray<readonly [string, Globals]> = [
    ['it is missing', {}],
    ['it is undefined', { indexedDB: () => undefined }],
    ['it is null, as in some private windows', { indexedDB: () => null }],
    ['its getter throws, as in a sandboxed frame', { indexedDB: refuse, IDBKeyRange: refuse }],
  ]
  const useless: ReadonlyArray<readonly [string, Globals]> = [
    ['open() throws, as in an opaque origin', { indexedDB: () => ({ open: refuse }), IDBKeyRange: () => ({}) }],
    ['open() gives nothing', { indexedDB: () => ({ open: () => null }), IDBKeyRange: () => ({}) }],
  ]

  test.each([...missing, ...useless])('%s: the same answers, from memory', async (_, globals) => {
    const world = await profile()
    const { cache } = world.open({}, globals)
    expect(await cache.json('/a')).toEqual({ path: '/a', seq: 1 })
    expect(await cache.json('/a')).toEqual({ path: '/a', seq: 1 })
    expect(await (await cache.fetch('/a')).json()).toEqual({ path: '/a', seq: 1 })
    expect((await cache.explain('/a')).cause).toBe('fresh')
    expect(await cache.purge({ url: '/a' }, { mode: 'hard' })).toMatchObject({ durable: false })
    expect(await cache.json('/a')).toEqual({ path: '/a', seq: 2 })
    await cache.settled()
    await cache.close()
  })

  test.each(missing)('%s: nothing is said to have failed', async (_, globals) => {
    const world = await profile()
    const { cache, events } = world.open({}, globals)
    await cache.json('/a')
    await cache.settled()
    expect(failures(events)).toEqual([])
  })
})
