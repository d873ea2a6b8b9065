import { describe, expect, test } from 'vitest'
import type { Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createWorld, seededRandom, type WorldContext } from '../../src/testing/index.ts'
import { rowsOf } from './database-harness.ts'
import { endIn, shop } from './shop.ts'

// Law 5: of two that enter, the one that was asked for later has the database (DESIGN §5; ARCHITECTURE, "A partition is a session"; FAULTS R1, F-62, F-64).

describe('who signs in once more has signed in later', () => {
  /** The database is Anna's; Ben's page could not enter; then Anna signs in again. */
  async function annaAgain(how: 'by a new page' | 'by setPartition()') {
    const all = await shop()
    const first = all.open({ partition: 'anna' })
    await all.me(first)
    await all.clock.advance(1_000)
    all.session.user = 'ben'
    const bens = await all.openInVain('ben')
    await all.clock.advance(60_000)
    all.session.user = 'anna'
    const annas = how === 'by a new page' ? all.open({ partition: 'anna' }) : first
    if (how === 'by setPartition()') await annas.cache.setPartition('anna')
    await all.me(annas)
    return { ...all, bens, annas }
  }

  test.each(['by a new page', 'by setPartition()'] as const)(
    '%s: a page of somebody else’s from in between is left, and does not take the database from them',
    async (how) => {
      const { me, isLeft, bens, annas } = await annaAgain(how)
      expect(await me(bens)).toEqual({ user: 'anna' }) // past the cache: it is Anna's browser by now
      await me(annas, '/me?1')
      expect({ anna: isLeft(annas), ben: isLeft(bens) }).toEqual({ anna: false, ben: true })
    },
  )

  test('and nothing that is theirs is kept under another name', async () => {
    const { me, session, open, bens } = await annaAgain('by a new page')
    await me(bens) // Anna's answer, in a page of Ben's
    session.user = 'ben'
    expect(await me(open({ partition: 'ben' }))).toEqual({ user: 'ben' })
  })
})

describe('who is new to a database that was lost', () => {
  test('does not take it from who had signed in later, and has not come by since', async () => {
    const { open, clock, session, me, database, isLeft, origin } = await shop()
    const annas = open({ partition: 'anna' })
    await me(annas)
    await clock.advance(1_000)
    session.user = 'ben'
    const bens = open({ partition: 'ben' })
    await me(bens)
    await database.lose({ forget: true })
    await clock.advance(1_000)
    origin.serves('/live', { cacheControl: 'no-store', json: {} })
    // Anna's page has not heard of Ben yet: it was away. What it finds is a new life of the database.
    for (const path of ['/live', '/live', '/me?1']) await annas.cache.json(path)
    await annas.cache.settled()
    await me(bens, '/me?2')
    await annas.cache.json('/live') // and looks again
    await me(bens, '/me?2')
    expect({ anna: isLeft(annas), ben: isLeft(bens) }).toEqual({ anna: true, ben: false })
    session.user = 'anna'
    expect(await me(open({ partition: 'anna' }), '/me?1')).toEqual({ user: 'anna' })
  })
})

test('nor does a page that was away make a database anew that of who has signed out since', async () => {
  const { open, clock, session, me, database, origin } = await shop()
  const [first, second] = [open({ partition: 'anna' }), open({ partition: 'anna' })]
  await me(first)
  await me(second)
  await clock.advance(1_000)
  await first.cache.setPartition(undefined)
  session.user = 'nobody'
  await database.lose({ forget: true })
  origin.serves('/live', { cacheControl: 'no-store', json: {} })
  for (const path of ['/live', '/me?1']) await second.cache.json(path)
  await second.cache.settled()
  await me(first, '/me?2')
  expect(JSON.stringify(await rowsOf(database))).not.toContain('anna')
})

describe('setPartition() while an entering that was asked for before is under way', () => {
  test('is a wish of its own: who signs in after somebody else is not left for them', async () => {
    const { open, clock, session, me, database, isLeft } = await shop()
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
    let goOn = () => {}
    const held = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const slow: Store = {
      read: disk.read,
      update: disk.update,
      // As one whose code has yet to be loaded (disk.encrypt), or whose database is slow to open.
      enter: async (partition, at) => {
        await held
        return (disk.enter as NonNullable<Store['enter']>)(partition, at)
      },
    }
    const annas = open({ partition: 'anna', store: slow })
    await clock.advance(10)
    session.user = 'ben'
    const bens = open({ partition: 'ben' })
    await me(bens)
    await clock.advance(10)
    session.user = 'anna'
    const again = annas.cache.setPartition('anna')
    await clock.advance(10)
    goOn()
    await again
    expect((await disk.read([])).partition).toBe('anna')
    expect(await me(annas)).toEqual({ user: 'anna' })
    expect(isLeft(annas)).toBe(false)
  })
})

