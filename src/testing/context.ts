import { wireCache } from '../create-cache.ts'
import type { NearCache } from '../engine/api.ts'
import type { CacheOptions } from '../engine/options.ts'
import type { Platform } from '../platform/platform.ts'
import type { Clock } from '../ports/clock.ts'
import type { Stage } from '../ports/lifecycle.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'
import { createIndexedDbStore } from '../stores/indexeddb.ts'
import { deepFreeze } from '../validate/deep-freeze.ts'
import { laterChannel, laterDatabase } from './later-version.ts'
import { fetchedResponse } from './scripted-response.ts'
import type { VirtualChannels } from './virtual-channel.ts'
import type { VirtualIndexedDb } from './virtual-indexed-db.ts'
import type { Deliver, VirtualLocks } from './virtual-locks.ts'

/** A tab or a worker: a cache of its own in a process of its own. */
export interface WorldContext {
  /** As `tab 1` or `worker`. */
  readonly name: string
  /** The cache that runs there now: another one after `reload()`. */
  readonly cache: NearCache
  /** `running`; `frozen`: nothing of it goes on; `hidden`: in the back/forward cache; `dead`. */
  readonly state: 'running' | 'frozen' | 'hidden' | 'dead'
  /** Which version of the library runs there now: this one, or one that writes and tells in a format of its own (see `versions` of a world). */
  readonly version: 'this' | 'later'
  /** Its process ends at once: what it holds is free, its transactions are rolled back, its requests are aborted, and none of its promises settles any more. */
  kill(): void
  /** Ends it and starts anew, with empty memory. */
  reload(): void
  /** Stops it without a word, as an operating system does. Messages wait. */
  freeze(): void
  /** Into the back/forward cache: it is told, and then stopped. Messages are lost. */
  hide(): void
  /** Lets it go on: after `hide()` it is told first. */
  thaw(): void
}

/** What all contexts of a world share. */
export interface Shared {
  readonly clock: Clock
  readonly database: VirtualIndexedDb
  readonly locks: VirtualLocks
  readonly channels: VirtualChannels
  readonly transport: Transport
  readonly origin: string
  readonly options: CacheOptions
  readonly versions: 1 | 2
  /** Chance for each life of each context. */
  chance(): Random
  report(error: unknown): void
}

/** One life of a context: everything that reaches it or leaves it goes by its gate. */
interface Life {
  readonly cache: NearCache
  readonly gate: ReturnType<typeof createGate>
  readonly version: WorldContext['version']
  stage(stage: Stage): void
  end(): void
}

export function createContext(name: string, shared: Shared): WorldContext {
  let life = begin(shared)
  let state: WorldContext['state'] = 'running'

  function kill(): void {
    if (state === 'dead') return
    state = 'dead'
    life.end()
  }

  return {
    name,
    get cache() {
      return life.cache
    },
    get state() {
      return state
    },
    get version() {
      return life.version
    },
    kill,
    reload() {
      kill()
      life = begin(shared)
      state = 'running'
    },
    freeze() {
      if (state !== 'running') return
      state = 'frozen'
      life.gate.shut()
    },
    hide() {
      if (state !== 'running') return
      life.stage('hidden')
      state = 'hidden'
      life.gate.shut()
    },
    thaw() {
      if (state !== 'frozen' && state !== 'hidden') return
      if (state === 'hidden') life.stage('restored')
      state = 'running'
      life.gate.open()
    },
  }
}

