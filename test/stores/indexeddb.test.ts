import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoredResponse } from '../../src/http/message.ts'
import type { CacheKey, Store, StoreNotice } from '../../src/ports/store.ts'
import { createIndexedDbStore, type IndexedDbOptions } from '../../src/stores/indexeddb.ts'
import { unsealedRecord } from '../../src/stores/seal.ts'
import { seededRandom, type VirtualIndexedDb, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { idsOf, putOf, responseWith } from './builders.ts'

const RELAXED = { durability: 'relaxed' } as const
const STRICT = { durability: 'strict' } as const
const purgeAll = { kind: 'purge', purge: { selector: { all: true }, mode: 'hard', at: 0 } } as const

let seeds = 0

/** A store on a database of its own; `another()` is a second context on the same one. */
async function storeOn(options: Partial<IndexedDbOptions> = {}) {
  const database = await virtualIndexedDB()
  const clock = virtualClock()
  const notices: StoreNotice[] = []
  const another = (more: Partial<IndexedDbOptions> = {}) =>
    createIndexedDbStore({
      name: 'test',
      factory: database.factory,
      keyRange: database.keyRange,
      clock,
      random: seededRandom(++seeds),
      maxBytes: 1_000_000,
      maxEntryBytes: 200_000,
      onNotice: (notice) => notices.push(notice),
      ...options,
      ...more,
    })
  return { store: another(), another, database, clock, notices }
}

const put = (store: Store, key: string, ...responses: StoredResponse[]) =>
  store.update([['record', '', [key]]], () => [putOf([key], ...responses)], RELAXED)
const read = async (store: Store, key: string) => (await store.read([['record', '', [key]]])).record('', [key])
const failure = (work: Promise<unknown>) =>
  work.then(
    () => 'no failure',
    (error: unknown) => (error instanceof Error || error instanceof DOMException ? error.name : String(error)),
  )

/** What lies in the database, by hand: all keys with their values. */
async function rows({ factory }: VirtualIndexedDb): Promise<Array<[IDBValidKey, unknown]>> {
  return raw(factory, 'readonly', (objects) => {
    const [keys, values] = [objects.getAllKeys(), objects.getAll()]
    return () => keys.result.map((key, index): [IDBValidKey, unknown] => [key, values.result[index]])
  })
}

function raw<T>(factory: IDBFactory, mode: IDBTransactionMode, work: (objects: IDBObjectStore) => () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const opening = factory.open('test')
    opening.onsuccess = () => {
      const database = opening.result
      const transaction = database.transaction('nearcache', mode)
      const result = work(transaction.objectStore('nearcache'))
      transaction.oncomplete = () => {
        database.close()
        resolve(result())
      }
      transaction.onabort = () => reject(transaction.error)
    }
  })
}

const overwrite = ({ factory }: VirtualIndexedDb, key: IDBValidKey, value: unknown) =>
  raw(factory, 'readwrite', (objects) => {
    objects.put(value, key)
    return () => undefined
  })

const keysOf = async (database: VirtualIndexedDb, kind: string) =>
  (await rows(database)).map(([key]) => key as string[]).filter(([first]) => first === kind)

