import { afterEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import type { Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { idsOf, putOf, responseWith } from './builders.ts'

// FAULTS 4.1 in every engine: what happens to the database is real, and so are the errors. Nothing here is timed: what hangs does so until the test ends it.

const RELAXED = { durability: 'relaxed' } as const

/** A database of its own for each test; none is deleted at the end, since that would wait for connections of others. */
const freshName = () => `under fire ${crypto.randomUUID()}`

/** A slow machine is no failure, save where a store must give up. */
const PATIENT = 60_000
const IMPATIENT = 300

const storeOn = (name: string, deadlineMs = PATIENT): Store =>
  createIndexedDbStore({
    name,
    factory: indexedDB,
    keyRange: IDBKeyRange,
    clock: systemClock,
    random: Math.random,
    maxBytes: 1e7,
    maxEntryBytes: 1e6,
    inlineBytes: 1_000,
    deadlineMs,
    onNotice: () => {},
  })

const put = (store: Store, key: string, id: string, size = 10) =>
  store.update([['record', '', [key]]], () => [putOf([key], responseWith(id, size))], RELAXED)

const read = async (store: Store, key: string) => (await store.read([['record', '', [key]]])).record('', [key])

const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof Error || error instanceof DOMException ? error.name : String(error)),
  )

/** Resolves when the store can be written to again, which it tries now and then. */
const healed = (store: Store) => vi.waitFor(() => put(store, 'healed', 'healed'), { timeout: 50_000, interval: 100 })

/** A connection that knows nothing of others. */
const connect = (name: string, version?: number): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, version)
    opening.onupgradeneeded = () => {
      if (!opening.result.objectStoreNames.contains('nearcache')) opening.result.createObjectStore('nearcache')
    }
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })

const deletion = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(name)
    deleting.onsuccess = () => resolve()
    deleting.onerror = () => reject(deleting.error)
  })

/** One transaction by hand. */
async function byHand<T>(name: string, work: (objects: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await connect(name)
  const transaction = database.transaction('nearcache', 'readwrite')
  const request = work(transaction.objectStore('nearcache'))
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve
    transaction.onabort = () => reject(transaction.error)
  })
  database.close()
  return request.result
}

describe('a database that does not answer', () => {
  test('while someone who does not step aside blocks an upgrade or a deletion, operations end at their deadline; then it heals (F-05)', async () => {
    const name = freshName()
    const old = await connect(name, 1)
    const deleting = deletion(name)
    const store = storeOn(name, IMPATIENT)
    expect(await failure(read(store, 'k'))).toBe('TimeoutError')
    expect(await failure(put(store, 'k', 'lost'))).toBe('TimeoutError')
    old.close()
    await deleting
    await healed(store)
    // What was reported as failed was not done later.
    expect(await read(storeOn(name), 'k')).toBeUndefined()
  })

  test('while another one holds a transaction open, writes end at their deadline; then it heals (F-07, F-08)', async () => {
    const name = freshName()
    const store = storeOn(name, IMPATIENT)
    await healed(store)
    const other = await connect(name)
    let isHeld = true
    const held = new Promise((resolve) => {
      const transaction = other.transaction('nearcache', 'readwrite')
      transaction.oncomplete = resolve
      const objects = transaction.objectStore('nearcache')
      const spin = () => {
        if (isHeld) objects.get('nothing').onsuccess = spin
      }
      spin()
    })
    expect(await failure(put(store, 'k', 'lost'))).toBe('TimeoutError')
    isHeld = false
    await held
    other.close()
    await healed(store)
    expect(await read(storeOn(name), 'k')).toBeUndefined()
  })
})

describe('a database of a newer release (F-06)', () => {
  test('is left as it is, and used again when it is gone', async () => {
    const name = freshName()
    const newer = await connect(name, 3)
    newer.onversionchange = () => newer.close()
    newer.transaction('nearcache', 'readwrite').objectStore('nearcache').put('theirs', 'key')
    const store = storeOn(name, IMPATIENT)
    expect(await failure(read(store, 'k'))).toBe('VersionError')
    expect(await failure(put(store, 'k', 'a'))).toBe('VersionError')
    newer.close()
    const after = await connect(name)
    expect(after.version).toBe(3)
    after.close()
    expect(await byHand(name, (objects) => objects.get('key'))).toBe('theirs')
    await deletion(name)
    await healed(store)
  })
})

describe('a database that is lost', () => {
  test('deleted by someone else: the store steps aside, and begins a new life (F-12)', async () => {
    const name = freshName()
    const store = storeOn(name)
    await put(store, 'k', 'a')
    const before = (await store.read([])).log.incarnation
    await deletion(name)
    const { log, record } = await store.read([['record', '', ['k']]])
    expect(record('', ['k'])).toBeUndefined()
    expect(log.incarnation).not.toBe(before)
    await put(store, 'k', 'b')
    expect(idsOf(await read(storeOn(name), 'k'))).toEqual(['b'])
  })
})

