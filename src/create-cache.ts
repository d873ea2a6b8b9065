import type { NearCache } from './engine/api.ts'
import { type Core, earlyOf, type Settings } from './engine/core.ts'
import { createFlights } from './engine/flights.ts'
import { createJsonViews } from './engine/json-views.ts'
import { createKeyedListeners } from './engine/keyed-listeners.ts'
import type { LazyResponse } from './engine/lazy-response.ts'
import { concerns, createNearCache, type Listeners } from './engine/near-cache.ts'
import type { CacheOptions, Retry } from './engine/options.ts'
import { createPlace } from './engine/place.ts'
import { createReader } from './engine/presented.ts'
import { refill } from './engine/refill.ts'
import type { Session } from './engine/session.ts'
import { marked } from './engine/worker-mark.ts'
import { CacheError } from './errors.ts'
import type { EpochMs } from './http/message.ts'
import { createCounters } from './observe/counters.ts'
import { watchKeyCardinality } from './observe/key-cardinality.ts'
import { type Platform, platform } from './platform/platform.ts'
import { systemClock } from './platform/system-clock.ts'
import type { CacheEvent, EventSink } from './ports/event-sink.ts'
import type { CacheKey, Store, StoreNotice } from './ports/store.ts'
import type { Hint } from './ports/tabs.ts'
import type { Transport } from './ports/transport.ts'
import { createBackgroundQueue } from './resilience/background-queue.ts'
import { createCircuits } from './resilience/circuit.ts'
import { createStopwatch } from './resilience/stopwatch.ts'
import { createIndexedDbStore } from './stores/indexeddb.ts'
import { createLayeredStore } from './stores/layered.ts'
import { lazyStore } from './stores/lazy.ts'
import { createMemoryStore } from './stores/memory.ts'
import { isForeign } from './stores/stored-record.ts'
import { createTabs } from './tabs/tabs.ts'

const MIB = 2 ** 20

/** How far the wall clock may be set back before ages are no longer believed, in milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000

/** A failure of storage of one kind is told once in this time, in milliseconds. */
const QUIET_MS = 60_000

/** What is known of origins where nobody looks. */
const HEALTHY = { health: { isIll: () => false, admits: () => true } }
/** Where nobody says when the page has nothing to do, the disk is swept a little after it was used, in milliseconds. */
const IDLE_MS = 10_000

/** After everything in an order of dispatch. */
const LATEST = Number.MAX_SAFE_INTEGER

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
  readonly encryption?: typeof import('./stores/encrypted.ts')
}

/** A cache with what only the entry that wires it may do. */
export interface Wired {
  readonly cache: NearCache
  /** Looks at the database, and follows it; `false` when it could not be looked at. */
  look(): Promise<boolean>
  /** The engine of whoever it is now. */
  core(): Core
}

/** Wires the defaults: platform, stores, engine. Touches nothing outside until the first request. */
export const wireCache = (options: CacheOptions, wiring: Wiring): NearCache => wire(options, wiring).cache

