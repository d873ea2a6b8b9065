import { describe, expect, test } from 'vitest'
import { failures, type Page, type Profile, profile, rowsOf, watched } from './database-harness.ts'

// FAULTS F-05 to F-08: a database that does not answer costs a page nothing (law 6), and is used again as soon as it answers.

/** How long a read waits for the disk before the network starts beside it (`deadlines.diskMs`). */
const DISK_MS = 50
/** How long the store waits for the database. */
const DEADLINE_MS = 3_000

/** Asks for a path, and tells how long the answer took. */
async function askIn({ clock }: Profile, { cache }: Page, path: string): Promise<{ body: unknown; ms: number }> {
  const start = clock.now()
  let ms = Number.NaN
  const reading = cache.json(path).then((body) => {
    ms = clock.now() - start
    return body
  })
  // In steps, so that the time that it took is known to the millisecond or so.
  for (let step = 0; step < 20 && Number.isNaN(ms); step++) await clock.advance(10)
  return { body: await reading, ms }
}

/** A connection of someone who does not step aside, as a tab of an old release does. */
const stubborn = ({ database: { factory } }: Profile, version?: number): Promise<IDBDatabase> =>
  new Promise((resolve) => {
    const opening = factory.open('nearcache', version)
    opening.onupgradeneeded = () => opening.result.createObjectStore('nearcache')
    opening.onsuccess = () => resolve(opening.result)
  })

/** Does something to every transaction from now on. */
function onTransactions({ database: { factory } }: Profile, change: (transaction: IDBTransaction) => void): void {
  const open = factory.open.bind(factory)
  factory.open = (...given) => {
    const opening = open(...given)
    opening.addEventListener('success', () => {
      const { result } = opening
      const begin = result.transaction.bind(result)
      result.transaction = (...how) => {
        const transaction = begin(...how)
        change(transaction)
        return transaction
      }
    })
    return opening
  }
}

/** What the next load of the page finds on disk, without the origin. */
async function onDisk(world: Profile, path: string): Promise<unknown> {
  world.origin.fails('*', 'network')
  const { cache } = world.open()
  const reading = watched(cache.json(path))
  await world.clock.advance(5_000)
  world.origin.recovers('*')
  return reading.value
}

describe('an open that never answers', () => {
  test('delays the first answer by diskMs at most, and fails nothing', async () => {
    const world = await profile()
    world.database.inject({ at: 'open', fault: 'hang' })
    const page = world.open()
    const { body, ms } = await askIn(world, page, '/a')
    expect(body).toEqual({ path: '/a', seq: 1 })
    expect(ms).toBeLessThanOrEqual(DISK_MS)
    await world.clock.advance(DEADLINE_MS)
    expect(new Set(failures(page.events))).toEqual(new Set(['read: TimeoutError', 'update: TimeoutError']))
  })

  test('is tried again, and then left alone: nobody waits for it any more, save one now and then', async () => {
    const world = await profile()
    for (let nth = 1; nth <= 100; nth++) world.database.inject({ at: 'open', nth, fault: 'hang' })
    const page = world.open()
    await askIn(world, page, '/a')
    await world.clock.advance(DEADLINE_MS)
    await askIn(world, page, '/b')
    await world.clock.advance(DEADLINE_MS)
    const tries = world.database.count('open')
    expect(tries).toBe(2)
    for (const path of ['/c', '/d', '/e']) expect((await askIn(world, page, path)).ms).toBe(0)
    expect(world.database.count('open')).toBe(tries)
    // An hour later the database has been asked about once a minute.
    for (let minute = 0; minute < 60; minute++) {
      await world.clock.advance(60_000)
      await askIn(world, page, `/minute/${minute}`)
      await world.clock.advance(DEADLINE_MS)
    }
    expect(world.database.count('open') - tries).toBeGreaterThanOrEqual(30)
    expect(world.database.count('open') - tries).toBeLessThanOrEqual(61)
  })

  test('heals: what is stored after it answers again is there on the next load', async () => {
    const world = await profile()
    for (let nth = 1; nth <= 5; nth++) world.database.inject({ at: 'open', nth, fault: 'hang' })
    const page = world.open()
    for (let index = 0; index < 5; index++) {
      await askIn(world, page, `/lost/${index}`)
      await world.clock.advance(60_000)
    }
    const { body } = await askIn(world, page, '/kept')
    await page.cache.settled()
    expect(await onDisk(world, '/kept')).toEqual(body)
  })

  test('a clock that is set back does not keep the database from being asked again', async () => {
    const world = await profile()
    for (let nth = 1; nth <= 2; nth++) world.database.inject({ at: 'open', nth, fault: 'hang' })
    const page = world.open()
    for (const path of ['/a', '/b']) {
      await askIn(world, page, path)
      await world.clock.advance(DEADLINE_MS)
    }
    world.clock.set(0)
    // What is asked for first only learns that the clock was set back: all that is older is validated.
    await askIn(world, page, '/c')
    await page.cache.settled()
    const { body } = await askIn(world, page, '/kept')
    await page.cache.settled()
    expect(await onDisk(world, '/kept')).toEqual(body)
  })
})

