import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogSelector, PurgeMode, StoredResponse } from '../../src/http/message.ts'
import { purgeEffect } from '../../src/http/purge-effect.ts'
import { asSeenFrom } from '../../src/http/purge-log.ts'
import type { CacheKey, Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { sizeOf } from '../../src/stores/stored-record.ts'
// Loaded now, so that no test waits for it.
import '../../src/stores/sweep.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import { byHand, rowsOf } from '../faults/database-harness.ts'
import { idsOf, recordOf, responseWith } from './builders.ts'
import { recordIn, rowsOfKind } from './golden/restored.ts'

const RELAXED = { durability: 'relaxed' } as const
const STRICT = { durability: 'strict' } as const
const DAY = 24 * 3_600_000

/** A database of one profile; `open()` is a page of it, which is idle when the test says so. */
async function profile() {
  const database = await virtualIndexedDB()
  const clock = virtualClock()
  let pages = 0
  function open() {
    let waiting: Array<() => void> = []
    const store = createIndexedDbStore({
      name: 'nearcache',
      factory: database.factory,
      keyRange: database.keyRange,
      clock,
      random: seededRandom(++pages),
      maxBytes: 1e8,
      maxEntryBytes: 1e6,
      inlineBytes: 100,
      idle: (signal) =>
        new Promise((resolve, reject) => {
          waiting.push(resolve)
          signal.addEventListener('abort', () => {
            waiting = waiting.filter((one) => one !== resolve)
            reject(signal.reason)
          })
        }),
      onNotice: () => {},
    })
    /** Lets the page be idle once. */
    function begin(): boolean {
      const waited = waiting
      waiting = []
      for (const resolve of waited) resolve()
      return waited.length > 0
    }
    /** The same, until everything is done; says whether it had been waiting for that. */
    async function rest() {
      const isAwaited = begin()
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
      await database.settled()
      return isAwaited
    }
    return {
      store,
      begin,
      rest,
      async restLong() {
        let times = 0
        while (await rest()) times++
        return times
      },
    }
  }
  const keys = async (kind: string) =>
    (await rowsOf(database)).map(([key]) => key as string[]).filter(([first]) => first === kind)
  const put = (value: unknown, key: IDBValidKey) =>
    byHand(database.factory, 'nearcache', 'readwrite', (objects) => {
      objects.put(value, key)
      return () => undefined
    })
  const space = async () =>
    (await rowsOf(database)).find(([key]) => (key as string[])[1] === 'space')?.[1] as { bytes: number; named: number }
  return { database, clock, open, keys, put, space }
}

/** Puts responses as a page does: with the epoch at which they were asked for. */
async function keep(store: Store, key: string, responses: StoredResponse[], partition = '') {
  const { log } = await store.read([])
  const epoch = { incarnation: log.incarnation, number: log.last }
  const value = recordOf(...responses.map((one) => ({ ...one, epoch })))
  await store.update([], () => [{ kind: 'record', partition, key: [key], value }], RELAXED)
}

const purge = (store: Store, selector: LogSelector, mode: PurgeMode = 'hard') =>
  store.update([], () => [{ kind: 'purge', purge: { selector, mode, at: 0 } }], STRICT)

const tagged = (id: string, tag: string, size = 10) => responseWith(id, size, { tags: [tag] })

test('what was hard-purged goes, with its bodies and bits, and counts no more; what is only stale stays', async () => {
  const { open, keys, space } = await profile()
  const { store, restLong } = open()
  await keep(store, 'a', [tagged('a', 'old', 5_000)])
  await keep(store, 'b', [tagged('b', 'stale', 5_000)])
  await store.read([['record', '', ['a']]])
  await keep(store, 'c', [tagged('c', 'kept')])
  const before = await space()
  await purge(store, { tags: ['old'] })
  await purge(store, { tags: ['stale'] }, 'invalidate')
  expect((await keys('record')).length).toBe(3)
  expect(await restLong()).toBeGreaterThan(0)
  expect(await keys('record')).toEqual([
    ['record', '', ['b']],
    ['record', '', ['c']],
  ])
  expect(await keys('body')).toEqual([['body', '', ['b'], 'b']])
  expect(await keys('visited')).toEqual([])
  expect(before.bytes - (await space()).bytes).toBe(sizeOf(recordOf(tagged('a', 'old', 5_000))))
})

test('of a record with several responses only those go that were purged, and the others keep their bodies', async () => {
  const { open, keys } = await profile()
  const { store, restLong } = open()
  const all = [tagged('small', 'kept'), tagged('large', 'kept', 5_000), tagged('gone', 'old', 6_000)]
  await keep(store, 'k', all)
  await purge(store, { tags: ['old'] })
  await restLong()
  const snapshot = await store.read([
    ['record', '', ['k']],
    ['body', '', ['k'], 'large'],
  ])
  expect(idsOf(snapshot.record('', ['k']))).toEqual(['small', 'large'])
  expect(snapshot.body('', ['k'], 'large')).toEqual(all[1]?.body.bytes)
  expect(await keys('body')).toEqual([['body', '', ['k'], 'large']])
})

test('a purge of one partition takes nothing of another', async () => {
  const { open, keys } = await profile()
  const { store, restLong } = open()
  await store.enter?.('anna')
  await keep(store, 'k', [responseWith('hers')], 'anna')
  await keep(store, 'k', [responseWith('everyones')])
  await purge(store, { partition: 'anna' })
  await restLong()
  expect(await keys('record')).toEqual([['record', '', ['k']]])
})

test('what lies below the floor of the log goes', async () => {
  const { open, keys } = await profile()
  const { store, restLong } = open()
  await keep(store, 'old', [responseWith('old')])
  const many = Array.from({ length: 1_001 }, (_, index) => ({
    kind: 'purge' as const,
    purge: { selector: { urls: [`u${index}`] }, mode: 'soft' as const, at: 0 },
  }))
  await store.update([], () => many, STRICT)
  await keep(store, 'new', [responseWith('new')])
  await restLong()
  expect(await keys('record')).toEqual([['record', '', ['new']]])
})

describe('orphans', () => {
  test('a body that no record names goes, and a visited bit without a record; what has one stays', async () => {
    const { open, keys, put } = await profile()
    const { store, restLong } = open()
    await keep(store, 'k', [responseWith('b', 500)])
    await store.read([['record', '', ['k']]])
    await keep(store, 'other', [responseWith('o')])
    await put({ bytes: new Uint8Array(9), sum: 0 }, ['body', '', ['k'], 'nobody'])
    await put({ bytes: new Uint8Array(9), sum: 0 }, ['body', '', ['nothing'], 'b'])
    await put(1, ['visited', '', ['nothing']])
    await purge(store, { tags: ['nothing'] })
    await restLong()
    expect(await keys('body')).toEqual([['body', '', ['k'], 'b']])
    expect(await keys('visited')).toEqual([['visited', '', ['k']]])
    expect((await keys('record')).length).toBe(2)
  })

  test('what this version cannot read is left alone, with its bodies: it may be that of another version (law 11)', async () => {
    const { open, keys, put } = await profile()
    const { store, restLong } = open()
    await keep(store, 'k', [responseWith('b')])
    await put({ v: 9, anything: true }, ['record', '', ['theirs']])
    await put({ bytes: new Uint8Array(9), sum: 0 }, ['body', '', ['theirs'], 'b'])
    await put('odd', ['body', 7])
    await put('odd', ['record', 7])
    await put('odd', ['elsewhere', '', ['k']])
    await purge(store, { tags: ['nothing'] })
    await restLong()
    expect((await keys('record')).length).toBe(3)
    expect((await keys('body')).length).toBe(2)
    expect((await keys('elsewhere')).length).toBe(1)
  })

  test('are looked for again a day after the last round, though nothing was purged', async () => {
    const { open, keys, put, clock } = await profile()
    const first = open()
    await keep(first.store, 'k', [responseWith('b')])
    await first.restLong()
    await put(1, ['visited', '', ['nothing']])
    clock.set(clock.now() + DAY - 1)
    const early = open()
    await early.store.read([])
    await early.restLong()
    expect((await keys('visited')).length).toBe(1)
    clock.set(clock.now() + 1)
    const late = open()
    await late.store.read([])
    await late.restLong()
    expect(await keys('visited')).toEqual([])
  })
})

describe('the sweeping', () => {
  async function muchPurged() {
    const world = await profile()
    const page = world.open()
    await page.store.read([])
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        keep(page.store, `k${String(index).padStart(3, '0')}`, [tagged('b', 'old')]),
      ),
    )
    await page.restLong()
    await purge(page.store, { tags: ['old'] })
    return { ...world, ...page }
  }

  test('has nothing to do in a database that nobody has swept, before something is hard-purged there', async () => {
    const { open, database } = await profile()
    const page = open()
    for (let index = 0; index < 100; index++) await keep(page.store, `k${index}`, [tagged('b', 'old')])
    await purge(page.store, { tags: ['old'] }, 'soft')
    expect(await page.restLong()).toBeLessThanOrEqual(2)
    const next = open()
    await next.store.read([])
    expect(await next.restLong()).toBeLessThanOrEqual(2)
    await purge(next.store, { tags: ['old'] })
    expect(await next.restLong()).toBeGreaterThan(3)
    expect((await rowsOf(database)).filter(([key]) => (key as string[])[0] === 'record')).toEqual([])
  })

  test('waits for idleness before each of its transactions, which are small', async () => {
    const { rest, keys } = await muchPurged()
    const left: number[] = []
    do left.push((await keys('record')).length)
    while (await rest())
    expect(left[0]).toBe(200)
    for (const [index, count] of left.entries()) expect((left[index - 1] ?? count) - count).toBeLessThanOrEqual(32)
    expect(left.at(-1)).toBe(0)
  })

  test('goes on where it stopped when the page is gone: no key is looked at twice', async () => {
    const { rest, keys, open, database } = await muchPurged()
    await rest()
    await rest()
    await rest()
    const left = (await keys('record')).length
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(200)
    const next = open()
    await next.store.read([])
    const before = database.count('transaction')
    const times = await next.restLong()
    expect(await keys('record')).toEqual([])
    expect(times).toBeLessThanOrEqual(Math.ceil(left / 32) + 1)
    expect(database.count('transaction') - before).toBeGreaterThan(0)
  })

  test('does nothing when nothing is due', async () => {
    const { restLong, store, database } = await muchPurged()
    await restLong()
    const before = database.count('transaction')
    await store.read([])
    await purge(store, { tags: ['other'] }, 'soft')
    await restLong()
    // The read, the purge, and one look.
    expect(database.count('transaction') - before).toBe(3)
  })

  test('waits for nothing any more when the store is closed, and goes on when it is used again', async () => {
    const { rest, keys, store } = await muchPurged()
    await rest()
    const left = (await keys('record')).length
    await store.close?.()
    expect(await rest()).toBe(false)
    expect((await keys('record')).length).toBe(left)
    await store.read([])
    expect(await rest()).toBe(true)
    expect((await keys('record')).length).toBeLessThan(left)
  })

  test.each(Array.from({ length: 12 }, (_, turns) => turns))(
    'closed %i turns after it has begun a transaction, it leaves no connection open',
    async (turns) => {
      const { begin, restLong, store, database } = await muchPurged()
      begin()
      for (let turn = 0; turn < turns; turn++) await (turns % 2 ? Promise.resolve() : new Promise(setImmediate))
      await store.close?.()
      await restLong()
      await database.settled()
      expect(database.connections()).toBe(0)
    },
  )

  test.each(Array.from({ length: 24 }, (_, turns) => turns))(
    'closed %i turns after a read that has something repaired, it does not begin again',
    async (turns) => {
      const { restLong, store, database } = await muchPurged()
      await byHand(database.factory, 'nearcache', 'readwrite', (objects) => {
        objects.put({ torn: true }, ['record', '', ['torn']])
        return () => {}
      })
      await restLong()
      await store.read([['record', '', ['torn']]])
      for (let turn = 0; turn < turns; turn++) await (turns % 2 ? Promise.resolve() : new Promise(setImmediate))
      await store.close?.()
      await database.settled()
      await restLong()
      await database.settled()
      expect(database.connections()).toBe(0)
    },
  )

  test('leaves a database alone that failed when it was used last', async () => {
    const { rest, keys, store, database } = await muchPurged()
    database.inject({ at: 'transaction', fault: 'UnknownError' })
    database.inject({ at: 'transaction', nth: 2, fault: 'UnknownError' })
    await store.read([]).catch(() => {})
    const before = database.count('transaction')
    await rest()
    await rest()
    expect(database.count('transaction')).toBe(before)
    expect((await keys('record')).length).toBe(200)
  })

  test('runs once, however often something is purged meanwhile, and sees all of it', async () => {
    const { restLong, rest, keys, store, database } = await muchPurged()
    await rest()
    await keep(store, 'a', [tagged('a', 'new')])
    for (let count = 0; count < 20; count++) await purge(store, { tags: ['new', `${count}`] })
    const before = database.count('transaction')
    await restLong()
    expect(await keys('record')).toEqual([])
    // The rest of this round, and one more.
    expect(database.count('transaction') - before).toBeLessThan(20)
  })

  test('ends when the store is closed, and opens nothing again', async () => {
    const { rest, keys, store, database } = await muchPurged()
    await store.close?.()
    await rest()
    await rest()
    expect(database.connections()).toBe(0)
    expect((await keys('record')).length).toBe(200)
  })

  test.each(['transaction', 'request', 'commit'] as const)(
    'may fail at any %s: nothing that can be used is lost, and the next page ends it',
    async (at) => {
      for (let nth = 1; nth <= 12; nth++) {
        const { open, keys, database } = await profile()
        const page = open()
        await keep(page.store, 'a', [tagged('a', 'old', 500)])
        await keep(page.store, 'b', [tagged('b', 'kept', 500), tagged('c', 'old', 500)])
        await purge(page.store, { tags: ['old'] })
        database.inject({ at, nth, fault: 'QuotaExceededError' })
        await page.restLong()
        database.release()
        const next = open()
        expect(idsOf((await next.store.read([['record', '', ['b']]])).record('', ['b']))).toContain('b')
        await next.restLong()
        const { record, body } = await next.store.read([
          ['record', '', ['b']],
          ['body', '', ['b'], 'b'],
        ])
        expect(idsOf(record('', ['b']))).toEqual(['b'])
        expect(body('', ['b'], 'b')?.byteLength).toBe(500)
        expect((await keys('record')).length).toBe(1)
        expect((await keys('body')).length).toBe(1)
      }
    },
  )
})

