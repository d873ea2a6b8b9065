import { expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'

// Law 5, FAULTS R1, F-64: from Anna to Ben and back to Anna. A tab of Anna's that has not looked in between finds its own name in the database, and cannot tell that somebody else was there.

async function annasTabs(without: readonly ('locks' | 'channel')[] = []) {
  const world = await createWorld({ tabs: 2, without, cache: { partition: 'anna' } })
  const session = { user: 'anna', maxAge: 600 }
  world.origin.serves('/basket', () => ({
    cacheControl: `private, max-age=${session.maxAge}`,
    etag: `"${session.user}"`,
    json: { user: session.user },
  }))
  const [first, second] = world.tabs as [WorldContext, WorldContext]
  async function done<T>(work: Promise<T>): Promise<unknown> {
    const settled = work.catch((error: unknown) => error)
    await world.clock.settle()
    await world.clock.advance(3_000)
    return settled
  }
  return {
    world,
    session,
    first,
    read: () => done(first.cache.json('/basket')),
    signIn(user: string) {
      session.user = user
      return done(second.cache.setPartition(user))
    },
  }
}

test('what was asked for while Ben was signed in is not Anna’s, where nobody tells (neither locks nor a channel: Safari before 15.4)', async () => {
  const { world, session, first, read, signIn } = await annasTabs(['locks', 'channel'])
  session.maxAge = 1
  expect(await read()).toEqual({ user: 'anna' })
  session.maxAge = 600
  await signIn('ben')
  const hold = world.origin.hold('/basket')
  const reading = first.cache.json('/basket').catch((error: unknown) => error)
  await world.clock.settle()
  expect(hold.waiting).toBe(1)
  await signIn('anna')
  hold.release()
  await world.clock.settle()
  await reading
  expect(await read()).toEqual({ user: 'anna' })
})

test('what came between the new cookie and setPartition() is gone from a page that was away meanwhile (back/forward cache)', async () => {
  const { session, first, read, signIn } = await annasTabs()
  session.user = 'ben' // his cookie is there; the page that signs him in has not called setPartition() yet
  expect(await read()).toEqual({ user: 'ben' })
  first.hide()
  await signIn('ben')
  await signIn('anna')
  first.thaw()
  expect(await read()).toEqual({ user: 'anna' })
})
