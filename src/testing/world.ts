import type { CacheOptions } from '../engine/options.ts'
import { createContext, type WorldContext } from './context.ts'
import { type ScriptedOrigin, scriptedOrigin } from './scripted-origin.ts'
import { seededRandom } from './seeded-random.ts'
import { type ChannelTrouble, type VirtualChannels, virtualChannels } from './virtual-channel.ts'
import { type VirtualClock, virtualClock } from './virtual-clock.ts'
import { type VirtualIndexedDb, virtualIndexedDB } from './virtual-indexed-db.ts'
import { type VirtualLocks, virtualLocks } from './virtual-locks.ts'
import { createWalk } from './world-walk.ts'

export interface WorldOptions {
  /** Where all chance comes from: the same seed, the same world and the same trace. @default 1 */
  readonly seed?: number
  /** How many tabs. @default 2 */
  readonly tabs?: number
  /** Whether there is a worker beside them. @default false */
  readonly worker?: boolean
  /** For the caches of all of them; time, chance, storage and network are the world's. */
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
   * @throws Error when a law of the design was broken, with the seed and the last steps
   */
  run(steps: number): Promise<void>
  /** What has happened, a line each: the last 1,000. */
  trace(): string[]
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
export async function createWorld({
  seed = 1,
  tabs = 2,
  worker = false,
  cache = {},
}: WorldOptions = {}): Promise<World> {
  const random = seededRandom(seed)
  const chance = () => seededRandom(Math.floor(random() * 2 ** 32))
  const clock = virtualClock()
  const url = 'https://origin.test'
  const origin = scriptedOrigin({ clock, url, page: `${url}/page` })
  const database = await virtualIndexedDB()
  const locks = virtualLocks()
  const channels: VirtualChannels = virtualChannels({ clock, random: chance() })
  const lines: string[] = []
  const errors: unknown[] = []
  const name = cache.name ?? 'nearcache'
  const make = (as: string): WorldContext =>
    createContext(as, {
      clock,
      database,
      locks,
      channels,
      origin: url,
      options: cache,
      chance,
      report: (error) => errors.push(error),
      transport: (input, init) => walk.carry(as, input, init),
    })
  const pages = Array.from({ length: tabs }, (_, index) => make(`tab ${index + 1}`))
  const helper = worker ? make('worker') : undefined

  const tell = (line: string) => {
    lines.push(`${clock.now()} ${line}`)
    if (lines.length > 1000) lines.shift()
  }
  const post = (message: unknown) => channels.post(name, message)
  const walk = createWalk({
    contexts: helper ? [...pages, helper] : pages,
    origin,
    clock,
    database,
    random: chance(),
    post,
    tell,
    trouble: channels.trouble,
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
    async run(steps) {
      const broken = [...(await walk.run(steps)), ...errors.map((error) => `law 6: nobody caught ${error}`)]
      if (broken.length > 0)
        throw new Error(
          `Seed ${seed}: ${broken.slice(0, 5).join('\n')}\n\nThe last steps:\n${lines.slice(-60).join('\n')}`,
        )
    },
    trace: () => [...lines],
  }
}
