import { describe, expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'

/** Two tabs of Anna, who has been read in both; what the origin says from then on is of whom it is told. */
async function annasTabs(options: Parameters<typeof createWorld>[0] = {}) {
  const world = await createWorld({ tabs: 2, ...options })
  let user = 'anna'
  world.origin.serves('/me', () => ({ cacheControl: 'private, max-age=600', json: { user } }))
  const [first, second] = world.tabs as [WorldContext, WorldContext]
  for (const { cache } of [first, second]) {
    const entering = cache.setPartition('anna')
    await world.clock.settle()
    await entering
    const reading = cache.json('/me')
    await world.clock.settle()
    expect(await reading).toEqual({ user: 'anna' })
  }
  expect(second.cache.peek('/me')).toBeDefined()
  return {
    world,
    first,
    second,
    signOut() {
      user = 'nobody'
    },
  }
}

// FAULTS F-62, F-63, R5, R7; DESIGN §5: another tab's sign-out is heeded from its message on, also where the disk cannot be read then.
test.each(['UnknownError', 'hang', 'ConstraintError'])(
  'a tab that is told to look, and cannot (%s), shows nothing of who has gone',
  async (fault) => {
    const { world, first, second, signOut } = await annasTabs()
    let hasLeft = false
    // The first transaction is that of the sign-out; the next ones are what others look by.
    for (let nth = 2; nth <= 4; nth++) world.database.inject({ at: 'transaction', nth, fault })
    first.cache.setPartition(undefined).then(() => {
      hasLeft = true
    })
    await world.clock.settle()
    expect(second.cache.peek('/me')).toBeUndefined()
    await world.clock.advance(10_000)
    expect(hasLeft).toBe(true)
    expect(second.cache.peek('/me')).toBeUndefined()
    signOut()
    const reading = second.cache.json('/me').catch((error: unknown) => error)
    await world.clock.settle()
    await world.clock.advance(10_000)
    expect(await reading).not.toEqual({ user: 'anna' })
  },
)

describe('a sign-out that the disk does not take', () => {
  test('leaves alone who has signed in elsewhere since', async () => {
    const { world, first, second } = await annasTabs()
    const heard: string[] = []
    second.cache.on(({ type }) => heard.push(type))
    world.database.inject({ at: 'transaction', fault: 'hang' })
    const leaving = first.cache.setPartition(undefined).catch((error: unknown) => error)
    await world.clock.advance(1_000)
    const entering = second.cache.setPartition('ben')
    await world.clock.advance(2_000)
    expect(await leaving).toMatchObject({ code: 'storage' })
    await entering
    await world.clock.settle()
    expect(heard).toEqual(['partition-entered'])
  })
})

test('where there is no disk (F-13), other tabs are told of a sign-out as they are of a purge', async () => {
  const { world, first, second, signOut } = await annasTabs({ cache: { store: 'memory' } as object })
  const leaving = first.cache.setPartition(undefined)
  await world.clock.settle()
  await leaving
  signOut()
  const reading = second.cache.json('/me').catch((error: unknown) => error)
  await world.clock.settle()
  expect(await reading).not.toEqual({ user: 'anna' })
})
