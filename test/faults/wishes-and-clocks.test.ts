import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createWorld, seededRandom, type WorldContext } from '../../src/testing/index.ts'
import { byHand, profile, rowsOf } from './database-harness.ts'
import { endIn, shop } from './shop.ts'

describe('a page that signed out before the clock was set back', () => {
  async function signedOutInTimeToCome(isSetBack = true) {
    const all = await shop({ maxAge: 86_400 })
    await all.clock.advance(3_600_000) // wrong by an hour
    const out = all.open({ partition: 'anna' })
    await all.me(out)
    await out.cache.setPartition(undefined)
    await out.cache.settled()
    if (isSetBack) all.clock.set(all.clock.now() - 3_600_000)
    await all.clock.advance(60_000)
    const anna = all.open({ partition: 'anna' })
    await all.me(anna)
    return { ...all, out, anna }
  }

  test('does not take the database from who has signed in since, when that time comes', async () => {
    const { out, anna, clock, me, database, isLeft } = await signedOutInTimeToCome()
    await out.cache.json('/pub?1')
    await out.cache.json('/pub?2')
    await out.cache.settled()
    expect(JSON.stringify(await rowsOf(database))).toContain('anna')
    await clock.advance(2 * 3_600_000)
    for (const path of ['/pub?3', '/pub?4', '/pub?5']) await out.cache.json(path)
    await out.cache.settled()
    await me(anna, '/me?1')
    expect({ left: isLeft(anna), disk: JSON.stringify(await rowsOf(database)).includes('anna') }).toEqual({
      left: false,
      disk: true,
    })
  })

  test.each([true, false])('still keeps on the disk what nobody has (set back: %s)', async (isSetBack) => {
    const { out, database } = await signedOutInTimeToCome(isSetBack)
    for (const path of ['/pub?1', '/pub?2', '/pub?3']) {
      await out.cache.json(path)
      await out.cache.settled()
    }
    expect(JSON.stringify((await rowsOf(database)).map(([key]) => key))).toContain('/pub?3')
  })
})

describe('a page that begins anew, since it slept through another sitting', () => {
  test('does not lose what an older version’s rewritten log still says is hers to a page from before', async () => {
    const { open, clock, session, me, database, isLeft } = await shop({ maxAge: 86_400 })
    await clock.advance(1_000)
    session.user = 'ben'
    for (let nth = 1; nth <= 3; nth++) database.inject({ at: 'transaction', nth, fault: 'UnknownError' })
    const bens = open({ partition: 'ben' }) // in vain
    await bens.cache.settled()
    database.release()
    await clock.advance(60_000)
    session.user = 'anna'
    const annas = open({ partition: 'anna' })
    await me(annas)
    // An older version purges: it writes the head as it knows it.
    await byHand(database.factory, 'nearcache', 'readwrite', (objects) => {
      const head = objects.get(['meta', 'log'])
      head.onsuccess = () => {
        const { enteredAt, sitting, ...old } = head.result
        objects.put(old, ['meta', 'log'])
      }
      return () => undefined
    })
    await me(annas, '/me?1')
    await me(annas, '/me?2')
    await me(bens, '/me?3')
    await me(annas, '/me?4')
    await me(annas, '/me?5')
    expect({ anna: isLeft(annas), ben: isLeft(bens) }).toEqual({ anna: false, ben: true })
  })

  test('is as late as who signed in last: a new life of the database is not taken from it by a page from before', async () => {
    const { open, clock, session, me, database, isLeft } = await shop({ maxAge: 86_400 })
    const first = open({ partition: 'anna' })
    await me(first)
    await clock.advance(1_000)
    session.user = 'ben'
    const bens = open({ partition: 'ben' })
    await me(bens)
    await clock.advance(1_000)
    session.user = 'anna'
    const again = open({ partition: 'anna' })
    await me(again) // and is closed
    await me(first, '/me?1') // begins anew
    await me(first, '/me?2')
    await database.lose({ forget: true })
    for (const path of ['/me?3', '/me?4', '/me?5']) await me(first, path)
    await me(bens, '/me?6')
    await me(bens, '/me?7')
    await me(first, '/me?8')
    expect({ anna: isLeft(first) }).toEqual({ anna: false })
  })
})