describe('a purge that nobody remembers, and an answer from before it (F-59)', () => {
  test.each(['soft', 'hard'] as const)(
    'a %s purge, the database is lost and reborn, then the late answer comes: it is fresh for nobody',
    async (mode) => {
      const name = freshName()
      const asked: string[] = []
      let release = (_: unknown) => {}
      const held = new Promise((resolve) => {
        release = resolve
      })
      const fetch: typeof globalThis.fetch = async (input) => {
        const { pathname } = new URL(input instanceof Request ? input.url : input, 'http://origin')
        asked.push(pathname)
        const isLate = pathname === '/late' && asked.filter((path) => path === '/late').length === 1
        if (isLate) await held
        return Response.json({ isLate }, { headers: { 'cache-control': 'max-age=60' } })
      }
      const open = () => {
        const cache = createCache({ name, fetch, earlyExpiry: false, deadlines: { diskMs: PATIENT } })
        onTestFinished(() => cache.close())
        return cache
      }
      const page = open()
      await page.json('/first')
      await page.settled()
      const late = page.json('/late')
      await vi.waitFor(() => expect(asked).toContain('/late'))
      expect(await page.purge({ all: true }, { mode })).toMatchObject({ epoch: { number: 1 }, durable: true })
      await deletion(name)
      // Another one is the first in the new database, and counts from nothing.
      const other = open()
      await other.json('/other')
      await other.settled()
      release(undefined)
      expect(await late).toEqual({ isLate: true })
      await page.settled()

      const next = open()
      for (const one of [page, other, next]) expect(await one.json('/late')).toEqual({ isLate: false })
      expect(asked.filter((path) => path === '/late').length).toBeGreaterThan(1)
    },
  )
})

describe('damage (F-10, F-11, F-81)', () => {
  const place = ['record', '', ['k']]

  test('a record with another value in any one place is absent, and soon gone; the others stay', async () => {
    const name = freshName()
    const store = storeOn(name)
    await put(store, 'other', 'other')
    await put(store, 'k', 'a')
    const raw = await byHand(name, (objects) => objects.get(place))
    const { bytes } = raw
    for (const holder of [raw, bytes]) {
      // Of the bytes a hundred, from the first to the last.
      const keys =
        holder === raw
          ? Object.keys(raw)
          : Array.from({ length: 101 }, (_, at) => Math.floor((at * (bytes.length - 1)) / 100))
      for (const key of keys) {
        const value = holder[key]
        holder[key] = holder === raw ? null : value ^ 1
        await byHand(name, (objects) => objects.put(raw, place))
        holder[key] = value
        expect([key, await read(store, 'k')]).toEqual([key, undefined])
        // The removal goes before whatever is written next.
        await put(store, 'next', 'next')
        expect([key, await byHand(name, (objects) => objects.count(place))]).toEqual([key, 0])
      }
    }
    expect(idsOf(await read(store, 'other'))).toEqual(['other'])
  })

  test('a body that is gone takes its response along', async () => {
    const name = freshName()
    const store = storeOn(name)
    await put(store, 'k', 'apart', 100_000)
    await byHand(name, (objects) => objects.delete(['body', '', ['k'], 'apart']))
    expect((await store.read([['body', '', ['k'], 'apart']])).body('', ['k'], 'apart')).toBeUndefined()
    await put(store, 'next', 'next')
    expect(await byHand(name, (objects) => objects.count(place))).toBe(0)
  })

  test('DataCloneError: a record that cannot be written fails alone', async () => {
    const store = storeOn(freshName())
    const odd = putOf(['odd'], responseWith('odd', 10, { statusText: (() => {}) as unknown as string }))
    const writing = await Promise.all([
      failure(put(store, 'a', 'a')),
      failure(store.update([], () => [odd], RELAXED)),
      failure(put(store, 'b', 'b')),
    ])
    expect(writing).toEqual(['no failure', 'DataCloneError', 'no failure'])
  })
})

describe('where there is no IndexedDB (F-13)', () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
  afterEach(() => {
    if (own) Object.defineProperty(globalThis, 'indexedDB', own)
    else Reflect.deleteProperty(globalThis, 'indexedDB')
  })
  const refuse = () => {
    throw new DOMException('The operation is insecure', 'SecurityError')
  }

  test.each([
    ['it is undefined', () => undefined],
    ['its getter throws', refuse],
    ['open() throws', () => ({ open: refuse })],
  ])('%s: the same answers, from memory', async (_, get) => {
    Object.defineProperty(globalThis, 'indexedDB', { configurable: true, get })
    let asked = 0
    const fetch = async () => Response.json({ asked: ++asked }, { headers: { 'cache-control': 'max-age=60' } })
    const cache = createCache({ name: freshName(), fetch })
    expect(await cache.json('/a')).toEqual({ asked: 1 })
    expect(await cache.json('/a')).toEqual({ asked: 1 })
    expect(await cache.purge({ all: true }, { mode: 'hard' })).toMatchObject({ durable: false })
    expect(await cache.json('/a')).toEqual({ asked: 2 })
    await cache.close()
  })

  test('in a sandboxed frame, whose origin is opaque: the same answers, from memory', async () => {
    const frame = document.createElement('iframe')
    frame.setAttribute('sandbox', 'allow-scripts')
    frame.src = `${inject('origin')}/sandboxed`
    const told = new Promise<unknown>((resolve) => {
      const listen = ({ data, source }: MessageEvent) => {
        if (source !== frame.contentWindow) return
        removeEventListener('message', listen)
        resolve(data)
      }
      addEventListener('message', listen)
    })
    document.body.append(frame)
    onTestFinished(() => frame.remove())
    expect(await told).toEqual({
      origin: 'null',
      causes: ['miss', 'fresh', 'purged'],
      durable: false,
      errors: [],
    })
  })
})
