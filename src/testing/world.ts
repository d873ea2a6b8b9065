import type { CacheOptions } from '../engine/options.ts'
import { type ContextKind, createContext, type Lacking, type WorldContext } from './context.ts'
import { type ScriptedOrigin, scriptedOrigin } from './scripted-origin.ts'
import { seededRandom } from './seeded-random.ts'
import { shrink } from './shrink.ts'
import { type ChannelTrouble, type VirtualChannels, virtualChannels } from './virtual-channel.ts'
import { clockThatRests, turnsOfTheLoop, type VirtualClock } from './virtual-clock.ts'
import { type VirtualIndexedDb, virtualIndexedDB } from './virtual-indexed-db.ts'
import { type VirtualLocks, virtualLocks } from './virtual-locks.ts'
import { rules } from './world-routes.ts'
import { createUsers } from './world-users.ts'
import { createWalk } from './world-walk.ts'

export interface WorldOptions {
  /** Where all chance comes from: the same seed, the same world and the same trace. @default 1 */
  readonly seed?: number
  /** How many tabs. @default 2 */
  readonly tabs?: number
  /**
   * Whether there is a worker beside them: a service worker, which has the partition that the database belongs to and looks whose it is before it answers, or, `dedicated`, one that has a cache
   * as a tab has. @default false
   */
  readonly worker?: boolean | 'dedicated'
  /** What this browser does not have. @default nothing */
  readonly without?: readonly Lacking[]
  /** How many users sign in and out while `run()` takes its steps, one at a time: each has a partition. @default 0 */
  readonly users?: number
  /**
   * In how many versions of the library they run. With 2 it is decided by chance for each life of each of them whether it is this one, or a later one, which writes records and sends messages of
   * a format that this one does not know. @default 1
   */
  readonly versions?: 1 | 2
  /** For the caches of all of them; time, chance, storage and network are the world's, and so is what encrypts. `run()` reads paths below `/world/`, for which it has rules of its own after yours. */
  readonly cache?: Omit<CacheOptions, 'store' | 'clock' | 'random' | 'fetch' | 'base'>
}

/** Several tabs and a worker of one browser profile, with one origin and one time, in one process. */
export interface World {
  readonly tabs: readonly WorldContext[]
  readonly worker: WorldContext | undefined
  readonly origin: ScriptedOrigin
  readonly clock: VirtualClock
  readonly database: VirtualIndexedDb
  readonly locks: Pick<VirtualLocks, 'held'>
  /** What befalls messages between the contexts from now on. */
  trouble(trouble: ChannelTrouble): void
  /** Sends all contexts what some other script of the origin might. */
  post(message: unknown): void
  /**
   * Takes random steps: reads, writes, purges, failures, kills, freezes, lost messages, time. Then everything is let go on and comes to its end.
   *
   * @throws Error when a law of the design was broken, with the seed, and the fewest steps found that break one
   */
  run(steps: number): Promise<void>
  /** What has happened, a line each: the last 1,000. */
  trace(): string[]
}

interface Trial {
  /** Takes steps; returns the laws that were broken, and how many steps it took. */
  attempt(steps: number): Promise<{ readonly broken: readonly string[]; readonly taken: number }>
}

/**
 * A deterministic world: production engine, coordination of tabs and IndexedDB store, over virtual time, chance, disk, locks, channel and network. Needs fake-indexeddb, as
 * `virtualIndexedDB()` does.
 *
 * @example
 * const world = await createWorld({ tabs: 2 })
 * world.origin.serves('/users', { cacheControl: 'max-age=60', json: [] })
 * await Promise.all(world.tabs.map(({ cache }) => cache.json('/users')))
 * world.origin.requests.length // 1
 */
export const createWorld = (options: WorldOptions = {}): Promise<World> => worldOf(options)