test('a tab from before the clock was set back that hears of a later one is left at once', async () => {
  const world = await createWorld({ tabs: 2 })
  const session = { user: 'ben' }
  world.origin.serves('/*', () => ({ cacheControl: 'private, max-age=86400', json: { user: session.user } }))
  const [bens, annas] = world.tabs as [WorldContext, WorldContext]
  const done = endIn(world)
  await done(annas.cache.json('/pub'))
  await world.clock.advance(3_600_000)
  await done(bens.cache.setPartition('ben'))
  expect(await done(bens.cache.json('/me'))).toEqual({ user: 'ben' })
  world.clock.set(world.clock.now() - 3_500_000)
  expect(await done(bens.cache.json('/me'))).toEqual({ user: 'ben' })
  session.user = 'anna'
  await done(annas.cache.setPartition('anna'))
  await done(annas.cache.json('/me'))
  expect(await done(bens.cache.json('/me'))).toEqual({ user: 'anna' })
})

describe('a page that signed in before the clock was set back', () => {
  /** Anna's page from a time to come, and then another one, of `user`. */
  async function fromATimeToCome(user: string) {
    const all = await shop({ maxAge: 86_400 })
    await all.clock.advance(3_600_000) // wrong by an hour
    const first = all.open({ partition: 'anna' })
    await all.me(first)
    all.clock.set(all.clock.now() - 3_600_000)
    await all.clock.advance(60_000)
    all.session.user = user
    const second = all.open({ partition: user })
    await all.me(second)
    await all.clock.advance(60_000)
    return { ...all, first, second }
  }

  test('signs out, and nothing of hers stays, though another tab of hers was loaded since', async () => {
    const { first, database } = await fromATimeToCome('anna')
    const receipt = await first.cache.setPartition(undefined)
    expect({ receipt, disk: JSON.stringify(await rowsOf(database)).includes('anna') }).toMatchObject({
      receipt: { disk: { records: 1 } },
      disk: false,
    })
  })

  test('signs in as somebody else after another tab: has the database, and is not left', async () => {
    const { first, second, session, me, isLeft } = await fromATimeToCome('ben')
    session.user = 'carl'
    await first.cache.setPartition('carl')
    await me(first, '/me?1')
    await me(second, '/me?2')
    expect({ carl: isLeft(first), ben: isLeft(second) }).toEqual({ carl: false, ben: true })
  })
})

test('two tabs of one user, on a store of one’s own that does not say whose it is, do not make each other enter again and again', async () => {
  const { database, clock } = await profile()
  const disk = createIndexedDbStore({
    name: 'nearcache',
    factory: database.factory,
    keyRange: database.keyRange,
    clock,
    random: seededRandom(9),
    maxBytes: 1e6,
    maxEntryBytes: 1e5,
    onNotice() {},
  })
  let entered = 0
  const store: Store = {
    read: async (keys) => ({
      ...(await disk.read(keys)),
      partition: undefined,
      sitting: undefined,
      enteredAt: undefined,
    }),
    update: disk.update,
    async enter(partition, at) {
      if (++entered > 200) return new Promise(() => {})
      const { log, removed } = await (disk.enter as NonNullable<Store['enter']>)(partition, at)
      return { log, removed }
    },
  }
  const world = await createWorld({ tabs: 2, cache: { partition: 'anna', store } as object })
  world.origin.serves('/*', () => ({ cacheControl: 'private, max-age=600', json: {} }))
  const [first, second] = world.tabs as [WorldContext, WorldContext]
  /** The store's database is not the world's, which knows nothing of what is under way there. */
  async function passing(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      await world.clock.advance(100)
      await database.settled()
    }
  }
  async function done(work: Promise<unknown>): Promise<unknown> {
    const settled = work.catch((error: unknown) => error)
    await passing(20)
    return settled
  }
  await done(first.cache.json('/a'))
  await done(second.cache.json('/a'))
  await done(first.cache.json('/b'))
  const before = entered
  await passing(100)
  expect(entered - before).toBeLessThan(5)
})
