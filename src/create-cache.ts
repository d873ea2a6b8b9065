import type { NearCache } from './engine/api.ts'
import type { Core, Settings } from './engine/core.ts'
import { createFlights } from './engine/flights.ts'
import { createJsonViews } from './engine/json-views.ts'
import { createKeyedListeners } from './engine/keyed-listeners.ts'
import { concerns, createNearCache, type Listeners, type Session } from './engine/near-cache.ts'
import type { CacheOptions } from './engine/options.ts'
import { createPlace } from './engine/place.ts'
import { createReader } from './engine/presented.ts'
import { CacheError } from './errors.ts'
import type { EpochMs } from './http/message.ts'
import { createCounters } from './observe/counters.ts'
import { watchKeyCardinality } from './observe/key-cardinality.ts'
import { platform } from './platform/platform.ts'
import { systemClock } from './platform/system-clock.ts'
import type { CacheEvent, EventSink } from './ports/event-sink.ts'
import type { Store, StoreNotice } from './ports/store.ts'
import type { Transport } from './ports/transport.ts'
import { createIndexedDbStore } from './stores/indexeddb.ts'
import { createLayeredStore } from './stores/layered.ts'
import { lazyStore } from './stores/lazy.ts'
import { createMemoryStore } from './stores/memory.ts'
import { isForeign } from './stores/stored-record.ts'

const MIB = 2 ** 20

/** How far the wall clock may be set back before ages are no longer believed, in milliseconds. */
const CLOCK_TOLERANCE_MS = 5_000

/** A failure of storage of one kind is told once in this time, in milliseconds. */
const QUIET_MS = 60_000

/** What an entry adds to the options. */
export interface Wiring {
  /** Makes parsed data read-only. */
  freeze<T>(data: T): T
}

/** Wires the defaults: platform, stores, engine. Touches nothing outside until the first request. */
export function wireCache(options: CacheOptions, { freeze }: Wiring): NearCache {
  const here = platform()
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
  const announce = (event: CacheEvent, about?: Session) => tell(listeners.all, event, about)
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
    onNotice,
  })
  const { earlyExpiry, deadlines = {} } = options
  const settings: Settings = {
    context: token(),
    softMs: deadlines.softMs ?? 2_000,
    hardMs: deadlines.hardMs ?? Number.POSITIVE_INFINITY,
    diskMs: deadlines.diskMs ?? 50,
    beta: earlyExpiry === false ? 0 : (earlyExpiry?.beta ?? 1),
    cacheStatus: options.cacheStatus ?? true,
    maxEntryBytes: Math.max(maxEntryBytes, durable ? diskEntryBytes : 0),
    browserCache: here.browserCache,
    durable: durable !== undefined,
    implied: here.impliedFields,
    freeze,
  }

  /** Found late, since a page may replace it; when it was replaced by this very cache, the one before. */
  const fetchBefore = here.fetch()
  const transport: Transport = (input, init) => {
    const fetchNow = here.fetch()
    return (fetchNow === cache.fetch ? fetchBefore : fetchNow)(input, init)
  }

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
      store: store.open(partition, () => {
        end(begun)
        session = begin(undefined)
        begun.next = session
        announceToEach({ type: 'partition-left' })
      }),
      transport: options.fetch ?? transport,
      random,
      place,
      flights: createFlights(),
      settings,
      now() {
        const now = clock.now()
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
      write(begun) {
        const end = views.write(begun)
        return () => end(++sequence)
      },
    }
    const begun: Session = { core, views, read: createReader(place), isOutside: partition === undefined }
    return begun
  }

  function end(ended: Session): void {
    ended.over = new DOMException('The partition of this request was left', 'AbortError')
    ended.core.flights.close(ended.over)
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
        onNotice,
      })
    if (!options.disk?.encrypt) return openStore(onNotice)
    // Only who asks for it loads it.
    return lazyStore(async () => {
      const cipher = here.cipher()
      if (!cipher) throw new DOMException('disk.encrypt needs a secure context (https)', 'NotSupportedError')
      const { createKeyRing, encryptedStore, plainNotice } = await import('./stores/encrypted.ts')
      const store = openStore((notice) => onNotice(plainNotice(notice)))
      const keys = createKeyRing({ name, factory, clock, subtle: cipher.subtle })
      return encryptedStore(store, keys, { ...cipher, onNotice })
    })
  }

  function token(): string {
    return [0, 0].map(() => Math.floor(random() * 2 ** 32).toString(36)).join('')
  }

  async function settled(): Promise<void> {
    while (working.size > 0) await Promise.allSettled(working)
  }

  const cache = createNearCache(() => session, { listeners, setPartition, stats: counters.stats, settled })
  return cache
}
