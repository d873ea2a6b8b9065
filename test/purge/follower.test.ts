import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Channel, OpenChannel } from '../../src/ports/channel.ts'
import type { Locks } from '../../src/ports/locks.ts'
import { createFollower, type Follower, type FollowerOptions, type ProgressStore } from '../../src/purge/follower.ts'
import type { Presence } from '../../src/purge/presence.ts'
import type { Progress } from '../../src/purge/progress.ts'
import { createPurgeHub } from '../../src/server/index.ts'
import { memoryPurgeLog } from '../../src/server/purge-log.ts'
import { seededRandom, type VirtualClock, virtualClock } from '../../src/testing/index.ts'
import { harness } from '../engine/harness.ts'
import { type Fate, unreliableFeed } from './unreliable-feed.ts'

const url = 'https://shop.example/feed'

/** A progress that outlives its follower. */
function kept(): ProgressStore & { value: Progress | undefined; isIll: boolean } {
  const store = {
    value: undefined as Progress | undefined,
    isIll: false,
    async get() {
      if (store.isIll) throw new Error('no disk')
      return store.value
    },
    async set(progress: Progress) {
      if (store.isIll) throw new Error('no disk')
      store.value = progress
    },
  }
  return store
}

/** A page that can be hidden. */
function page(): Presence & { show(state: 'visible' | 'hidden' | 'gone'): void } {
  let now: 'visible' | 'hidden' | 'gone' = 'visible'
  const listeners = new Set<() => void>()
  return {
    state: () => now,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    show(state) {
      now = state
      for (const listener of [...listeners]) listener()
    },
  }
}