describe('what lies on disk', () => {
  test('a small body lies inside its record, a large one apart', async () => {
    const { store, database } = await storeOn({ inlineBytes: 100 })
    await put(store, 'k', responseWith('small', 100), responseWith('large', 101))
    expect(await keysOf(database, 'body')).toEqual([['body', '', ['k'], 'large']])
    const record = await read(store, 'k')
    expect(record?.responses.map(({ body }) => body.bytes?.byteLength)).toEqual([100, undefined])
  })

  test('a validation rewrites the record, not the body that lies apart (RFC 9111 §4.3.4)', async () => {
    const { store, database } = await storeOn({ inlineBytes: 100 })
    await put(store, 'k', responseWith('large', 5_000))
    const requests = database.count('request')
    await store.update(
      [['record', '', ['k']]],
      (snapshot) => [
        putOf(['k'], ...(snapshot.record('', ['k'])?.responses ?? []).map((one) => ({ ...one, delta: 7 }))),
      ],
      RELAXED,
    )
    // The log and the record are read; the record is written.
    expect(database.count('request') - requests).toBe(3)
  })

  test('memory-only responses and too large ones are never written to disk', async () => {
    const { store } = await storeOn({ maxEntryBytes: 1_000 })
    await put(
      store,
      'k',
      responseWith('secret', 10, { memoryOnly: true }),
      responseWith('large', 1_001),
      responseWith('a'),
    )
    expect(idsOf(await read(store, 'k'))).toEqual(['a'])
  })

  test('a response whose body is nowhere is not stored', async () => {
    const { store } = await storeOn()
    const { bytes: _, ...body } = responseWith('a').body
    await put(store, 'k', { ...responseWith('a'), body })
    expect(await read(store, 'k')).toBeUndefined()
  })

  test('the incarnation is 128 bits by chance, and every context of the database knows the same', async () => {
    const { store, another } = await storeOn()
    const logs = await Promise.all([store.read([]), another().read([])])
    const [first, second] = logs.map(({ log }) => log.incarnation)
    expect(first).toMatch(/^[\da-f]{32}$/)
    expect(second).toBe(first)
  })
})

describe('transactions', () => {
  test('reads of the same moment share one', async () => {
    const { store, database } = await storeOn()
    await put(store, 'a', responseWith('1'))
    const before = database.count('transaction')
    const records = await Promise.all([read(store, 'a'), read(store, 'b'), read(store, 'a')])
    expect(records.map(idsOf)).toEqual([['1'], [], ['1']])
    expect(database.count('transaction') - before).toBe(1)
  })

  test('reads that come while others are under way share the next', async () => {
    const { store, database } = await storeOn()
    await put(store, 'a', responseWith('1'))
    const before = database.count('transaction')
    const reading = [read(store, 'a')]
    for (const key of ['b', 'a', 'c']) {
      await Promise.resolve()
      await Promise.resolve()
      reading.push(read(store, key))
    }
    expect((await Promise.all(reading)).map(idsOf)).toEqual([['1'], [], ['1'], []])
    expect(database.count('transaction') - before).toBe(2)
  })

  test('writes that come while another one is under way share the next', async () => {
    const { store, database } = await storeOn()
    await store.read([])
    const before = database.count('transaction')
    const writing = [put(store, 'a', responseWith('1'))]
    await Promise.resolve()
    await Promise.resolve()
    for (const key of ['b', 'c', 'd']) writing.push(put(store, key, responseWith(key)))
    await Promise.all(writing)
    expect(database.count('transaction') - before).toBe(2)
  })

  test('a transaction that writes is committed, not left to end by itself: a frozen tab would hold up the others; what must not come back is strict (IndexedDB, durability)', async () => {
    const { store, database } = await storeOn()
    const committed: string[] = []
    const open = database.factory.open.bind(database.factory)
    database.factory.open = (...given) => {
      const request = open(...given)
      request.addEventListener('success', () => {
        const { result } = request
        const begin = result.transaction.bind(result)
        result.transaction = (...names) => {
          const transaction = begin(...names)
          const commit = transaction.commit.bind(transaction)
          transaction.commit = () => {
            committed.push(`${transaction.mode} ${transaction.durability}`)
            commit()
          }
          return transaction
        }
      })
      return request
    }
    await put(store, 'a', responseWith('1'))
    await store.update([], () => [purgeAll], STRICT)
    await store.enter?.('ben')
    // Entering looks first who is there.
    expect(committed).toEqual(['readwrite relaxed', 'readwrite strict', 'readwrite relaxed', 'readwrite strict'])
  })

  test('works where there is no commit()', async () => {
    const { store, database } = await storeOn()
    const open = database.factory.open.bind(database.factory)
    database.factory.open = (...given) => {
      const request = open(...given)
      request.addEventListener('success', () => {
        const begin = request.result.transaction.bind(request.result)
        request.result.transaction = (...names) => Object.assign(begin(...names), { commit: undefined })
      })
      return request
    }
    await put(store, 'a', responseWith('1'))
    expect(idsOf(await read(store, 'a'))).toEqual(['1'])
  })

  test('purges of two contexts get numbers one after the other, in the order of their transactions', async () => {
    const { store, another } = await storeOn()
    const other = another()
    await Promise.all([store.read([]), other.read([])])
    const logs = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? store : other).update([], () => [purgeOfUrl(index)], STRICT),
      ),
    )
    expect(logs.map(({ last }) => last).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    for (const one of [store, other])
      expect((await one.read([])).log.purges.map(({ number }) => number)).toHaveLength(10)
  })

  test('it remembers whether anybody with a name was ever there', async () => {
    const { store, another } = await storeOn()
    const entered = async (partition: string) => {
      await store.enter?.(partition)
      await store.update([], () => [purgeAll], STRICT)
      const snapshot = await another().read([])
      return [snapshot.partition, snapshot.unnamed]
    }
    for (const partition of ['', '']) expect(await entered(partition)).toEqual(['', true])
    expect(await entered('anna')).toEqual(['anna', false])
    for (const partition of ['', '']) expect(await entered(partition)).toEqual(['', false])
  })

  test('a purge that was aborted has not been seen: another one takes its number, and is seen', async () => {
    const { store, another, database } = await storeOn()
    await store.read([])
    database.inject({ at: 'commit', fault: 'ConstraintError' })
    expect(await failure(store.update([], () => [purgeOfUrl(1)], STRICT))).toBe('ConstraintError')
    await another().update([], () => [purgeOfUrl(2)], STRICT)
    expect((await store.read([])).log.purges).toEqual([{ number: 1, ...purgeOfUrl(2).purge }])
  })

  test('reads fetch purges only when there are new ones', async () => {
    const { store, database } = await storeOn()
    await store.update([], () => [purgeAll], STRICT)
    const before = database.count('request')
    await store.read([])
    expect(database.count('request') - before).toBe(1)
  })
})

