import { describe, expect, test } from 'vitest'
import { type Page, profile, rowsOf } from './database-harness.ts'

/** Two of Anna's tabs; in the first one she leaves, while the disk is full. */
async function annaLeaves(next: string | undefined) {
  const world = await profile()
  let user = 'anna'
  world.origin.serves('/me*', ({ path, seq }) => ({ cacheControl: 'private, max-age=600', json: { user, path, seq } }))
  const [first, second] = [world.open({ partition: 'anna' }), world.open({ partition: 'anna' })] as [Page, Page]
  for (const { cache } of [first, second]) {
    await cache.json('/me')
    await cache.settled()
  }
  // The first one only looks who is there.
  world.database.inject({ at: 'commit', nth: 2, fault: 'QuotaExceededError' })
  await first.cache.setPartition(next)
  user = next ?? 'nobody'
  await world.clock.settle()
  return {
    world,
    first,
    second,
    signIn(name: string) {
      user = name
    },
  }
}

describe('a disk too full to write down who leaves', () => {
  test.each([['ben'], [undefined]])('the other tab is left too when %j comes (DESIGN §5, law 5)', async (next) => {
    const { second } = await annaLeaves(next)
    await second.cache.json('/me?1')
    await second.cache.json('/me?2')
    expect(second.events.map(({ type }) => type)).toContain('partition-left')
  })

  test('who has come is not thrown out by the tab of who has gone', async () => {
    const { first, second } = await annaLeaves('ben')
    await second.cache.json('/me?1')
    await second.cache.json('/me?2')
    await second.cache.settled()
    await first.cache.json('/me?3')
    await first.cache.settled()
    expect(first.events.map(({ type }) => type)).not.toContain('partition-left')
  })

  test('nothing of who has come lies under the name of who has gone', async () => {
    const { world, first, second, signIn } = await annaLeaves('ben')
    for (const path of ['/me?1', '/me?2', '/me?3']) {
      await second.cache.json(path)
      await second.cache.settled()
    }
    await Promise.all([first.cache.close(), second.cache.close()])
    signIn('anna')
    const later = world.open({ partition: 'anna' })
    for (const path of ['/me?1', '/me?2', '/me?3']) expect(await later.cache.json(path)).toMatchObject({ user: 'anna' })
  })

  test('with no room for a name either, everything is removed all the same', async () => {
    const world = await profile()
    world.origin.serves('/me', { cacheControl: 'private, max-age=600', json: { user: 'anna' } })
    const { cache } = world.open({ partition: 'anna' })
    await cache.json('/me')
    await cache.settled()
    for (const nth of [2, 3]) world.database.inject({ at: 'commit', nth, fault: 'QuotaExceededError' })
    expect(await cache.setPartition('ben')).toMatchObject({ disk: { records: 1 } })
    expect(await rowsOf(world.database)).toEqual([])
  })
})