/** @param leftOut - steps that are left out */
async function worldOf(options: WorldOptions, leftOut: ReadonlySet<number> = new Set()): Promise<World & Trial> {
  const { seed = 1, tabs = 2, worker = false, versions = 1, without = [], users: userCount = 0, cache = {} } = options
  const random = seededRandom(seed)
  const chance = () => seededRandom(Math.floor(random() * 2 ** 32))
  const database = await virtualIndexedDB()
  const clock = clockThatRests(() => atRest(database))
  const url = 'https://origin.test'
  const origin = scriptedOrigin({ clock, url, page: `${url}/page` })
  const locks = virtualLocks()
  const channels: VirtualChannels = virtualChannels({ clock, random: chance() })
  const lines: string[] = []
  const errors: unknown[] = []
  const name = cache.name ?? 'nearcache'
  const serviceWorker = worker === true ? 'worker' : undefined
  const users = createUsers(
    Array.from({ length: userCount }, (_, index) => `user${index + 1}`),
    (context) => context === serviceWorker,
  )
  const make = (as: string, kind: ContextKind): WorldContext =>
    createContext(as, kind, {
      clock,
      database,
      locks,
      channels,
      origin: url,
      options: { ...cache, rules: [...(cache.rules ?? []), ...rules] },
      versions,
      without,
      partition: () => users.signedIn() || undefined,
      chance,
      report: (error) => errors.push(error),
      transport: (input, init) => walk.carry(as, input, init),
    })
  const pages = Array.from({ length: tabs }, (_, index) => make(`tab ${index + 1}`, 'tab'))
  const helper = worker ? make('worker', serviceWorker ? 'service' : 'dedicated') : undefined

  const tell = (line: string) => {
    lines.push(`${clock.now()} ${line}`)
    if (lines.length > 1000) lines.shift()
  }
  const attempt = async (steps: number) => {
    const { broken, taken } = await walk.run(steps, leftOut)
    return { broken: [...broken, ...errors.splice(0).map((error) => `law 6: nobody caught ${error}`)], taken }
  }
  const post = (message: unknown) => channels.post(name, message)
  const walk = createWalk({
    contexts: helper ? [...pages, helper] : pages,
    origin,
    clock,
    database,
    seed: Math.floor(random() * 2 ** 32),
    post,
    tell,
    trouble: channels.trouble,
    users,
    serviceWorker,
    workers: helper ? [helper.name] : [],
    name,
    isEncrypted: cache.disk?.encrypt === true,
    hasTurns: !without.includes('locks'),
    hasChannel: !without.includes('channel'),
    patience: { lockMs: 5_000, softMs: 2_000, ...cache.deadlines },
  })
  return {
    tabs: pages,
    worker: helper,
    origin,
    clock,
    database,
    locks,
    trouble: channels.trouble,
    post,
    attempt,
    async run(steps) {
      const { broken, taken } = await attempt(steps)
      if (broken.length === 0) return
      const left = await shrink(taken, async (fewer) => {
        const again = await worldOf(options, fewer)
        return (await again.attempt(taken)).broken.length > 0
      })
      const shrunk = await worldOf(options, left)
      const { broken: still } = await shrunk.attempt(taken)
      throw new Error(
        [
          `Seed ${seed}, step ${taken}: ${broken.slice(0, 5).join('\n')}`,
          `With ${taken - left.size} of the ${taken} steps: ${still[0] ?? 'nothing is broken, so it is not the steps alone'}`,
          ...(still.length > 0 ? shrunk.trace() : lines.slice(-60)),
        ].join('\n'),
      )
    },
    trace: () => [...lines],
  }
}

/** Turns of the event loop in which everything but the disk comes to rest. */
const TURNS = 8
const POINTS = ['open', 'transaction', 'request', 'commit'] as const

/** Resolves when nothing goes on any more but what waits for time, or hangs: a disk is as slow as it is told to be, and no slower for having much to do. */
async function atRest(database: VirtualIndexedDb): Promise<void> {
  const done = () => POINTS.reduce((sum, point) => sum + database.count(point), 0)
  for (let before = -1; before !== done(); ) {
    before = done()
    await turnsOfTheLoop(TURNS)
    await database.settled()
  }
}
