import type { NearCache } from './engine/api.ts'
import { type Core, earlyOf, type Settings, WORKER } from './engine/core.ts'
import { createFlights } from './engine/flights.ts'
import { createJsonViews } from './engine/json-views.ts'
import type { LazyResponse } from './engine/lazy-response.ts'
import { createListeners } from './engine/listeners.ts'
import { concerns } from './engine/log-selector.ts'
import { createNearCache } from './engine/near-cache.ts'
import type { CacheOptions } from './engine/options.ts'
import { createPlace } from './engine/place.ts'
import { createReader } from './engine/presented.ts'
import { refill } from './engine/refill.ts'
import { end, type Session } from './engine/session.ts'
import { createSharedDeadline } from './engine/shared-deadline.ts'
import { takeOver } from './engine/take-over.ts'
import { watchedNow } from './engine/watched-now.ts'
import { CacheError } from './errors.ts'
import { createCounters } from './observe/counters.ts'
import { watchKeyCardinality } from './observe/key-cardinality.ts'
import { quietNotices } from './observe/quiet-notices.ts'
import { type Platform, platform } from './platform/platform.ts'
import { systemClock } from './platform/system-clock.ts'
import type { Idle } from './ports/idle.ts'
import type { Hint } from './ports/tabs.ts'
import { createBackgroundQueue } from './resilience/background-queue.ts'
import { createLayeredStore } from './stores/layered.ts'
import { createMemoryStore } from './stores/memory.ts'
import { isForeign } from './stores/stored-record.ts'
import { createTabs } from './tabs/tabs.ts'
import { durableStore, type Encryption } from './wiring/durable-store.ts'
import { createNetwork } from './wiring/network.ts'

const MIB = 2 ** 20

/** Where nobody says when the page has nothing to do, memory and disk are swept a little after they were used, in milliseconds. */
const IDLE_MS = 10_000

/** What an entry adds to the options. */
export interface Wiring {
  /** Makes parsed data read-only. */
  freeze<T>(data: T): T
  /** Where it runs; by default where it does. */
  readonly here?: Platform
  /** Whether the cache is that of whichever partition the database belongs to, as a service worker's is. */
  readonly follows?: boolean
  /** What the answers are, where they need not be whole before somebody looks. */
  readonly LazyResponse?: typeof LazyResponse | undefined
  /** What encrypts, for where nothing can be loaded when it is asked for: a service worker has no `import()`. */
  readonly encryption?: Encryption
}

/** A cache with what only the entry that wires it may do. */
export interface Wired {
  readonly cache: NearCache
  /** Looks at the database, and follows it; `false` when it could not be looked at. */
  look(): Promise<boolean>
  /** The engine of whoever it is now. */
  core(): Core
}

/** Wires the defaults: platform, stores, engine. Touches nothing outside until the first request, but its own database, which begins to open. */
export const wireCache = (options: CacheOptions, wiring: Wiring): NearCache => wire(options, wiring).cache

