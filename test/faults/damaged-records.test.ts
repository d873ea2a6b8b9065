import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoredResponse } from '../../src/http/message.ts'
import type { Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { seededRandom, type VirtualIndexedDb, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { idsOf, putOf, recordOf, responseWith } from '../stores/builders.ts'
import { byHand, profile, rowsOf } from './database-harness.ts'

// FAULTS F-10, F-11, F-81; STANDARDS DB-9: what lies on disk may be damaged, of another version, or written by someone else. Then it is absent, and soon gone.

const RELAXED = { durability: 'relaxed' } as const
const OTHER = responseWith('other', 30)

/** A store whose bodies above 20 bytes lie apart, with one record beside what a test damages. */
async function storeBesideOther() {
  const database = await virtualIndexedDB()
  const another = (seed: number) =>
    createIndexedDbStore({
      name: 'nearcache',
      factory: database.factory,
      keyRange: database.keyRange,
      clock: virtualClock(),
      random: seededRandom(seed),
      maxBytes: 1e6,
      maxEntryBytes: 1e5,
      inlineBytes: 20,
      onNotice: () => {},
    })
  const store = another(1)
  await put(store, 'other', OTHER)
  return { store, database, another }
}

const put = (store: Store, key: string, ...responses: StoredResponse[]) =>
  store.update([['record', '', [key]]], () => [putOf([key], ...responses)], RELAXED)

const read = async (store: Store, key: string) => (await store.read([['record', '', [key]]])).record('', [key])

const readBody = async (store: Store, key: string, id: string) =>
  (await store.read([['body', '', [key], id]])).body('', [key], id)

const overwrite = ({ factory }: VirtualIndexedDb, key: IDBValidKey, value: unknown) =>
  byHand(factory, 'nearcache', 'readwrite', (objects) => {
    objects.put(value, key)
    return () => undefined
  })

const remove = ({ factory }: VirtualIndexedDb, key: IDBValidKey) =>
  byHand(factory, 'nearcache', 'readwrite', (objects) => {
    objects.delete(key)
    return () => undefined
  })

const valueAt = async (database: VirtualIndexedDb, key: IDBValidKey): Promise<unknown> =>
  (await rowsOf(database)).find(([one]) => JSON.stringify(one) === JSON.stringify(key))?.[1]

/** What has a place among records and bodies, less the one that is beside. */
const namesOf = async (database: VirtualIndexedDb) =>
  (await rowsOf(database))
    .filter(([key]) => ['record', 'body'].includes((key as string[])[0] ?? ''))
    .map(([key]) => JSON.stringify(key))
    .filter((name) => !name.includes('other'))

/** From now on this value cannot be read, and a transaction that has tried it is aborted at its end. */
function losesFile(database: VirtualIndexedDb, lost: IDBValidKey): void {
  const { factory } = database
  const open = factory.open.bind(factory)
  factory.open = (...given) => {
    const opening = open(...given)
    opening.addEventListener('success', () => {
      const { result } = opening
      const begin = result.transaction.bind(result)
      result.transaction = (...how) => {
        const transaction = begin(...how) as IDBTransaction & { _abort(name: string): void }
        const objectStore = transaction.objectStore.bind(transaction)
        transaction.objectStore = (name) => {
          const objects = objectStore(name)
          const get = objects.get.bind(objects)
          objects.get = (key) => {
            if (JSON.stringify(key) !== JSON.stringify(lost)) return get(key)
            transaction.commit = () => transaction._abort('UnknownError')
            database.inject({ at: 'request', fault: 'NotReadableError' })
            return get(key)
          }
          return objects
        }
        return transaction
      }
    })
    return opening
  }
}

type Path = ReadonlyArray<string | number>

/** Every place in a value, itself first, and in each object one more. */
const placesIn = (value: unknown): Path[] => [
  [],
  ...(typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
    ? [['extra']]
    : []),
  ...(typeof value === 'object' && value !== null
    ? (Object.entries(value) as Array<[string, unknown]>).flatMap(([name, held]) =>
        placesIn(held).map((path) => [name, ...path]),
      )
    : []),
]

/** A copy of `value` with something else in one place; `gone` leaves it out. */
function changed(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by
  const copy =
    value instanceof Uint8Array ? value.slice() : Array.isArray(value) ? [...value] : { ...(value as object) }
  const held = (value as Record<string | number, unknown>)[step]
  if (value instanceof Uint8Array) Reflect.set(copy, step, (held as number) ^ 1)
  else if (rest.length === 0 && by === gone) Reflect.deleteProperty(copy, step)
  else Reflect.set(copy, step, changed(held, rest, by))
  return copy
}
const gone = Symbol('gone')

/** What may stand anywhere in a damaged value. */
const junk = fc.oneof(
  fc.constantFrom<unknown>(gone, null, undefined, Number.NaN, -1, 2, 1e21, 10n, '', 'x', [], {}, true, new Date(0)),
  fc.constant(new Uint8Array(3)),
  fc.anything({ maxDepth: 2 }),
)

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

describe('a record that is damaged in any one place', () => {
  test('is absent, and then gone, whatever it is that changed; the others stay (1,000 mutations)', {
    timeout: 60_000,
  }, async () => {
    const { store, database } = await storeBesideOther()
    const whole = [responseWith('a', 10), responseWith('apart', 30, { etag: '"1"', tags: ['t'] })]
    await put(store, 'k', ...whole)
    const raw = await valueAt(database, ['record', '', ['k']])
    const stored = await read(store, 'k')
    let absent = 0
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesIn(raw)), junk, async (place, by) => {
        const damaged = changed(raw, place, by)
        if (damaged === undefined || damaged === gone || !isCloneable(damaged)) return
        await put(store, 'k', ...whole)
        await overwrite(database, ['record', '', ['k']], damaged)
        const record = await read(store, 'k')
        await database.settled()
        if (record)
          expect(record).toEqual(stored) // what was put there means the same
        else {
          absent++
          expect(await namesOf(database)).toEqual([])
        }
        expect(await read(store, 'other')).toEqual(recordOf({ ...OTHER, body: { id: 'other', size: 30 } }))
        expect(await readBody(store, 'other', 'other')).toEqual(OTHER.body.bytes)
      }),
      { numRuns: 1_000, seed: 1 },
    )
    expect(absent).toBeGreaterThan(900)
  })

  test('a body that lies apart is absent when one byte of it, or anything else there, is another; its response goes (200 mutations)', {
    timeout: 60_000,
  }, async () => {
    const { store, database } = await storeBesideOther()
    const place = ['body', '', ['k'], 'apart']
    await put(store, 'k', responseWith('apart', 30))
    const raw = await valueAt(database, place)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...placesIn(raw)), junk, async (path, by) => {
        const damaged = changed(raw, path, by)
        if (damaged === undefined || damaged === gone || !isCloneable(damaged)) return
        await put(store, 'k')
        await put(store, 'k', responseWith('beside', 10), responseWith('apart', 30))
        await overwrite(database, place, damaged)
        const bytes = await readBody(store, 'k', 'apart')
        await database.settled()
        if (bytes) expect(bytes).toEqual(responseWith('apart', 30).body.bytes)
        else {
          expect(await namesOf(database)).toEqual(['["record","",["k"]]'])
          expect(idsOf(await read(store, 'k'))).toEqual(['beside'])
        }
      }),
      { numRuns: 200, seed: 1 },
    )
  })
})