export function wire(options: CacheOptions, wiring: Wiring): Wired {
  const { freeze, here = platform(), follows = false, encryption, LazyResponse } = wiring
  const clock = options.clock ?? systemClock
  const random = options.random ?? here.random
  const listeners: Listeners = { all: new Set(), keyed: createKeyedListeners(() => session.core.place) }
  const counters = createCounters()
  const working = new Set<Promise<unknown>>()

  /** @param about - the session that the event is about: when a listener ends it, the others hear no more of it */
  const tell = (told: Iterable<EventSink>, event: CacheEvent, about?: Session) => {
    for (const listener of [...told]) {
      if (about?.over) return
      try {
        listener(event)
      } catch (error) {
        here.report(error)
      }
    }
  }
  /** What concerns no request, and what concerns everyone. */
  const announce = (event: CacheEvent, about?: Session) => {
    if (listeners.all.size > 0) tell(listeners.all, event, about)
  }
  /** When a failure of storage of one kind was last told: a disk that is ill for long must not flood who listens. */
  const failures = new Map<string, EpochMs>()
  const onNotice = (notice: StoreNotice) => {
    // A key of a partition that was left meanwhile is nobody's business.
    if (notice.type === 'evicted' && isForeign(notice.partition, session.core.place.partition)) return
    if (notice.type === 'store-failed') {
      const kind = `${notice.operation} ${(notice.error as Partial<Error> | undefined)?.name}`
      const now = clock.now()
      if (Math.abs(now - (failures.get(kind) ?? Number.NEGATIVE_INFINITY)) < QUIET_MS) return
      failures.set(kind, now)
    }
    announce(notice)
  }
  const announceToEach = (event: CacheEvent) => {
    announce(event)
    tell(
      listeners.keyed.where(() => true),
      event,
    )
  }

  const { maxBytes = 32 * MIB, maxEntryBytes = maxBytes / 8 } = options.memory ?? {}
  const disk = { maxBytes: 50 * MIB, ...options.disk }
  const diskEntryBytes = disk.maxEntryBytes ?? disk.maxBytes / 8
  const durable = durableStore()
  const incarnation = token()
  const store = createLayeredStore({
    memory: createMemoryStore({ maxBytes, maxEntryBytes, incarnation, onNotice }),
    durable,
    incarnation,
    follows,
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
      if (stage === 'restored') store.doubt(clock.now())
      else session.core.background(store.look())
    },
  })
  const { earlyExpiry, deadlines = {} } = options
  const settings: Settings = {
    context: token(),
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

  /** Found late, since a page may replace it; when it was replaced by this very cache, the one before. */
  const fetchBefore = here.fetch()
  const transport: Transport = (input, init) => {
    const fetchNow = here.fetch()
    return (fetchNow === cache.fetch ? fetchBefore : fetchNow)(input, init)
  }
  /** What a worker may see says whose it is. */
  const send: Transport = (input, init) =>
    (options.fetch ?? transport)(here.isControlled() ? marked(input, init?.method) : input, init)

  const stopwatch = createStopwatch(clock, send)
  const circuits = createCircuits(
    { clock, random, tell: (news) => tabs.tell({ kind: 'health', news }) },
    options.circuit || {},
  )
  const { health } = options.circuit === false ? HEALTHY : circuits
  const again = options.retry ? retrying(options.retry) : stopwatch.transport
  const network = options.circuit === false ? again : circuits.watch(again)
  const queue = createBackgroundQueue({ isQuiet: here.isQuiet })

  let sequence = 0
  let latest = Number.NEGATIVE_INFINITY
  let looked = 0

  /** Everything that belongs to one partition. `undefined`: nobody's, since another context has entered another one. */
  function begin(partition: string | undefined): Session {
    const place = createPlace(options, partition ?? '', () => options.base ?? here.base(), here.origin)
    const views = createJsonViews(freeze)
    const cardinality = watchKeyCardinality(announce)

    const emit: Core['emit'] = (event, about) => {
      counters.sink(event)
      if (begun.over) return
      cardinality(event)
      if (about && 'key' in about && about.replaced && about.stored)
        views.settle(about.key, about.replaced, about.stored)
      announce(event, begun)
      if (!about || begun.over) return
      const concerned =
        'key' in about
          ? listeners.keyed.of(about.key)
          : listeners.keyed.where((presented) => concerns(about, presented, core))
      tell(concerned, event, begun)
    }
    const core: Core = {
      store: store.open(partition, (entered) => {
        end(begun)
        session = begin(follows ? entered : undefined)
        begun.next = session
        announceToEach({ type: 'partition-left' })
      }),
      transport: network,
      health,
      queue,
      random,
      place,
      flights: createFlights(),
      tabs,
      settings,
      now() {
        const now = clock.now()
        if (now === latest) return now
        const passed = clock.monotonic?.() ?? 0
        // By now it is at least so late, if nobody has set the wall clock.
        const expected = latest + Math.max(0, passed - looked)
        // Set back, the clock makes everything look younger than it is: from here on nothing stored before is believed.
        const isSetBack = now < expected - CLOCK_TOLERANCE_MS
        if (isSetBack) core.background(core.store.purge({ selector: { all: true }, mode: 'invalidate', at: now }))
        if (isSetBack || now > latest) {
          latest = now
          looked = passed
        }
        return now
      },
      sleep: (ms, signal) => clock.sleep(ms, signal),
      emit,
      background(work) {
        const tracked = work.catch(here.report).finally(() => working.delete(tracked))
        working.add(tracked)
      },
      nextSequence: () => ++sequence,
      elapsed: stopwatch.elapsed,
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

  function end(ended: Session): void {
    ended.over = new DOMException('The partition of this request was left', 'AbortError')
    ended.core.flights.close(ended.over)
  }

  /** What other contexts have told. It is only heard: what has become of it is read from the store. */
  function hear(hints: readonly Hint[]): void {
    const { core } = session
    store.hear(
      hints.filter((hint) => hint.kind === 'purged'),
      clock.now(),
    )
    if (hints.some(({ kind }) => kind === 'look')) core.background(store.look())
    for (const hint of hints) {
      if (hint.kind === 'health') circuits.hear(hint.news)
      if (hint.kind !== 'stored' || hint.partition !== core.place.partition) continue
      if (core.store.peek(hint.key) || listeners.keyed.of(hint.key).length > 0)
        core.background(takeOver(hint.key, core))
    }
  }

  /** What another context has stored is what is shown from now on. */
  async function takeOver(key: CacheKey, { store, emit }: Core): Promise<void> {
    const changed = await store.reread(key)
    if (!changed) return
    for (const one of changed.after) {
      const { url, body, responseTime } = one
      const former = changed.before.find((other) => other.body.id === body.id)
      // Its place in another context's order says nothing here: it knows of every write but those under way.
      const about = { key, replaced: former ? [former] : changed.before, stored: { ...one, sequence: LATEST } }
      if (!former) emit({ type: 'stored', url, bytes: body.size, elsewhere: true }, about)
      else if (former.responseTime < responseTime) emit({ type: 'freshened', url, elsewhere: true }, about)
    }
  }

  let session = begin(options.partition ?? '')

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
      announceToEach({ type: 'partition-entered' })
    }
    try {
      const removed = await store.enter()
      return { memoryBytes: isSame ? 0 : memoryBytes, ...(removed && { disk: removed }) }
    } catch (cause) {
      throw new CacheError(
        'storage',
        'What lies on disk of the partition that was left could not be removed. Nothing of it is used; call setPartition() again, or let the user clear the data of this site',
        { cause },
      )
    }
  }

  function durableStore(): Store | undefined {
    const { store: choice = 'auto', name = 'nearcache' } = options
    if (typeof choice === 'object') return choice
    const factory = here.databases()
    if (choice === 'memory' || !factory) return undefined
    const openStore = (onNotice: (notice: StoreNotice) => void) =>
      createIndexedDbStore({
        name,
        factory,
        keyRange: here.keyRange,
        clock,
        random,
        maxBytes: disk.maxBytes,
        maxEntryBytes: diskEntryBytes,
        idle: here.idle ?? (() => clock.sleep(IDLE_MS)),
        onNotice,
      })
    if (!options.disk?.encrypt) return openStore(onNotice)
    // Only who asks for it loads it.
    return lazyStore(async () => {
      const cipher = here.cipher()
      if (!cipher) throw new DOMException('disk.encrypt needs a secure context (https)', 'NotSupportedError')
      const { createKeyRing, encryptedStore, plainNotice } = encryption ?? (await import('./stores/encrypted.ts'))
      const store = openStore((notice) => onNotice(plainNotice(notice)))
      const keys = createKeyRing({ name, factory, clock, subtle: cipher.subtle })
      return encryptedStore(store, keys, { ...cipher, onNotice })
    })
  }

  /** Only who asks for it loads it; where it cannot be loaded there is one attempt, as without it. */
  function retrying(limits: Exclude<Retry, false>): Transport {
    let loading: Promise<Transport> | undefined
    return async (input, init) => {
      loading ??= import('./resilience/retry.ts').then(
        ({ withRetry }) => withRetry(stopwatch.transport, { clock, random, isIll: health.isIll }, limits),
        () => stopwatch.transport,
      )
      return (await loading)(input, init)
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