describe('times to come, when the clock was set back', () => {
  test('a wish from a time to come was not asked for later than one of now', async () => {
    const { clock, session, me, openInVain, open, isLeft } = await shop()
    await clock.advance(86_400_000) // wrong by a day
    session.user = 'ben'
    const bens = await openInVain('ben')
    clock.set(clock.now() - 86_400_000)
    await clock.advance(60_000)
    session.user = 'anna'
    const annas = open({ partition: 'anna' })
    await me(annas)
    expect(await me(bens)).toEqual({ user: 'anna' })
    await me(annas, '/me?1')
    expect({ anna: isLeft(annas), ben: isLeft(bens) }).toEqual({ anna: false, ben: true })
  })

  test('of two from the time before, the later one still is the later one', async () => {
    const { clock, session, me, openInVain, open, isLeft } = await shop()
    await clock.advance(3_600_000)
    const annas = await openInVain('anna')
    await clock.advance(60_000)
    session.user = 'ben'
    const bens = open({ partition: 'ben' })
    await me(bens)
    clock.set(clock.now() - 1_800_000)
    expect(await me(annas)).toEqual({ user: 'ben' })
    await me(bens, '/me?1')
    expect({ anna: isLeft(annas), ben: isLeft(bens) }).toEqual({ anna: true, ben: false })
  })
})

describe('a disk so full that it has no room for a name either', () => {
  test('the tab of who has gone does not take the nameless database from who has come', async () => {
    const { open, clock, session, me, database, isLeft } = await shop()
    const [first, second] = [open({ partition: 'anna' }), open({ partition: 'anna' })]
    await me(first)
    await me(second)
    await clock.advance(1_000)
    for (const nth of [2, 3]) database.inject({ at: 'commit', nth, fault: 'QuotaExceededError' })
    session.user = 'ben'
    await first.cache.setPartition('ben')
    // There is room again.
    await me(second, '/me?1')
    await me(second, '/me?2')
    await me(first, '/me?3')
    expect({ ben: isLeft(first) }).toEqual({ ben: false })
    session.user = 'anna'
    const later = open({ partition: 'anna' })
    for (const path of ['/me?1', '/me?2']) expect(await me(later, path)).toEqual({ user: 'anna' })
  })
})

test.each([
  ['and his tab is there', false],
  ['and his tab is gone', true],
])(
  'a disk with no room for a name, in two tabs that hear each other, %s: what is Ben’s is not kept as Anna’s (FAULTS R1)',
  async (_, isGone) => {
    const world = await createWorld({ tabs: 2, cache: { partition: 'anna' } })
    const session = { user: 'anna' }
    world.origin.serves('/*', () => ({ cacheControl: 'private, max-age=600', json: { user: session.user } }))
    const [first, second] = world.tabs as [WorldContext, WorldContext]
    const done = endIn(world)
    await done(first.cache.json('/me'))
    await done(second.cache.json('/me'))
    for (const nth of [2, 3]) world.database.inject({ at: 'commit', nth, fault: 'QuotaExceededError' })
    session.user = 'ben'
    const signingIn = first.cache.setPartition('ben').then((receipt) => {
      if (isGone) first.kill()
      return receipt
    })
    expect(await done(signingIn)).toMatchObject({ disk: { records: 1 } })
    expect(await done(second.cache.json('/basket'))).toEqual({ user: 'ben' }) // his browser by now
    session.user = 'anna'
    if (!isGone) await done(first.cache.setPartition('anna'))
    second.reload()
    expect(await done(second.cache.json('/basket'))).toEqual({ user: 'anna' })
  },
)

describe('a sign-out that an ill disk has held up', () => {
  test('is not overtaken by the sign-in of its own page from before the clock was set back', async () => {
    const { open, clock, session, me, database } = await shop()
    await clock.advance(3_600_000) // wrong by an hour
    const page = open({ partition: 'anna' })
    await me(page)
    clock.set(clock.now() - 3_600_000)
    await clock.advance(60_000)
    await database.lose()
    for (let nth = 1; nth <= 2; nth++) database.inject({ at: 'open', nth, fault: 'UnknownError' })
    await expect(page.cache.setPartition(undefined)).rejects.toMatchObject({ code: 'storage' })
    session.user = 'nobody'
    await clock.advance(2 * 3_600_000)
    // What failed is tried again before the disk is used.
    await me(page, '/me?1')
    expect(JSON.stringify(await rowsOf(database))).not.toContain('anna')
  })
})
