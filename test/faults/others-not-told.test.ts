import { describe, expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'
import { unstorageStore } from '../../src/unstorage/index.ts'

// Law 5, DESIGN §5: entering a partition makes the old one unreadable in every tab. Here: where the disk cannot be entered, or knows no entering (FAULTS R1, R5, F-13, F-49, F-52, F-63).

interface Options {
  readonly cache?: object
  readonly without?: readonly ('locks' | 'channel')[]
}

/** Two tabs of Anna; the origin answers whoever is signed in. */
async function annasTabs({ cache = {}, without = [] }: Options = {}) {
  const world = await createWorld({ tabs: 2, without, cache: { partition: 'anna', ...cache } as object })
  const session = { user: 'anna' }
  world.origin.serves('/*', () => ({ cacheControl: 'private, max-age=600', json: { user: session.user } }))
  const [first, second] = world.tabs as [WorldContext, WorldContext]
  const done = async <T>(work: Promise<T>): Promise<T | unknown> => {
    const settled = work.catch((error: unknown) => error)
    await world.clock.settle()
    await world.clock.advance(10_000)
    return settled
  }
  const read = (tab: WorldContext, path = '/me') => done(tab.cache.json(path))
  for (const tab of [first, second]) expect(await read(tab)).toEqual({ user: 'anna' })
  async function signIn(user: string, how: 'setPartition()' | 'a page that is made for them' = 'setPartition()') {
    session.user = user
    if (how === 'setPartition()') return done(second.cache.setPartition(user))
    // What `createCache({ partition })` of a new page does is what this world is made with.
    second.reload()
    return done(second.cache.settled())
  }
  return { world, session, first, second, done, read, signIn }
}

/** The disk fails for good, for everybody. */
async function breakDisk(world: Awaited<ReturnType<typeof createWorld>>) {
  await world.database.lose()
  for (let nth = 1; nth <= 500; nth++) world.database.inject({ at: 'open', nth, fault: 'UnknownError' })
}

describe('a disk that has failed for good', () => {
  test('the other tab shows nothing of who has gone once somebody else has signed in', async () => {
    const { world, first, signIn } = await annasTabs()
    await breakDisk(world)
    expect(await signIn('ben')).toMatchObject({ code: 'storage' })
    expect(first.cache.peek('/me')).toBeUndefined()
  })

  test('from one user to the next and back: nothing that was Ben’s is Anna’s', async () => {
    const { world, first, signIn, read, session } = await annasTabs()
    await breakDisk(world)
    await signIn('ben')
    expect(await read(first, '/basket')).toEqual({ user: 'ben' }) // his browser by now
    await signIn('anna')
    session.user = 'anna'
    expect(await read(first, '/basket')).toEqual({ user: 'anna' })
  })
})

describe('a store of a user’s own that knows no entering', () => {
  const own = () => {
    const items = new Map<string, unknown>()
    return {
      store: unstorageStore({
        getItemRaw: async (key) => items.get(key) ?? null,
        setItemRaw: async (key, value) => void items.set(key, value),
        removeItem: async (key) => void items.delete(key),
      }),
    }
  }

  test('the other tab shows nothing of who has gone once somebody else has signed in', async () => {
    const { first, signIn } = await annasTabs({ cache: own() })
    expect(await signIn('ben')).toMatchObject({ memoryBytes: expect.any(Number) })
    expect(first.cache.peek('/me')).toBeUndefined()
  })

  test('from one user to the next and back: nothing that was Ben’s is Anna’s', async () => {
    const { first, signIn, read } = await annasTabs({ cache: own() })
    await signIn('ben')
    expect(await read(first, '/basket')).toEqual({ user: 'ben' })
    await signIn('anna')
    expect(await read(first, '/basket')).toEqual({ user: 'anna' })
  })
})

describe('no disk: a page that was away (back/forward cache) when somebody signed in', () => {
  test('shows nothing of who has gone when it is back (FAULTS F-49)', async () => {
    const { world, first, signIn } = await annasTabs({ cache: { store: 'memory' } })
    first.hide()
    await signIn('ben')
    first.thaw()
    await world.clock.settle()
    expect(first.cache.peek('/me')).toBeUndefined()
  })

  test('from one user to the next and back: nothing that was Ben’s is Anna’s', async () => {
    const { first, signIn, read } = await annasTabs({ cache: { store: 'memory' } })
    first.hide()
    await signIn('ben')
    first.thaw()
    expect(await read(first, '/basket')).toEqual({ user: 'ben' })
    first.hide()
    await signIn('anna')
    first.thaw()
    expect(await read(first, '/basket')).toEqual({ user: 'anna' })
  })
})
