import { expect, test } from 'vitest'
import type { Wired } from '../../src/create-cache.ts'
import type { CacheEvent, NearCache } from '../../src/index.ts'
import { createFollower } from '../../src/service-worker/follow.ts'
import { virtualClock } from '../../src/testing/index.ts'

/** A follower, over a database whose owner a test says. */
function setUp() {
  const clock = virtualClock()
  const looks: Array<(isKnown: boolean) => void> = []
  const place = { partition: '' }
  const listeners: Array<(event: CacheEvent) => void> = []
  const follower = createFollower(
    {
      look: () => new Promise<boolean>((resolve) => looks.push(resolve)),
      core: (() => ({ place })) as unknown as Wired['core'],
      cache: {
        on(listener) {
          listeners.push(listener)
          return () => {}
        },
      } as NearCache,
    },
    clock,
  )
  /** The look under way ends. */
  const seen = async (isKnown = true) => {
    looks.at(-1)?.(isKnown)
    await clock.settle()
  }
  const becomes = (partition: string) => {
    place.partition = partition
    for (const listener of listeners) listener({ type: 'partition-left' })
  }
  return { clock, follower, place, looks, seen, becomes }
}

test('it looks before the first answer, before each page, and again when nobody has for a second', async () => {
  const { clock, follower, looks, seen } = setUp()
  const first = follower.follow(false)
  await seen()
  expect(await first).toBe(true)
  expect(follower.follow(false)).toBe(true)
  expect(looks).toHaveLength(1)
  const page = follower.follow(true)
  await seen()
  expect(await page).toBe(true)
  await clock.advance(1_001)
  expect(follower.follow(false), 'behind').toBe(true)
  expect(looks).toHaveLength(3)
})

test('while a user is signed in it looks before every answer', async () => {
  const { follower, place, looks, seen } = setUp()
  place.partition = 'anna'
  for (let answers = 1; answers <= 3; answers++) {
    const looking = follower.follow(false)
    await seen()
    expect(await looking).toBe(true)
    expect(looks).toHaveLength(answers)
  }
})

test('a database that could not be looked at is looked at again', async () => {
  const { follower, looks, seen } = setUp()
  const looking = follower.follow(false)
  await seen(false)
  expect(await looking).toBe(false)
  follower.follow(false)
  expect(looks).toHaveLength(2)
})

test('a doubt outlives the look that was under way when it came', async () => {
  const { clock, follower, looks, seen } = setUp()
  follower.follow(false)
  await seen()
  await clock.advance(1_001)
  follower.follow(false)
  follower.doubt()
  await seen()
  expect(follower.follow(false)).toBeInstanceOf(Promise)
  expect(looks).toHaveLength(3)
})

test('it knows when a user was last seen to have gone; who only comes takes nobody’s place', async () => {
  const { clock, follower, becomes } = setUp()
  becomes('anna')
  expect(follower.leftAt()).toBeUndefined()
  await clock.advance(1_000)
  becomes('')
  const gone = clock.now()
  await clock.advance(1_000)
  becomes('ben')
  expect(follower.leftAt()).toBe(gone)
  await clock.advance(1_000)
  becomes('carla')
  expect(follower.leftAt()).toBe(clock.now())
})
