import { describe, expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'
import type { Page } from './database-harness.ts'
import { type Shop, shop } from './shop.ts'

// Law 5: whoever signed in last has the database; a page that was made for somebody else before, and comes to use it only now, is left (DESIGN §5; FAULTS R1, F-62, F-64).

/** Nobody is shown what is another one's, and what belongs to who is signed in stays his. */
async function bensAndOnlyBens({ open, me, session }: Shop, ben: Page, annas: Page) {
  expect(await me(annas)).toEqual({ user: 'ben' }) // past the cache: it is his browser by now
  expect(annas.events.map(({ type }) => type)).toContain('partition-left')
  session.user = 'nobody'
  expect(await me(ben)).toEqual({ user: 'ben' })
  expect(await me(open({ partition: 'ben' }))).toEqual({ user: 'ben' })
  session.user = 'anna'
  expect(await me(open({ partition: 'anna' }))).toEqual({ user: 'anna' })
}

describe('a page that was made for Anna, and is used only after Ben has signed in elsewhere', () => {
  test('is left, and takes nothing from Ben', async () => {
    const all = await shop()
    const annas = all.open({ partition: 'anna' })
    const ben = all.open()
    await all.clock.advance(1)
    await all.signIn(ben, 'ben')
    await all.me(ben)
    await bensAndOnlyBens(all, ben, annas)
  })

  test('has made the database hers as soon as it was made: of two such pages the later one counts', async () => {
    const all = await shop()
    const first = all.open({ partition: 'anna' })
    await all.me(first)
    all.session.user = 'ben'
    const bens = all.open({ partition: 'ben' }) // asks for nothing yet
    await bens.cache.settled()
    all.session.user = 'anna'
    const again = all.open({ partition: 'anna' })
    expect(await all.me(again)).toEqual({ user: 'anna' })
    all.session.user = 'nobody'
    expect(await all.me(bens)).toEqual({ user: 'nobody' })
    expect(await all.me(all.open({ partition: 'anna' }))).toEqual({ user: 'anna' })
  })

  test.each(['UnknownError', 'hang'])(
    'also where she could not enter before, the disk being ill (%s)',
    async (fault) => {
      const all = await shop()
      for (let nth = 1; nth <= 3; nth++) all.database.inject({ at: 'transaction', nth, fault })
      const annas = all.open({ partition: 'anna' })
      await all.clock.advance(10_000)
      all.database.release()
      const ben = all.open()
      await all.signIn(ben, 'ben')
      await all.me(ben)
      await ben.cache.purge({ tag: 'shelf' })
      await all.clock.advance(60_000)
      await bensAndOnlyBens(all, ben, annas)
    },
  )

  test('also where the database was lost in between, and Ben’s is a new one', async () => {
    const all = await shop()
    const annas = all.open({ partition: 'anna' })
    await all.me(annas)
    await all.database.lose({ forget: true })
    all.origin.serves('/live', { cacheControl: 'no-store', json: {} })
    await annas.cache.json('/live') // she has seen a new one, which is not hers yet
    const ben = all.open()
    await all.clock.advance(1)
    await all.signIn(ben, 'ben')
    await all.me(ben)
    await bensAndOnlyBens(all, ben, annas)
  })

  test('also when the database is full, and has room for no more than his name', async () => {
    const all = await shop()
    for (const nth of [1, 2]) all.database.inject({ at: 'transaction', nth, fault: 'UnknownError' })
    const annas = all.open({ partition: 'anna' })
    await annas.cache.settled()
    const ben = all.open()
    await all.clock.advance(1)
    all.database.inject({ at: 'commit', nth: 2, fault: 'QuotaExceededError' })
    await all.signIn(ben, 'ben')
    await all.me(ben)
    await bensAndOnlyBens(all, ben, annas)
  })
})

test('a clock that was set back does not keep anybody from signing in', async () => {
  const { open, clock, signIn, me } = await shop()
  const ben = open()
  await clock.advance(3_600_000)
  await signIn(ben, 'ben')
  clock.set(clock.now() - 3_600_000)
  const anna = open()
  await signIn(anna, 'anna')
  expect(await me(anna)).toEqual({ user: 'anna' })
  expect(anna.events.map(({ type }) => type)).not.toContain('partition-left')
})

test('who calls setPartition() enters, however long ago the page was made', async () => {
  const { open, clock, signIn, me } = await shop()
  const anna = open({ partition: 'anna' })
  await clock.advance(10)
  await signIn(open(), 'ben')
  await clock.advance(10)
  await signIn(anna, 'anna')
  expect(await me(anna)).toEqual({ user: 'anna' })
  expect(anna.events.map(({ type }) => type)).not.toContain('partition-left')
})

test('where there is no disk (F-13), a page that is made for somebody tells the others, as setPartition() does', async () => {
  let user = 'ben'
  const world = await createWorld({ tabs: 2, cache: { store: 'memory', partition: 'anna' } as object })
  world.origin.serves('/me', () => ({ cacheControl: 'private, max-age=600', json: { user } }))
  const [bens, annas] = world.tabs as [WorldContext, WorldContext]
  const entering = bens.cache.setPartition('ben')
  await world.clock.settle()
  await entering
  const reading = bens.cache.json('/me')
  await world.clock.settle()
  expect(await reading).toEqual({ user: 'ben' })
  user = 'anna'
  annas.reload()
  await world.clock.settle()
  expect(bens.cache.peek('/me')).toBeUndefined()
})