test('whatever is stored and purged: what a read could use is there afterwards, and nothing else (law)', async () => {
  const tags = ['x', 'y', 'z']
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ key: fc.nat(5), tag: fc.constantFrom(...tags), size: fc.nat(300) }) },
    fc.record({
      tag: fc.constantFrom(...tags),
      mode: fc.constantFrom<PurgeMode>('soft', 'invalidate', 'hard'),
      all: fc.boolean(),
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), fc.boolean(), async (steps, early) => {
      const { open, database } = await profile()
      const { store, restLong } = open()
      await store.read([])
      for (const [index, one] of steps.entries()) {
        if ('key' in one) {
          const key: CacheKey = [`k${one.key}`]
          const held = (await store.read([['record', '', key]])).record('', key)?.responses ?? []
          const { log } = await store.read([])
          const epoch = { incarnation: log.incarnation, number: log.last }
          const added = { ...tagged(`b${index}`, one.tag, one.size), epoch }
          await store.update(
            [['record', '', key]],
            () => [{ kind: 'record', partition: '', key, value: recordOf(...held, added) }],
            RELAXED,
          )
        } else await purge(store, one.all ? { all: true } : { tags: [one.tag] }, one.mode)
        if (early && index % 5 === 0) await restLong()
      }
      const { log } = await store.read([])
      const usable = async () =>
        rowsOfKind(await rowsOf(database), 'record').flatMap((row) =>
          (recordIn(row)?.responses ?? []).map((one) => [
            String((row[0] as string[])[2]),
            one.body.id,
            purgeEffect(one, asSeenFrom(log, ''))?.mode === 'hard',
          ]),
        )
      const before = await usable()
      await restLong()
      expect(await usable()).toEqual(before.filter(([, , isGone]) => !isGone))
      const apart = (await rowsOf(database)).filter(([key]) => (key as string[])[0] === 'body')
      for (const [key] of apart) {
        const [, , , id] = key as string[]
        expect(before.map(([, one]) => one)).toContain(id)
      }
    }),
    { numRuns: 30 },
  )
})