describe('an upgrade that an old tab blocks (F-05)', () => {
  test('runs in memory meanwhile, and heals as soon as it is unblocked', async () => {
    const world = await profile()
    const old = await stubborn(world, 1)
    // What someone else waits for: opens of any version wait behind it.
    const deleting = world.database.factory.deleteDatabase('nearcache')
    const page = world.open()
    const first = await askIn(world, page, '/a')
    expect(first.ms).toBeLessThanOrEqual(DISK_MS)
    for (const path of ['/b', '/c', '/d']) {
      await world.clock.advance(DEADLINE_MS)
      expect((await askIn(world, page, path)).ms).toBeLessThanOrEqual(DISK_MS)
    }
    old.close()
    await new Promise((resolve) => deleting.addEventListener('success', resolve))
    await world.clock.settle()
    const { body } = await askIn(world, page, '/kept')
    await page.cache.settled()
    expect(await onDisk(world, '/kept')).toEqual(body)
  })

  test('what was given up while it was blocked is not done when it is unblocked', async () => {
    const world = await profile()
    const old = await stubborn(world, 1)
    const deleting = world.database.factory.deleteDatabase('nearcache')
    const page = world.open()
    await askIn(world, page, '/a')
    await world.clock.advance(DEADLINE_MS)
    old.close()
    await new Promise((resolve) => deleting.addEventListener('success', resolve))
    await world.clock.settle()
    expect(world.database.count('transaction')).toBe(0)
    expect(world.database.connections()).toBe(0)
    expect(await rowsOf(world.database)).toEqual([])
  })
})

describe('a newer schema (F-06, VersionError)', () => {
  test('is left alone, the page runs in memory, and nothing waits', async () => {
    const world = await profile()
    const newer = await stubborn(world, 2)
    newer.onversionchange = () => newer.close()
    const page = world.open()
    for (const path of ['/a', '/b', '/a']) expect((await askIn(world, page, path)).ms).toBe(0)
    expect(world.origin.requests.map(({ path }) => path)).toEqual(['/a', '/b'])
    expect(await page.cache.purge({ url: '/a' }, { mode: 'hard' })).toMatchObject({ durable: false })
    expect(await page.cache.json('/a')).toEqual({ path: '/a', seq: 3 })
    expect(new Set(failures(page.events))).toEqual(
      new Set(['read: VersionError', 'update: VersionError', 'purge: VersionError']),
    )
    // Nobody asked it to go, and it is as it was.
    expect(newer.version).toBe(2)
    expect(() => newer.transaction('nearcache')).not.toThrow()
    newer.close()
  })

  test('heals when the newer database is gone, and takes the purges that it has missed', async () => {
    const world = await profile()
    const before = world.open()
    await askIn(world, before, '/a')
    await before.cache.settled()
    const page = world.open()
    // The database is lost, and a newer release makes one of its own.
    await world.database.lose({ forget: true })
    const newer = await stubborn(world, 2)
    await askIn(world, page, '/b')
    expect(await page.cache.purge({ url: '/b' }, { mode: 'hard' })).toMatchObject({ durable: false })
    newer.close()
    await new Promise((resolve) => {
      world.database.factory.deleteDatabase('nearcache').onsuccess = resolve
    })
    await world.clock.advance(60_000)
    const { body } = await askIn(world, page, '/kept')
    await page.cache.settled()
    expect(await onDisk(world, '/kept')).toEqual(body)
    expect(await onDisk(world, '/b')).toBeUndefined()
  })
})