describe('a record that was not written for where it lies', () => {
  test('under another key it is absent: no response answers for another URL', async () => {
    const { store, database } = await storeBesideOther()
    await put(store, 'a', responseWith('a', 10))
    await overwrite(database, ['record', '', ['b']], await valueAt(database, ['record', '', ['a']]))
    await overwrite(database, ['record', 'ada', ['a']], await valueAt(database, ['record', '', ['a']]))
    const snapshot = await store.read([
      ['record', '', ['b']],
      ['record', 'ada', ['a']],
      ['record', '', ['a']],
    ])
    expect([snapshot.record('', ['b']), snapshot.record('ada', ['a'])]).toEqual([undefined, undefined])
    expect(idsOf(snapshot.record('', ['a']))).toEqual(['a'])
  })

  test('nor does the body of one response answer for another', async () => {
    const { store, database } = await storeBesideOther()
    await put(store, 'k', responseWith('one', 30), responseWith('three', 30))
    await overwrite(database, ['body', '', ['k'], 'one'], await valueAt(database, ['body', '', ['k'], 'three']))
    expect(await readBody(store, 'k', 'one')).toBeUndefined()
  })

  test('one of another format is absent (law 11)', async () => {
    const { store, database } = await storeBesideOther()
    await put(store, 'k', responseWith('a', 10))
    const raw = await valueAt(database, ['record', '', ['k']])
    await overwrite(database, ['record', '', ['k']], { ...(raw as object), v: 3 })
    expect(await read(store, 'k')).toBeUndefined()
  })
})