const purgeOfUrl = (index: number) =>
  ({ kind: 'purge', purge: { selector: { urls: [`u${index}`] }, mode: 'soft', at: 0 } }) as const

describe('the connection', () => {
  test('a failed open is forgotten: the next operation tries again (FAULTS B-26, as with IndexedDB §4.3)', async () => {
    const { store, database } = await storeOn()
    for (const nth of [1, 2]) database.inject({ at: 'open', nth, fault: 'UnknownError' })
    expect(await failure(read(store, 'k'))).toBe('UnknownError')
    await put(store, 'k', responseWith('a'))
    expect(idsOf(await read(store, 'k'))).toEqual(['a'])
  })

  test('an open that throws rejects (a sandboxed frame, storage switched off)', async () => {
    const { store, database } = await storeOn()
    database.inject({ at: 'open', fault: 'SecurityError' })
    expect(await failure(read(store, 'k'))).toBe('SecurityError')
  })

  test('a connection closed by force is opened again, and what was stored is there', async () => {
    const { store, database } = await storeOn()
    await put(store, 'k', responseWith('a'))
    await database.lose()
    expect(database.connections()).toBe(0)
    expect(idsOf(await read(store, 'k'))).toEqual(['a'])
  })

  test('storage cleared while running is a new database, with another incarnation', async () => {
    const { store, database } = await storeOn()
    await put(store, 'k', responseWith('a'))
    const before = (await store.read([])).log.incarnation
    await database.lose({ forget: true })
    const snapshot = await store.read([['record', '', ['k']]])
    expect(snapshot.record('', ['k'])).toBeUndefined()
    expect(snapshot.log.incarnation).toMatch(/^[\da-f]{32}$/)
    expect(snapshot.log.incarnation).not.toBe(before)
    await put(store, 'k', responseWith('b'))
    expect(idsOf(await read(store, 'k'))).toEqual(['b'])
  })

  test.each(['transaction', 'request', 'commit'] as const)(
    'a connection lost at a %s is opened again within the operation',
    async (at) => {
      const { store, database } = await storeOn()
      await store.read([])
      database.inject({ at, fault: 'lose' })
      await put(store, 'k', responseWith('a'))
      expect(idsOf(await read(store, 'k'))).toEqual(['a'])
    },
  )

  test('InvalidStateError from transaction() opens anew, even without a close event', async () => {
    const { store, database } = await storeOn()
    await put(store, 'k', responseWith('a'))
    database.inject({ at: 'transaction', fault: 'InvalidStateError' })
    expect(idsOf(await read(store, 'k'))).toEqual(['a'])
    expect(database.connections()).toBe(1)
  })

  test('steps aside for another version or a deletion of the database', async () => {
    const { store, database } = await storeOn()
    await put(store, 'k', responseWith('a'))
    await new Promise((resolve) => {
      database.factory.deleteDatabase('test').onsuccess = resolve
    })
    expect(await read(store, 'k')).toBeUndefined()
  })

  test('a newer version of the database is left alone', async () => {
    const { store, database } = await storeOn()
    const newer = await new Promise<IDBDatabase>((resolve) => {
      const request = database.factory.open('test', 2)
      request.onupgradeneeded = () => request.result.createObjectStore('another')
      request.onsuccess = () => resolve(request.result)
    })
    expect(await failure(read(store, 'k'))).toBe('VersionError')
    expect([...newer.objectStoreNames]).toEqual(['another'])
  })

  test('what was being read when it was closed does not open it anew, not even to name a new database', async () => {
    const { store, database } = await storeOn()
    const reading = failure(read(store, 'a'))
    await Promise.resolve()
    await store.close?.()
    await reading
    await database.settled()
    expect(database.connections()).toBe(0)
  })

  test.each(Array.from({ length: 16 }, (_, turns) => turns))(
    'closed %i turns after a read that finds a body missing, it does not open anew to repair that',
    async (turns) => {
      const { store, database } = await storeOn({ inlineBytes: 1 })
      await put(store, 'k', responseWith('lost'))
      await raw(database.factory, 'readwrite', (objects) => {
        objects.delete(database.keyRange.bound(['body'], ['body', []]))
        return () => undefined
      })
      const [one] = (await read(store, 'k'))?.responses ?? []
      const reading = store.read([['body', '', ['k'], one?.body.id ?? '']]).then(() => store.close?.())
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      await store.close?.()
      await reading
      await database.settled()
      expect(database.connections()).toBe(0)
    },
  )

  test('closed in the middle of a long eviction, it stays closed', async () => {
    const { another, database } = await storeOn()
    const roomy = another()
    await Promise.all(Array.from({ length: 600 }, (_, index) => put(roomy, `k${index}`, responseWith(`b${index}`))))
    await roomy.close?.()
    const narrow = another({ maxBytes: 5_000 })
    await put(narrow, 'last', responseWith('last'))
    await narrow.close?.()
    await database.settled()
    expect(database.connections()).toBe(0)
  })

  test('close() gives the connection back, and the next operation opens anew', async () => {
    const { store, database } = await storeOn()
    await put(store, 'k', responseWith('a'))
    await store.close?.()
    await database.settled()
    expect(database.connections()).toBe(0)
    expect(idsOf(await read(store, 'k'))).toEqual(['a'])
  })
})

