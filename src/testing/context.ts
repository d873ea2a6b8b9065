import { wire } from '../create-cache.ts'
import type { NearCache } from '../engine/api.ts'
import type { CacheOptions } from '../engine/options.ts'
import type { Ms } from '../http/message.ts'
import type { Platform } from '../platform/platform.ts'
import type { Clock } from '../ports/clock.ts'
import type { Stage } from '../ports/lifecycle.ts'
import type { Random } from '../ports/random.ts'
import type { Store } from '../ports/store.ts'
import type { Transport } from '../ports/transport.ts'
import * as encryption from '../stores/encrypted.ts'
import { deepFreeze } from '../validate/deep-freeze.ts'
import { durableStore } from '../wiring/durable-store.ts'
import { laterChannel, laterDatabase } from './later-version.ts'
import { fetchedResponse } from './scripted-response.ts'
import type { VirtualChannels } from './virtual-channel.ts'
import { virtualCipher } from './virtual-cipher.ts'
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
  /** Whether its user looks at it. One that nobody looks at runs, but does nothing that nobody waits for. */
  readonly isVisible: boolean
  /** Another tab is shown in its place. */
  cover(): void
  /** It is shown again, and told so. */
  show(): void
}

/** What it is: a page, or a worker with a cache as a page has one (`dedicated`), or as a service worker has one (`service`). */
export type ContextKind = 'tab' | 'dedicated' | 'service'

/** What a browser may lack. */
export type Lacking = 'locks' | 'channel'

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
  readonly without: readonly Lacking[]
  /** Whose the cache of a new life is from the start: the partition. */
  partition(): string | undefined
  /** Chance for each life of each context. */
  chance(): Random
  report(error: unknown): void
}

/** When a context has nothing to do, in milliseconds after it had. */
const IDLE_MS: Ms = 10_000

/** One life of a context: everything that reaches it or leaves it goes by its gate. */
interface Life {
  readonly cache: NearCache
  readonly gate: ReturnType<typeof createGate>
  readonly version: WorldContext['version']
  stage(stage: Stage): void
  end(): void
}

export function createContext(name: string, kind: ContextKind, shared: Shared): WorldContext {
  let isVisible = true
  let life = begin(kind, shared, () => isVisible)
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
      life = begin(kind, shared, () => isVisible)
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
    get isVisible() {
      return isVisible
    },
    cover() {
      isVisible = false
    },
    show() {
      if (isVisible) return
      isVisible = true
      if (state === 'running') life.stage('shown')
    },
  }
}

function begin(kind: ContextKind, shared: Shared, isVisible: () => boolean): Life {
  const { clock, database, locks, channels, transport, origin, options, versions, without, chance, report } = shared
  const self = {}
  const gate = createGate()
  const random = chance()
  const isLater = versions === 2 && random() < 0.5
  const openChannel = channels.of(self, gate.deliver)
  const connections = new Set<IDBDatabase>()
  const factory = ownFactory(database.factory, (connection) => {
    if (isLater) laterDatabase(connection)
    if (gate.isDead()) connection.close()
    else connections.add(connection)
  })
  const cipher = virtualCipher(random)
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
    databases: () => factory,
    keyRange: database.keyRange,
    cipher: () => cipher,
    idle: undefined,
    workers: () => undefined,
    isControlled: () => false,
    isQuiet: () => kind === 'tab' && !isVisible(),
    isOnline: () => true,
    openChannel: without.includes('channel') ? () => undefined : isLater ? laterChannel(openChannel) : openChannel,
    locks: () => (without.includes('locks') ? undefined : locks.of(self, gate.deliver)),
    watchLifecycle(listener) {
      // Nobody tells a worker.
      if (kind !== 'tab') return () => {}
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    report,
  }
  const { maxBytes = 50 * 2 ** 20, maxEntryBytes = maxBytes / 8 } = options.disk ?? {}
  const store = durableStore(options, {
    here,
    idle: (signal) => gatedClock.sleep(IDLE_MS, signal),
    clock: gatedClock,
    random,
    maxBytes,
    maxEntryBytes,
    encryption,
    onNotice() {},
  })
  const partition = kind === 'service' ? undefined : (shared.partition() ?? options.partition)
  const { cache, look } = wire(
    {
      ...options,
      ...(partition !== undefined && { partition }),
      ...(store && { store: gatedStore(store, gate) }),
      clock: gatedClock,
      random,
      fetch: gatedFetch,
    },
    { freeze: deepFreeze, here, follows: kind === 'service' },
  )
  return {
    cache: kind === 'service' ? following(cache, look, gatedFetch, gatedClock) : cache,
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

/** How long a service worker waits for the database before it asks the network, in milliseconds. */
const LOOK_MS: Ms = 50

/** As a service worker answers a page: it looks first whose the database is, and does without what is stored where it cannot tell. */
function following(cache: NearCache, look: () => Promise<boolean>, transport: Transport, clock: Clock): NearCache {
  const fetch: NearCache['fetch'] = async (input, init) => {
    const looking = look()
    const late = new AbortController()
    const isLate = clock.sleep(LOOK_MS, late.signal).then(() => undefined)
    const isKnown = await Promise.race([looking, isLate.catch(() => undefined)])
    late.abort()
    if (isKnown) return cache.fetch(input, init)
    const response = await transport(input, init).catch(() => undefined)
    if (response) return response
    return (await looking) ? cache.fetch(input, init) : transport(input, init)
  }
  return { ...cache, fetch }
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
    enter: (partition, at) => gate.pass((store.enter as NonNullable<Store['enter']>)(partition, at)),
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