export function wire(options: CacheOptions, wiring: Wiring): Wired {
  const { freeze, here = platform(), follows = false, encryption, LazyResponse } = wiring
  const clock = options.clock ?? systemClock
  const random = options.random ?? here.random
  const listeners = createListeners(() => session.core.place, here.report)
  const counters = createCounters()
  const working = new Set<Promise<unknown>>()
  const onNotice = quietNotices(clock, (notice) => {
    // A key of a partition that was left meanwhile is nobody's business.
    if (notice.type === 'evicted' && isForeign(notice.partition, session.core.place.partition)) return
    listeners.announce(notice)
  })

  const { maxBytes = 32 * MIB, maxEntryBytes = maxBytes / 8 } = options.memory ?? {}
  const disk = { maxBytes: 50 * MIB, ...options.disk }
  const diskEntryBytes = disk.maxEntryBytes ?? disk.maxBytes / 8
  const idle: Idle = here.idle ?? ((signal) => clock.sleep(IDLE_MS, signal))
  const durable = durableStore(options, {
    here,
    idle,
    clock,
    random,
    maxBytes: disk.maxBytes,
    maxEntryBytes: diskEntryBytes,
    encryption,
    onNotice,
  })
  const incarnation = token()
  const store = createLayeredStore({
    memory: createMemoryStore({ maxBytes, maxEntryBytes, incarnation, onNotice }),
    durable,
    incarnation,
    follows,
    idle,
    sleep: clock.sleep,
    onNotice,
    tell: (hint) => tabs.tell(hint),
    onPurged({ selector, mode }, spreadMs) {
      const mine = session
      const { core } = mine
      const { incarnation, last } = core.store.log()
      // Which URLs is nobody's business who is in another partition by now.
      const event = { type: 'purged', mode, epoch: { incarnation, number: last }, elsewhere: true } as const
      core.emit(spreadMs === undefined ? event : { ...event, spreadMs }, selector)
      if (spreadMs === undefined) return
      const looked = listeners.keyed.requests((one) => concerns(selector, one, core))
      refill(looked, spreadMs, core, () => mine.over !== undefined || mine.isOutside)
    },
  })
  const tabs = createTabs({
    name: options.name ?? 'nearcache',
    locks: here.locks(),
    lockMs: options.deadlines?.lockMs ?? 5_000,
    clock,
    openChannel: here.openChannel,
    watchLifecycle: here.watchLifecycle,
    hear,
    missed(stage) {
      const { core } = session
      if (stage === 'shown') return core.background(store.look())
      store.doubt(clock.now())
      // What is looked at may have been stored anew while nothing was heard.
      for (const { key } of listeners.keyed.requests(() => true)) core.background(takeOver(key, core))
    },
  })
  const { earlyExpiry, deadlines = {} } = options
  const settings: Settings = {
    context: (follows ? WORKER : '') + token(),
    softMs: deadlines.softMs ?? 2_000,
    hardMs: deadlines.hardMs ?? Number.POSITIVE_INFINITY,
    diskMs: deadlines.diskMs ?? 50,
    early: earlyOf(earlyExpiry),
    cacheStatus: options.cacheStatus ?? true,
    maxEntryBytes: Math.max(maxEntryBytes, durable ? diskEntryBytes : 0),
    browserCache: here.browserCache,
    follows,
    durable: durable !== undefined,
    implied: here.impliedFields,
    tagField: options.tagField?.toLowerCase(),
    freeze,
    LazyResponse,
  }

  const network = createNetwork(options, {
    here,
    clock,
    random,
    tell: (news) => tabs.tell({ kind: 'health', news }),
    isOwn: (fetch) => fetch === cache.fetch,
  })
  const queue = createBackgroundQueue({ isQuiet: here.isQuiet })

  const isInTime = createSharedDeadline(settings.diskMs, clock)
  let sequence = 0
  // What was stored before is not believed from then on.
  const now = watchedNow(clock, (at) =>
    session.core.background(session.core.store.purge({ selector: { all: true }, mode: 'invalidate', at })),
  )

  /** Everything that belongs to one partition. `undefined`: nobody's, since another context has entered another one. */
  function begin(partition: string | undefined): Session {
    const place = createPlace(options, partition ?? '', () => options.base ?? here.base(), here.origin)
    const views = createJsonViews(freeze)
    const cardinality = watchKeyCardinality(listeners.announce)

    const emit: Core['emit'] = (event, about) => {
      counters.sink(event)
      if (begun.over) return
      cardinality(event)
      if (about && 'key' in about && about.replaced && about.stored)
        views.settle(about.key, about.replaced, about.stored)
      listeners.announce(event, begun)
      if (!about || begun.over) return
      const concerned =
        'key' in about
          ? listeners.keyed.of(about.key)
          : listeners.keyed.where((presented) => concerns(about, presented, core))
      listeners.tell(concerned, event, begun)
    }
    const core: Core = {
      store: store.open(partition, (entered) => {
        end(begun)
        session = begin(follows ? entered : undefined)
        begun.next = session
        listeners.announceToEach({ type: 'partition-left' })
      }),
      transport: network.transport,
      health: network.health,
      queue,
      random,
      place,
      flights: createFlights(),
      tabs,
      settings,
      now,
      sleep: (ms, signal) => clock.sleep(ms, signal),
      isInTime,
      emit,
      background(work) {
        const tracked = work.catch(here.report).finally(() => working.delete(tracked))
        working.add(tracked)
      },
      nextSequence: () => ++sequence,
      elapsed: network.elapsed,
      write(begun) {
        const end = views.write(begun)
        return () => end(++sequence)
      },
    }
    const read = createReader(place)
    const begun: Session = {
      core,
      views,
      read(input, init) {
        tabs.join()
        return read(input, init)
      },
      isOutside: partition === undefined,
    }
    return begun
  }

  /** What other contexts have told. It is only heard: what has become of it is read from the store. */
  function hear(hints: readonly Hint[]): void {
    const { core } = session
    store.hear(
      hints.filter((hint) => hint.kind === 'purged'),
      clock.now(),
    )
    for (const hint of hints) {
      if (hint.kind === 'look') core.background(store.heedEntered(hint, clock.now()))
      if (hint.kind === 'health') network.hear(hint.news)
      if (hint.kind !== 'stored' || hint.partition !== core.place.partition) continue
      if (core.store.peek(hint.key) || listeners.keyed.of(hint.key).length > 0)
        core.background(takeOver(hint.key, core))
    }
  }

  let session = begin(options.partition ?? '')
  // Whoever is made for later has the database, whoever is used first.
  if (options.partition) session.core.background(store.enter(clock.now()).catch(() => {}))

  const setPartition: NearCache['setPartition'] = async (partition = '') => {
    if (typeof partition !== 'string')
      throw new CacheError('option', `setPartition() takes a string or undefined, not ${String(partition)}`, {
        path: 'partition',
      })
    const memoryBytes = session.core.store.memoryBytes()
    // Without a name there may be responses to credentials in memory, and another session's partition on disk.
    const isSame = partition !== '' && !session.isOutside && session.core.place.partition === partition
    if (!isSame) {
      end(session)
      session = begin(partition)
      listeners.announceToEach({ type: 'partition-entered' })
    }
    try {
      const removed = await store.enter(clock.now())
      return { memoryBytes: isSame ? 0 : memoryBytes, ...(removed && { disk: removed }) }
    } catch (cause) {
      throw new CacheError(
        'storage',
        'What lies on disk of the partition that was left could not be removed. Nothing of it is used; call setPartition() again, or let the user clear the data of this site',
        { cause },
      )
    }
  }

  function token(): string {
    return [0, 0].map(() => Math.floor(random() * 2 ** 32).toString(36)).join('')
  }

  async function settled(): Promise<void> {
    while (working.size > 0) await Promise.allSettled(working)
  }

  const cache = createNearCache(() => session, {
    listeners,
    setPartition,
    stats: counters.stats,
    settled,
    leaveTabs: tabs.close,
  })
  return { cache, look: store.look, core: () => session.core }
}