describe('the deadline', () => {
  test.each(['open', 'transaction'] as const)(
    'a hanging %s is given up after three seconds, and the next operation is not held up by it',
    async (at) => {
      const { store, database, clock } = await storeOn()
      if (at === 'transaction') await store.read([])
      database.inject({ at, fault: 'hang' })
      const reading = failure(read(store, 'k'))
      await clock.advance(2_999)
      let isSettled = false
      void reading.then(() => {
        isSettled = true
      })
      await clock.settle()
      expect(isSettled).toBe(false)
      await clock.advance(1)
      expect(await reading).toBe('TimeoutError')
      await put(store, 'k', responseWith('a'))
      expect(idsOf(await read(store, 'k'))).toEqual(['a'])
    },
  )

  test('reads wait for those of a transaction that hangs for 50 ms and no longer: then they begin one of their own', async () => {
    const { store, database, clock } = await storeOn()
    await put(store, 'k', responseWith('a'))
    const before = database.count('transaction')
    const begun = () => database.count('transaction') - before
    database.inject({ at: 'transaction', fault: 'hang' })
    const reading = [read(store, 'k')]
    await clock.advance(49)
    reading.push(read(store, 'k'))
    await clock.settle()
    expect(begun()).toBe(1)
    await clock.advance(1)
    reading.push(read(store, 'k'))
    await clock.settle()
    expect(begun()).toBe(2)
    database.release()
    expect((await Promise.all(reading)).map(idsOf)).toEqual([['a'], ['a'], ['a']])
    expect(begun()).toBe(2)
  })

  test('also when the clock was set back meanwhile', async () => {
    const clock = virtualClock()
    let aheadMs = 0
    const { store, database } = await storeOn({ clock: { ...clock, now: () => clock.now() + aheadMs } })
    await put(store, 'k', responseWith('a'))
    database.inject({ at: 'transaction', fault: 'hang' })
    const before = database.count('transaction')
    const reading = [read(store, 'k')]
    await clock.settle()
    aheadMs = -60_000
    await clock.advance(50)
    reading.push(read(store, 'k'))
    await clock.settle()
    expect(database.count('transaction') - before).toBe(2)
    database.release()
    expect((await Promise.all(reading)).map(idsOf)).toEqual([['a'], ['a']])
  })

  test('who waits for reads that hang fails with them, and not a deadline later', async () => {
    const { store, database, clock } = await storeOn()
    await put(store, 'k', responseWith('a'))
    database.inject({ at: 'transaction', fault: 'hang' })
    const first = failure(read(store, 'k'))
    await clock.advance(10)
    const soon = failure(read(store, 'k'))
    await clock.advance(2_990)
    expect(await Promise.all([first, soon])).toEqual(['TimeoutError', 'TimeoutError'])
    expect(idsOf(await read(store, 'k'))).toEqual(['a'])
  })

  test('but who waits for younger ones than those that are given up has time left', async () => {
    const { store, database, clock } = await storeOn()
    await put(store, 'k', responseWith('a'))
    for (let nth = 1; nth <= 2; nth++) database.inject({ at: 'transaction', nth, fault: 'hang' })
    const first = failure(read(store, 'k'))
    await clock.advance(2_980)
    const reading = [read(store, 'k')]
    await clock.advance(10)
    reading.push(read(store, 'k'))
    await clock.advance(10)
    expect(await first).toBe('TimeoutError')
    database.release()
    expect((await Promise.all(reading)).map(idsOf)).toEqual([['a'], ['a']])
  })

  test('a write that was given up is not done later', async () => {
    const { store, database, clock } = await storeOn()
    await put(store, 'k', responseWith('old'))
    database.inject({ at: 'transaction', fault: 'hang' })
    const writing = failure(put(store, 'k', responseWith('new')))
    await clock.advance(3_000)
    expect(await writing).toBe('TimeoutError')
    database.release()
    await database.settled()
    expect(idsOf(await read(store, 'k'))).toEqual(['old'])
  })
})

