import { describe, expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'
import { rowsOf } from './database-harness.ts'

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
  /** What the worker gives a page. */
  const ask = async () => {
    const asking = world.worker?.cache.fetch('/me').then((response) => response.json())
    await world.clock.settle()
    return asking
  }
  if (options.worker) expect(await ask()).toEqual({ user: 'anna' })
  return {
    world,
    first,
    second,
    ask,
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
    // The first two transactions are those of the sign-out; the next ones are what others look by.
    for (let nth = 3; nth <= 5; nth++) world.database.inject({ at: 'transaction', nth, fault })
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

/** Her sign-out in the first tab, which the disk does not take: `more` transactions after it fail, too. */
async function unsaid(fault: string, more: number, options: Parameters<typeof createWorld>[0] = {}) {
  const all = await annasTabs(options)
  const { world, first, signOut } = all
  for (let nth = 1; nth <= 2 + more; nth++) world.database.inject({ at: 'transaction', nth, fault })
  const leaving = first.cache.setPartition(undefined).catch((error: unknown) => error)
  signOut()
  await world.clock.settle()
  await world.clock.advance(3_000)
  expect(await leaving).toMatchObject({ code: 'storage' })
  const read = async ({ cache }: WorldContext) => {
    const reading = cache.json('/me').catch((error: unknown) => error)
    await world.clock.settle()
    await world.clock.advance(10_000)
    return reading
  }
  return { ...all, read }
}

describe('a sign-out that the disk does not take', () => {
  test.each([
    ['UnknownError', 0],
    ['UnknownError', 20],
    ['hang', 0],
  ])(
    '(%s, and %i times more) is heeded by other tabs, though the disk says that she is still there',
    async (fault, more) => {
      const { world, second, read } = await unsaid(fault, more)
      expect(second.cache.peek('/me')).toBeUndefined()
      expect(await read(second)).toEqual({ user: 'nobody' })
      // Others may see the disk well again before it was told.
      world.database.release()
      await world.clock.advance(100_000)
      expect(await read(second)).toEqual({ user: 'nobody' })
      expect(second.cache.peek('/me')).toBeUndefined()
    },
  )

  test('is done by a service worker, before it believes what the disk says (DESIGN §5)', async () => {
    const { world, ask } = await unsaid('UnknownError', 0, { worker: true })
    expect(JSON.stringify(await rowsOf(world.database))).toContain('anna')
    expect(await ask()).toEqual({ user: 'nobody' })
    expect(JSON.stringify(await rowsOf(world.database))).not.toContain('anna')
  })

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