/** Locks of one profile: first come, first served. */
function profileLocks(): Locks {
  const tails = new Map<string, Promise<unknown>>()
  return {
    async request(name, { signal }, work) {
      const before = tails.get(name) ?? Promise.resolve()
      let done = () => {}
      const mine = new Promise<void>((resolve) => {
        done = resolve
      })
      tails.set(
        name,
        before.then(() => mine),
      )
      const aborted = new Promise<never>((_, reject) => {
        if (signal?.aborted) reject(signal.reason)
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
      try {
        await Promise.race([before, aborted])
        return await work(true)
      } finally {
        done()
      }
    },
  }
}

/** A channel between the contexts of one profile. */
function profileChannel(): OpenChannel {
  const ends = new Set<(message: unknown) => void>()
  return (_name, onMessage): Channel => {
    ends.add(onMessage)
    return {
      post: (message) => {
        for (const end of ends) if (end !== onMessage) end(structuredClone(message))
      },
      close: () => ends.delete(onMessage),
    }
  }
}

function scene({ retain = 1000, heartbeatMs = 5_000 } = {}) {
  const clock = virtualClock()
  const random = seededRandom(7)
  const hub = createPurgeHub({ clock, random, retain, heartbeatMs })
  const feed = unreliableFeed(hub)
  const applied: unknown[] = []
  const errors: unknown[] = []
  const durable = { value: true }
  const follow = (more: Partial<FollowerOptions> = {}): Follower =>
    createFollower({
      cache: {
        async purge(selector, options) {
          applied.push({ ...selector, ...options })
          return { durable: durable.value }
        },
      },
      url,
      name: 'test',
      openStream: feed.openStream,
      fetch: feed.fetch,
      credentials: 'same-origin',
      progressStore: undefined,
      clock,
      random,
      locks: undefined,
      openChannel: undefined,
      presence: page(),
      forgetSpreadMs: 10_000,
      report: (error) => errors.push(error),
      ...more,
    })
  return { clock, hub, feed, applied, errors, durable, follow, random }
}

const everything = { all: true, mode: 'soft', spreadMs: 10_000 }
const soft = (tag: string) => ({ tag, mode: 'soft', spreadMs: 0 })

/** A purge of a kind that a later version of the hub knows. */
const later = { selector: { header: 'x-shop' }, mode: 'soft' } as never

test.each(['stream', 'once'] as const)(
  'a purge that this version cannot read is taken as one of everything, and what comes after it is applied (%s)',
  async (way) => {
    const log = memoryPurgeLog({ retain: 10, random: seededRandom(3) })
    const { feed, follow, applied, clock } = scene()
    feed.hub = createPurgeHub({ clock, random: seededRandom(4), log })
    await log.append({ selector: { tag: 'a' }, mode: 'soft' })
    await log.append(later)
    const follower = follow(way === 'once' ? { openStream: undefined } : {})
    await clock.advance(30_000)
    await follower.caughtUp()
    expect(applied.at(-1)).toEqual(everything)
    expect(follower.number()).toBe(2)
    expect(feed.asked.length).toBeLessThan(4)
    if (way === 'once') return
    await feed.hub.purge({ tag: 'b' })
    await clock.settle()
    expect(applied.at(-1)).toEqual(soft('b'))
    follower.close()
  },
)

describe('one who follows', () => {
  test('applies what the log holds, then what comes, each once', async () => {
    const { hub, follow, applied, clock } = scene()
    await hub.purge({ tag: 'a' })
    const follower = follow()
    expect(follower.number()).toBeUndefined()
    await follower.caughtUp()
    await hub.purge({ tag: 'b' }, { mode: 'hard', spread: 3000 })
    await clock.settle()
    expect(applied).toEqual([soft('a'), { tag: 'b', mode: 'hard', spreadMs: 3000 }])
    expect(follower.number()).toBe(2)
    follower.close()
    await hub.purge({ tag: 'c' })
    await clock.advance(60_000)
    expect(applied).toHaveLength(2)
    await hub.close()
    expect(clock.sleeping).toBe(0)
  })

  test('starts where its profile has stopped', async () => {
    const { hub, follow, applied, clock } = scene()
    const progressStore = kept()
    await hub.purge({ tag: 'a' })
    const first = follow({ progressStore })
    await first.caughtUp()
    first.close()
    await clock.settle()
    await hub.purge({ tag: 'b' })
    const second = follow({ progressStore })
    await second.caughtUp()
    expect(applied).toEqual([soft('a'), soft('b')])
    expect(progressStore.value).toMatchObject({ number: 2, mark: expect.any(String) })
    second.close()
  })

  test('remembers only what the cache has on disk', async () => {
    const { hub, follow, durable } = scene()
    durable.value = false
    const progressStore = kept()
    await hub.purge({ tag: 'a' })
    const follower = follow({ progressStore })
    await follower.caughtUp()
    expect([follower.number(), progressStore.value]).toEqual([1, undefined])
    follower.close()
  })

  test('whose progress cannot be read or kept applies what the log holds, and tells of it', async () => {
    const { hub, follow, applied, errors } = scene()
    const progressStore = kept()
    progressStore.isIll = true
    await hub.purge({ tag: 'a' })
    const follower = follow({ progressStore })
    await follower.caughtUp()
    expect(applied).toEqual([soft('a')])
    expect(errors.map(String)).toEqual(['Error: no disk', 'Error: no disk'])
    follower.close()
  })

  test('was away for longer than the log is: everything is forgotten, softly, and it goes on from there', async () => {
    const { hub, follow, applied, clock } = scene({ retain: 2 })
    const progressStore = kept()
    progressStore.value = { number: 1, mark: 'gone' }
    for (const tag of ['a', 'b', 'c', 'd']) await hub.purge({ tag })
    const follower = follow({ progressStore })
    await follower.caughtUp()
    expect(applied).toEqual([everything])
    expect(follower.number()).toBe(4)
    await hub.purge({ tag: 'e' })
    await clock.settle()
    expect(applied).toEqual([everything, soft('e')])
    follower.close()
  })

  test('meets a hub that has lost its log: everything is forgotten, though the numbers look right', async () => {
    const { hub, follow, applied, feed, clock } = scene()
    await hub.purge({ tag: 'a' })
    const follower = follow()
    await follower.caughtUp()
    const reborn = createPurgeHub({ clock, random: seededRandom(99), heartbeatMs: 5_000 })
    await reborn.purge({ tag: 'other' })
    feed.hub = reborn
    await hub.close()
    await clock.advance(10_000)
    expect(applied).toEqual([soft('a'), everything])
    expect(follower.number()).toBe(1)
    follower.close()
  })

  test('meets one that has lost its log before anything was purged', async () => {
    const { hub, follow, applied, feed, clock } = scene()
    const follower = follow()
    await follower.caughtUp()
    feed.hub = createPurgeHub({ clock, random: seededRandom(99) })
    await hub.close()
    await clock.advance(10_000)
    expect(applied).toEqual([everything])
    follower.close()
  })

  test('connects again after pauses of any length up to 1, 2, 4 … 60 s, from where it is', async () => {
    const { hub, follow, feed, clock } = scene()
    await hub.purge({ tag: 'a' })
    const follower = follow({ random: () => 0.5 })
    await follower.caughtUp()
    feed.hub = undefined
    const start = clock.now()
    feed.asked.length = 0
    feed.cut()
    const at: number[] = []
    for (let second = 0; second < 240; second++) {
      await clock.advance(500)
      if (feed.asked.length > at.length) at.push(clock.now() - start)
    }
    expect(at.map((one, index) => one - (at[index - 1] ?? 0))).toEqual([
      500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ])
    expect(feed.asked[0]).toMatch(/^stream \?after=1\./)
    feed.hub = hub
    await clock.advance(30_000)
    expect(feed.open).toBe(1)
    follower.close()
    expect(feed.open).toBe(0)
  })

  test('whose connection has fallen silent takes another one', async () => {
    const { follow, feed, clock } = scene({ heartbeatMs: 5_000 })
    const follower = follow()
    await follower.caughtUp()
    feed.fate = () => 'dropped'
    await clock.advance(16_000)
    feed.fate = () => 'arrives'
    await clock.advance(2_000)
    expect(feed.asked.filter((one) => one.startsWith('stream'))).toHaveLength(2)
    follower.close()
  })

  test('whose cache fails to take a purge asks for it again', async () => {
    const { hub, follow, clock, errors } = scene()
    const seen: unknown[] = []
    const cache = {
      async purge(selector: unknown) {
        seen.push(selector)
        if (seen.length === 1) throw new Error('busy')
        return { durable: true }
      },
    }
    const follower = follow({ cache })
    await follower.caughtUp()
    await hub.purge({ tag: 'a' })
    await clock.advance(3_000)
    expect(seen).toEqual([{ tag: 'a' }, { tag: 'a' }])
    expect(errors.map(String)).toEqual(['Error: busy'])
    follower.close()
  })

  test('that meets a word it does not know asks for the log instead of passing over it', async () => {
    const { follow, feed, clock, hub } = scene()
    const follower = follow({
      openStream: (_url, on) => {
        on.greeting('{"number":0,"mark":"m","complete":true,"heartbeatMs":1000}')
        on.purge('{"number":1,"selector":{"later":true}}')
        return { close() {} }
      },
    })
    await hub.purge({ tag: 'a' })
    await clock.settle()
    expect(feed.asked).toContain('json ?after=0.m')
    follower.close()
  })
})

describe('of several pages', () => {
  const tabs = (count: number) => {
    const world = scene()
    const [locks, openChannel] = [profileLocks(), profileChannel()]
    const progressStore = kept()
    const pages = Array.from({ length: count }, page)
    const seen = pages.map((): unknown[] => [])
    const followers = pages.map((presence, index) =>
      world.follow({
        locks,
        openChannel,
        progressStore,
        presence,
        cache: {
          async purge(selector) {
            seen[index]?.push(selector)
            return { durable: world.durable.value }
          },
        },
      }),
    )
    return { ...world, pages, seen, followers }
  }

  test('one follows; a cache that is on disk tells the others itself', async () => {
    const { hub, feed, clock, seen, followers } = tabs(3)
    await clock.settle()
    await hub.purge({ tag: 'a' })
    await clock.settle()
    expect(feed.open).toBe(1)
    expect(seen).toEqual([[{ tag: 'a' }], [], []])
    expect(followers.map((one) => one.number())).toEqual([1, 1, 1])
    for (const one of followers) one.close()
  })

  test('to caches in memory alone it hands the purges on', async () => {
    const { hub, clock, seen, followers, durable } = tabs(3)
    durable.value = false
    await clock.settle()
    await hub.purge({ tag: 'a' })
    await hub.purge({ tag: 'b' })
    await clock.settle()
    expect(seen).toEqual(Array(3).fill([{ tag: 'a' }, { tag: 'b' }]))
    for (const one of followers) one.close()
  })

  test('the next one takes over when it is closed, and nothing is missed or done twice', async () => {
    const { hub, clock, seen, followers, feed } = tabs(2)
    await clock.settle()
    await hub.purge({ tag: 'a' })
    await clock.settle()
    followers[0]?.close()
    await hub.purge({ tag: 'b' })
    await clock.settle()
    expect([seen, feed.open]).toEqual([[[{ tag: 'a' }], [{ tag: 'b' }]], 1])
    followers[1]?.close()
  })

  test('when it is in the background for 10 s another takes over; when it is put to sleep, at once', async () => {
    const { hub, clock, seen, followers, pages, feed } = tabs(2)
    await clock.settle()
    pages[0]?.show('hidden')
    await clock.advance(9_999)
    await hub.purge({ tag: 'a' })
    await clock.advance(1)
    await hub.purge({ tag: 'b' })
    await clock.settle()
    expect(seen).toEqual([[{ tag: 'a' }], [{ tag: 'b' }]])
    pages[1]?.show('gone')
    await clock.settle()
    expect(feed.open).toBe(0)
    await hub.purge({ tag: 'c' })
    pages[0]?.show('visible')
    await clock.settle()
    expect(seen).toEqual([[{ tag: 'a' }, { tag: 'c' }], [{ tag: 'b' }]])
    for (const one of followers) one.close()
  })

  test('a look away does not end it', async () => {
    const { clock, followers, pages, feed } = tabs(1)
    await clock.settle()
    pages[0]?.show('hidden')
    await clock.advance(5_000)
    pages[0]?.show('visible')
    await clock.advance(60_000)
    expect(feed.asked).toHaveLength(1)
    followers[0]?.close()
  })

  test('where there can be no lock each follows', async () => {
    const { follow, clock, feed } = scene()
    const locks: Locks = { request: () => Promise.reject(new DOMException('no', 'SecurityError')) }
    const followers = [follow({ locks }), follow({ locks })]
    await clock.settle()
    expect(feed.open).toBe(2)
    for (const one of followers) one.close()
  })
})

describe('one who only asks, as a worker that has just started', () => {
  test('asks once, and applies what was missed', async () => {
    const { hub, follow, applied, feed, clock } = scene()
    const progressStore = kept()
    await hub.purge({ tag: 'a' })
    await hub.purge({ tag: 'b' })
    progressStore.value = { number: 1 }
    const follower = follow({ openStream: undefined, progressStore })
    await follower.caughtUp()
    expect([applied, feed.asked, follower.number()]).toEqual([[soft('b')], ['json ?after=1'], 2])
    await clock.advance(600_000)
    expect(feed.asked).toHaveLength(1)
    follower.close()
  })

  test('tries three times, and then lets the cache do its work', async () => {
    const { follow, feed, clock, errors } = scene()
    feed.hub = undefined
    const follower = follow({ openStream: undefined })
    await clock.advance(10_000)
    await follower.caughtUp()
    expect([feed.asked.length, errors.length]).toEqual([3, 3])
    follower.close()
  })
})

const fates: readonly Fate[] = ['arrives', 'arrives', 'arrives', 'dropped', 'doubled', 'held', 'cut']
const names = ['r0', 'r1', 'r2']

type Move =
  | { readonly do: 'change'; readonly name: number; readonly mode: 'soft' | 'hard' }
  | { readonly do: 'read'; readonly name: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' | 'fail-over' | 'lose-log' | 'sleep' }

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      name: fc.nat(2),
      mode: fc.constantFrom('soft' as const, 'hard' as const),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), name: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(8000) }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Move>({ do: 'restart' }, { do: 'fail-over' }, { do: 'lose-log' }, { do: 'sleep' }),
  },
)