describe('the budget', () => {
  const large = (id: string) => responseWith(id, 10_000)

  test('what is stored is counted, and less is kept than the budget', async () => {
    const { store, database, notices } = await storeOn({ maxBytes: 60_000, inlineBytes: 1_000 })
    for (let index = 0; index < 20; index++) await put(store, `k${index}`, large(`b${index}`))
    const kept = await keysOf(database, 'record')
    expect(kept.length).toBeGreaterThan(3)
    expect(kept.length * 10_000).toBeLessThanOrEqual(60_000)
    // No body stays behind, and each eviction was told.
    expect((await keysOf(database, 'body')).length).toBe(kept.length)
    expect(notices.filter(({ type }) => type === 'evicted')).toHaveLength(20 - kept.length)
  })

  test('the newest is not what goes', async () => {
    const { store } = await storeOn({ maxBytes: 60_000 })
    for (let index = 0; index < 20; index++) {
      await put(store, `k${index}`, large(`b${index}`))
      expect(idsOf(await read(store, `k${index}`))).toEqual([`b${index}`])
    }
  })

  test('what was read stays for one pass of the hand, also when another context evicts', async () => {
    const { store, another } = await storeOn({ maxBytes: 50_000 })
    for (const key of ['a', 'b', 'c', 'd']) await put(store, key, large(key))
    await read(store, 'a')
    await read(store, 'c')
    // The bits come along with the next write.
    await put(store, 'z', responseWith('z'))
    await put(another(), 'e', large('e'))
    const kept = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(async (key) => (await read(store, key)) && key))
    expect(kept.filter((key) => key !== undefined)).toEqual(expect.arrayContaining(['a', 'c', 'e']))
    expect(kept).toContain(undefined)
  })

  test('in no room nothing is kept', async () => {
    const { store, database } = await storeOn({ maxBytes: 0 })
    await put(store, 'k', responseWith('a'))
    expect(await keysOf(database, 'record')).toEqual([])
  })

  test('the count stays right, whatever is put, replaced, removed and evicted', async () => {
    const puts = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.option(fc.nat(9_000))), { maxLength: 15 })
    await fc.assert(
      fc.asyncProperty(puts, async (all) => {
        const { store, database } = await storeOn({ maxBytes: 30_000, inlineBytes: 1_000 })
        await store.read([])
        for (const [key, size] of all)
          await put(store, `k${key}`, ...(size === null ? [] : [responseWith(`${key} ${size}`, size)]))
        const everything = new Map((await rows(database)).map(([key, value]) => [JSON.stringify(key), value]))
        const space = everything.get(JSON.stringify(['meta', 'space'])) as { bytes: number } | undefined
        const records = [...everything]
          .filter(([key]) => key.startsWith('["record"'))
          .map(([key, value]) => unsealedRecord(value, key)?.responses[0])
        const bodies = records.reduce((sum, one) => sum + (one?.body.size ?? 0), 0)
        expect(space?.bytes ?? 0).toBeLessThanOrEqual(30_000)
        expect(space?.bytes ?? 0).toBeGreaterThanOrEqual(bodies)
        expect((space?.bytes ?? 0) === 0).toBe(records.length === 0)
        const apart = records.filter((one) => !one?.body.bytes)
        expect((await keysOf(database, 'body')).length).toBe(apart.length)
      }),
      { numRuns: 40 },
    )
  })

  test('QuotaExceededError at the commit: half goes, and the write is tried once more', async () => {
    const { store, database } = await storeOn()
    for (const key of ['a', 'b', 'c', 'd']) await put(store, key, large(key))
    database.inject({ at: 'commit', fault: 'QuotaExceededError' })
    await put(store, 'e', large('e'))
    expect(idsOf(await read(store, 'e'))).toEqual(['e'])
    expect((await keysOf(database, 'record')).length).toBe(3)
  })

  test('QuotaExceededError that stays rejects, and what was stored before stays', async () => {
    const { store, database } = await storeOn()
    await put(store, 'a', responseWith('old'))
    database.inject({ at: 'commit', fault: 'QuotaExceededError' })
    database.inject({ at: 'commit', nth: 2, fault: 'QuotaExceededError' })
    expect(await failure(put(store, 'a', responseWith('new')))).toBe('QuotaExceededError')
    expect(idsOf(await read(store, 'a'))).toEqual(['old'])
  })
})

