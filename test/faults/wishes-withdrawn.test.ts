import { describe, expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'
import { shop } from './shop.ts'

// `createCache({ partition })` followed at once by `setPartition(another)`, as an app does that knows better a moment later: the first one was wished for by nobody any more when it reaches the disk.

describe('a page that is made for Anna, and is Ben’s before that was done', () => {
  test('leaves Ben what he has on disk', async () => {
    const { open, me, session } = await shop({ user: 'ben' })
    const bens = open({ partition: 'ben' })
    await me(bens)
    const next = open({ partition: 'anna' })
    const receipt = await next.cache.setPartition('ben')
    expect(receipt.disk ?? { records: 0 }).toMatchObject({ records: 0 })
    session.user = 'nobody'
    expect(await me(next)).toEqual({ user: 'ben' })
  })

  test.each([
    ['with a disk', {}],
    ['without one', { store: 'memory' } as object],
  ])('does not end Ben’s other tab (%s)', async (_, cache) => {
    const world = await createWorld({ tabs: 2, cache: { ...cache, partition: 'anna' } })
    world.origin.serves('/me', { cacheControl: 'private, max-age=600', json: { user: 'ben' } })
    const [bens, next] = world.tabs as [WorldContext, WorldContext]
    await world.clock.settle()
    const signingIn = bens.cache.setPartition('ben')
    await world.clock.settle()
    await signingIn
    const reading = bens.cache.json('/me')
    await world.clock.settle()
    await reading
    let isLeft = false
    bens.cache.on(({ type }) => {
      isLeft ||= type === 'partition-left'
    })
    next.reload()
    const entering = next.cache.setPartition('ben')
    await world.clock.advance(1_000)
    await entering
    const looking = bens.cache.explain('/me')
    await world.clock.settle()
    await looking
    expect(isLeft).toBe(false)
    expect(bens.cache.peek('/me')?.data).toEqual({ user: 'ben' })
  })
})