describe('a transaction that never ends (F-07, F-08)', () => {
  test.each(['transaction', 'commit'] as const)(
    'hung at its %s: answers come, and the next one has another connection',
    async (at) => {
      const world = await profile()
      const page = world.open()
      await askIn(world, page, '/a')
      await page.cache.settled()
      const opened = world.database.count('open')
      world.database.inject({ at, fault: 'hang' })
      expect((await askIn(world, page, '/b')).ms).toBeLessThanOrEqual(DISK_MS)
      await world.clock.advance(DEADLINE_MS)
      expect(failures(page.events).length).toBeGreaterThan(0)
      const { body } = await askIn(world, page, '/kept')
      await page.cache.settled()
      expect(world.database.count('open')).toBe(opened + 1)
      expect(await onDisk(world, '/kept')).toEqual(body)
    },
  )

  test('when not even its abort has an event, the next one has another connection', async () => {
    const world = await profile()
    const page = world.open()
    onTransactions(world, (transaction) => Object.assign(transaction, { abort() {} }))
    world.database.inject({ at: 'transaction', fault: 'hang' })
    await askIn(world, page, '/a')
    await world.clock.advance(DEADLINE_MS)
    await askIn(world, page, '/b')
    expect(world.database.count('open')).toBe(2)
  })

  test('an unsafe request is answered no later than diskMs after bare fetch would have been (R6)', async () => {
    const world = await profile()
    const page = world.open()
    await askIn(world, page, '/a')
    await page.cache.settled()
    world.database.inject({ at: 'commit', fault: 'hang' })
    const posting = watched(page.cache.fetch('/a', { method: 'POST', body: '1' }))
    await world.clock.advance(DISK_MS)
    expect(posting.state).toBe('fulfilled')
    // And what it has changed is not given any more.
    expect((await askIn(world, page, '/a')).body).toEqual({ path: '/a', seq: 3 })
  })

  test('a hundred writes behind one that hangs are all given up at their deadline, not one after another', async () => {
    const world = await profile()
    const page = world.open()
    await askIn(world, page, '/a')
    await page.cache.settled()
    for (let nth = 1; nth <= 300; nth++) world.database.inject({ at: 'commit', nth, fault: 'hang' })
    const bodies = Promise.all(Array.from({ length: 100 }, (_, index) => page.cache.json(`/many/${index}`)))
    await world.clock.advance(DISK_MS)
    expect(await bodies).toHaveLength(100)
    const settled = watched(page.cache.settled())
    await world.clock.advance(4 * DEADLINE_MS)
    expect(settled.state).toBe('fulfilled')
    expect(world.clock.sleeping).toBe(0)
  })

  test('while every transaction hangs, no request waits for more than one of them, and nothing is left when it ends', async () => {
    const world = await profile()
    const page = world.open()
    await askIn(world, page, '/a')
    await page.cache.settled()
    for (let nth = 1; nth <= 1_000; nth++) world.database.inject({ at: 'transaction', nth, fault: 'hang' })
    const waits: number[] = []
    for (let index = 0; index < 30; index++) {
      waits.push((await askIn(world, page, `/during/${index}`)).ms)
      await world.clock.advance(1_000)
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(DISK_MS)
    expect(waits.filter((ms) => ms > 0).length).toBeLessThan(12)
    world.database.release()
    await world.clock.advance(60_000)
    const { body } = await askIn(world, page, '/kept')
    await page.cache.settled()
    // Until it has been swept, by a part that is loaded only now.
    await import('../../src/stores/sweep.ts')
    await world.clock.advance(30_000)
    await world.database.settled()
    expect(world.database.connections()).toBe(1)
    expect(world.clock.sleeping).toBe(0)
    expect(await onDisk(world, '/kept')).toEqual(body)
  })
})