describe('damage', () => {
  test.each([
    ['log', { incarnation: 5, last: 1, floor: 0 }],
    ['log', { incarnation: 'x', last: Number.NaN, floor: 0 }],
    ['log', 'text'],
    ['purges', 'text'],
    ['purges', [{ number: 7, selector: { all: true }, mode: 'hard', at: 0 }]],
    ['purges', [{ number: 1, selector: { all: true }, mode: 'harder', at: 0 }]],
  ])('a purge log that is damaged (%s: %j) starts a new life: nothing stored before is used', async (name, value) => {
    const { store, another, database } = await storeOn()
    const { incarnation } = await store.update([], () => [purgeAll], STRICT)
    await overwrite(database, ['meta', name], value)
    const { log } = await another().read([])
    expect(log.incarnation).toMatch(/^[\da-f]{32}$/)
    expect(log.incarnation).not.toBe(incarnation)
    expect((await another().read([])).log).toEqual(log)
  })

  test.each([['text'], [{ bytes: Number.NaN }], [{ bytes: 0, hand: ['record', 5] }], [{ bytes: 1e9, hand: {} }]])(
    'damaged accounts (%j) and damaged records do not keep the disk from being tidied',
    async (value) => {
      const { store, database } = await storeOn({ maxBytes: 60_000 })
      await put(store, 'a', responseWith('a', 10_000))
      await overwrite(database, ['record', '', ['b']], { v: 9 })
      await overwrite(database, ['record', 7], 'odd key')
      await overwrite(database, ['meta', 'space'], value)
      for (let index = 0; index < 20; index++) await put(store, `k${index}`, responseWith(`b${index}`, 10_000))
      expect(idsOf(await read(store, 'k19'))).toEqual(['b19'])
      expect((await keysOf(database, 'record')).length).toBeLessThanOrEqual(7)
    },
  )
})