/** Plays moves against a real cache, a real hub and a network that does its worst, and then lets it come to rest. */
async function play(moves: readonly Move[], seed: number): Promise<void> {
  const { cache, origin, clock } = harness()
  const random = seededRandom(seed)
  const versions = new Map(names.map((name) => [name, 0]))
  /** Per name: the version that a hard purge, once applied, leaves as the oldest that may be read. */
  const floors = new Map<string, number>()
  const serve = (name: string) =>
    origin.serves(`/${name}`, {
      cacheControl: 'max-age=31536000, stale-while-revalidate=31536000, stale-if-error=31536000',
      json: versions.get(name),
      headers: { 'nearcache-tag': name },
    })
  for (const name of names) serve(name)

  let log = memoryPurgeLog({ retain: 4, random })
  let hubs = [0, 1].map(() => createPurgeHub({ clock, random, log, heartbeatMs: 2_000 }))
  const feed = unreliableFeed(hubs[0])
  const progressStore = kept()
  const follow = () =>
    createFollower({
      cache: {
        async purge(selector, options) {
          const purging = cache.purge(selector, options)
          if ('tags' in selector && options.mode === 'hard') {
            const [name, version] = selector.tags[1]?.split('@') ?? []
            floors.set(name as string, Math.max(floors.get(name as string) ?? 0, Number(version)))
          }
          await purging
          return { durable: true }
        },
      },
      url,
      name: 'law',
      openStream: feed.openStream,
      fetch: feed.fetch,
      credentials: 'same-origin',
      progressStore,
      clock,
      random,
      locks: undefined,
      openChannel: undefined,
      presence: page(),
      forgetSpreadMs: 0,
      report() {},
    })
  let follower = follow()
  // What was purged before a profile has ever met the feed it cannot know.
  await follower.caughtUp()
  feed.fate = () => fates[Math.floor(random() * fates.length)] as Fate

  const read = async (name: string) => {
    const floor = floors.get(name) ?? 0
    const version = await cache.json<number>(`/${name}`)
    expect(version, `${name} was purged for good at ${floor}`).toBeGreaterThanOrEqual(floor)
  }
  for (const one of moves) {
    if (one.do === 'change') {
      const name = names[one.name] as string
      const version = (versions.get(name) as number) + 1
      versions.set(name, version)
      serve(name)
      await hubs[0]?.purge({ tags: [name, `${name}@${version}`] }, { mode: one.mode })
    }
    if (one.do === 'read') await read(names[one.name] as string)
    if (one.do === 'wait') await clock.advance(one.ms)
    if (one.do === 'restart') {
      follower.close()
      follower = follow()
    }
    if (one.do === 'fail-over') {
      hubs.reverse()
      feed.hub = hubs[0]
      feed.cut()
    }
    if (one.do === 'lose-log') {
      for (const hub of hubs) await hub.close()
      log = memoryPurgeLog({ retain: 4, random })
      hubs = [0, 1].map(() => createPurgeHub({ clock, random, log, heartbeatMs: 2_000 }))
      feed.hub = hubs[0]
    }
    if (one.do === 'sleep') {
      follower.close()
      await clock.advance(3 * 86_400_000)
      follower = follow()
    }
  }

  feed.fate = () => 'arrives'
  await settleDown(clock)
  for (const name of names) {
    await cache.json(`/${name}`)
    await clock.settle()
    expect(await cache.json(`/${name}`), `${name} converges`).toBe(versions.get(name))
  }
  follower.close()
  for (const hub of hubs) await hub.close()
  await cache.close()
}

/** Long enough for every pause and every silence. */
async function settleDown(clock: VirtualClock): Promise<void> {
  for (let minute = 0; minute < 3; minute++) await clock.advance(60_000)
}

test('any mix of drops, doubles, reorderings, cuts, restarts, fail-overs, lost logs and long sleeps converges; what was purged for good is never read again', {
  timeout: 120_000,
}, async () => {
  await fc.assert(fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 30 }), fc.integer({ min: 1 }), play), {
    numRuns: 60,
    seed: 42,
  })
})