describe('a record and its bodies disagree (F-11)', () => {
  test('a body that is gone takes its response along, and no other', async () => {
    const { store, database } = await storeBesideOther()
    await put(store, 'k', responseWith('apart', 30), responseWith('whole', 10))
    await remove(database, ['body', '', ['k'], 'apart'])
    expect(await readBody(store, 'k', 'apart')).toBeUndefined()
    await database.settled()
    expect(idsOf(await read(store, 'k'))).toEqual(['whole'])
  })

  test('a body whose record is damaged goes with it', async () => {
    const { store, database } = await storeBesideOther()
    await put(store, 'k', responseWith('apart', 30))
    await overwrite(database, ['record', '', ['k']], 'damaged')
    await read(store, 'k')
    await database.settled()
    expect(await namesOf(database)).toEqual([])
  })

  test('what has been stored anew before its turn comes stays', async () => {
    const { store, another, database } = await storeBesideOther()
    await put(store, 'k', responseWith('apart', 30), responseWith('a', 10))
    await overwrite(database, ['record', '', ['k']], 'damaged')
    // The removal is asked for when the read is done; the write is there before it.
    const reading = read(store, 'k')
    const writing = put(another(2), 'k', responseWith('new one', 30))
    expect(await reading).toBeUndefined()
    await writing
    await database.settled()
    expect(idsOf(await read(store, 'k'))).toEqual(['new one'])
    expect(await readBody(store, 'k', 'new one')).toEqual(responseWith('new one', 30).body.bytes)
  })
})

describe('a value that the database cannot read any more', () => {
  test.each(['NotReadableError', 'DataError'])(
    '%s is about this one: who asks for others at the same time has them',
    async (fault) => {
      const { store, database } = await storeBesideOther()
      await put(store, 'k', responseWith('a', 10))
      // The log is the first to be asked for.
      database.inject({ at: 'request', nth: 2, fault })
      const [record, other] = await Promise.all([read(store, 'k'), read(store, 'other')])
      expect(record).toBeUndefined()
      expect(idsOf(other)).toEqual(['other'])
    },
  )

  test('one whose file is gone takes its response along, though Chromium aborts every transaction that reads it', async () => {
    const { store, database } = await storeBesideOther()
    await put(store, 'k', responseWith('apart', 30), responseWith('beside', 10))
    await store.close?.()
    losesFile(database, ['body', '', ['k'], 'apart'])
    const [bytes, other] = await Promise.all([readBody(store, 'k', 'apart'), readBody(store, 'other', 'other')])
    expect(bytes).toBeUndefined()
    expect(other).toEqual(OTHER.body.bytes)
    await database.settled()
    expect(idsOf(await read(store, 'k'))).toEqual(['beside'])
    expect(await namesOf(database)).toEqual(['["record","",["k"]]'])
    // Nor is it taken for a loss of the database.
    expect(database.count('open')).toBe(3)
  })

  test('it can be replaced', async () => {
    const { store, database } = await storeBesideOther()
    await put(store, 'k', responseWith('a', 10))
    database.inject({ at: 'request', nth: 2, fault: 'NotReadableError' })
    await put(store, 'k', responseWith('new', 10))
    expect(idsOf(await read(store, 'k'))).toEqual(['new'])
  })
})

describe('a page', () => {
  test('asks the origin for what is damaged, and has it from disk again after that', async () => {
    const world = await profile()
    await world.open().cache.json('/a')
    const { cache } = world.open()
    await cache.json('/b')
    await cache.settled()
    const place = ['record', '', [`${world.origin.url}/a`]]
    await overwrite(world.database, place, 'damaged')
    expect(await world.open().cache.json('/b')).toEqual({ path: '/b', seq: 2 })
    const next = world.open()
    expect(await next.cache.json('/a')).toEqual({ path: '/a', seq: 3 })
    await next.cache.settled()
    expect(await world.open().cache.json('/a')).toEqual({ path: '/a', seq: 3 })
    expect(next.events.filter(({ type }) => type === 'store-failed')).toEqual([])
  })

  test('DataCloneError: a record that cannot be written fails alone', async () => {
    const { store } = await storeBesideOther()
    const odd = responseWith('odd', 10, { statusText: (() => {}) as unknown as string })
    const writing = await Promise.allSettled([
      put(store, 'a', responseWith('a', 10)),
      put(store, 'odd', odd),
      put(store, 'b', responseWith('b', 10)),
    ])
    expect(writing.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((writing[1] as PromiseRejectedResult).reason).toMatchObject({ name: 'DataCloneError' })
    expect([idsOf(await read(store, 'a')), idsOf(await read(store, 'b'))]).toEqual([['a'], ['b']])
  })
})