describe('any operation may fail', () => {
  const keys: readonly CacheKey[] = [['a'], ['b']]

  test.each(['open', 'transaction', 'request', 'commit'] as const)(
    'whichever %s fails, a record is the old or the new with its own body, and everything works afterwards',
    async (at) => {
      for (const fault of ['UnknownError', 'QuotaExceededError', 'InvalidStateError', 'lose']) {
        for (let nth = 1; nth <= 12; nth++) {
          if (at === 'open' && fault === 'lose') continue
          const { store, database } = await storeOn({ inlineBytes: 5 })
          await put(store, 'a', responseWith('old', 20))
          await store.close?.()
          database.inject({ at, nth, fault })
          const work = [
            read(store, 'a'),
            put(store, 'a', responseWith('new one', 20)),
            store.update([], () => [purgeAll], STRICT),
            put(store, 'b', responseWith('b', 20)),
          ]
          await Promise.allSettled(work)
          database.release()
          const snapshot = await store.read(keys.map((key) => ['record', '', key]))
          const [stored] = snapshot.record('', ['a'])?.responses ?? []
          expect(['old', 'new one', undefined]).toContain(stored?.body.id)
          if (fault !== 'QuotaExceededError') expect(stored).toBeDefined()
          if (stored) {
            const { id } = stored.body
            const bytes = (await store.read([['body', '', ['a'], id]])).body('', ['a'], id)
            expect(bytes).toEqual(responseWith(id, 20).body.bytes)
          }
          await put(store, 'a', responseWith('last', 20))
          expect(idsOf(await read(store, 'a'))).toEqual(['last'])
        }
      }
    },
  )
})