function begin({
  clock,
  database,
  locks,
  channels,
  transport,
  origin,
  options,
  versions,
  chance,
  report,
}: Shared): Life {
  const self = {}
  const gate = createGate()
  const random = chance()
  const isLater = versions === 2 && random() < 0.5
  const openChannel = channels.of(self, gate.deliver)
  const connections = new Set<IDBDatabase>()
  const ending = new AbortController()
  const listeners = new Set<(stage: Stage) => void>()

  const gatedClock: Clock = {
    now: clock.now,
    ...(clock.monotonic && { monotonic: clock.monotonic }),
    sleep: (ms, signal) => gate.pass(clock.sleep(ms, signal)),
  }
  const gatedFetch: Transport = async (input, init) => {
    const given = init?.signal
    const signal = given ? AbortSignal.any([given, ending.signal]) : ending.signal
    const response = await gate.pass(transport(input, { ...init, signal }))
    const { body, headers } = response
    return fetchedResponse(body && gatedStream(body, gate), headers, response)
  }
  const here: Platform = {
    fetch: () => gatedFetch,
    random,
    base: () => `${origin}/`,
    origin,
    browserCache: true,
    impliedFields: [],
    databases: () => undefined,
    keyRange: database.keyRange,
    cipher: () => undefined,
    idle: undefined,
    workers: () => undefined,
    isControlled: () => false,
    isQuiet: () => false,
    isOnline: () => true,
    openChannel: isLater ? laterChannel(openChannel) : openChannel,
    locks: () => locks.of(self, gate.deliver),
    watchLifecycle(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    report,
  }
  const { disk: { maxBytes = 50 * 2 ** 20, maxEntryBytes = maxBytes / 8 } = {}, name = 'nearcache' } = options
  const store = createIndexedDbStore({
    name,
    factory: ownFactory(database.factory, (connection) => {
      if (isLater) laterDatabase(connection)
      if (gate.isDead()) connection.close()
      else connections.add(connection)
    }),
    keyRange: database.keyRange,
    clock: gatedClock,
    random,
    maxBytes,
    maxEntryBytes,
    onNotice() {},
  })
  return {
    cache: wireCache(
      { ...options, store: gatedStore(store, gate), clock: gatedClock, random, fetch: gatedFetch },
      { freeze: deepFreeze, here },
    ),
    gate,
    version: isLater ? 'later' : 'this',
    stage(stage) {
      for (const listener of [...listeners]) listener(stage)
    },
    end() {
      gate.die()
      channels.drop(self)
      ending.abort(new DOMException('The process of this context has ended', 'AbortError'))
      for (const connection of connections) database.closeByForce(connection)
      locks.drop(self)
    },
  }
}

/** What comes to a context: at once, when it can run again, or never. */
function createGate() {
  let waiting: Array<() => void> | undefined
  let isDead = false
  const deliver: Deliver = (task) => {
    if (isDead) return
    if (waiting) waiting.push(task)
    else task()
  }
  return {
    deliver,
    pass: <T>(work: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        work.then(
          (value) => deliver(() => resolve(value)),
          (error: unknown) => deliver(() => reject(error)),
        )
      }),
    shut() {
      waiting ??= []
    },
    open() {
      const tasks = waiting ?? []
      waiting = undefined
      for (const task of tasks) deliver(task)
    },
    die() {
      isDead = true
      waiting = undefined
    },
    isDead: () => isDead,
  }
}

type Gate = ReturnType<typeof createGate>

const gatedStore = (store: Store, gate: Gate): Store => ({
  read: (keys) => gate.pass(store.read(keys)),
  update: (keys, change, options) => gate.pass(store.update(keys, change, options)),
  ...(store.enter && {
    enter: (partition: string) => gate.pass((store.enter as NonNullable<Store['enter']>)(partition)),
  }),
  close: async () => gate.pass((async () => store.close?.())()),
})

function gatedStream(body: ReadableStream<Uint8Array>, gate: Gate): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await gate.pass(reader.read())
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/** The factory as one context has it: its connections are known, so that they can end with it. */
function ownFactory(factory: IDBFactory, onConnection: (connection: IDBDatabase) => void): IDBFactory {
  const own: Pick<IDBFactory, 'open'> = {
    open(...given) {
      const request = factory.open(...given)
      request.addEventListener('success', () => onConnection(request.result))
      return request
    },
  }
  return own as IDBFactory
}
