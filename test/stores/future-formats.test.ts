import { beforeEach, describe, expect, test } from 'vitest'
import type { PurgeRecord } from '../../src/http/message.ts'
import { checksum } from '../../src/stores/packed-record.ts'
import { sealedRecord } from '../../src/stores/seal.ts'
import { causes } from '../engine/harness.ts'
import { byHand, failures, type Profile, profile, rowsOf } from '../faults/database-harness.ts'
import { putOf, responseWith } from './builders.ts'
import type { Row } from './golden/encoding.ts'
import { recordIn, rowsOfKind, valueUnder } from './golden/restored.ts'
import { storeOf } from './golden/scene.ts'

// Law 11: two versions of the library on one database never corrupt each other; an unknown format is a miss. What a later version may write is written here by hand, beside records of today.

let world: Profile
const LOG = ['meta', 'log']
const PURGES = ['meta', 'purges']

beforeEach(async () => {
  world = await profile()
  world.origin.serves('*', ({ path, seq }) => ({
    cacheControl: 'max-age=600, stale-while-revalidate=600',
    tags: ['all of them'],
    json: { path, seq },
  }))
  const { cache } = world.open()
  await cache.json('/one')
  await cache.json('/two')
  await cache.settled()
})

const lay = (...rows: readonly Row[]) =>
  byHand(world.database.factory, 'nearcache', 'readwrite', (objects) => {
    for (const [key, value] of rows) objects.put(value, key)
    return () => undefined
  })

const rows = () => rowsOf(world.database)
const placeOf = (path: string) => ['record', '', [`${world.origin.url}${path}`]] as const
const asKey = (place: ReturnType<typeof placeOf>) => place as unknown as IDBValidKey
const rowAt = async (path: string): Promise<Row> => [
  asKey(placeOf(path)),
  valueUnder(await rows(), asKey(placeOf(path))),
]
const recordAt = async (path: string) => recordIn(await rowAt(path))

/** What a page of today answers, and why. */
async function answersOf(...paths: readonly string[]) {
  const { cache, events } = world.open({ earlyExpiry: false })
  for (const path of paths) await cache.json(path)
  await cache.settled()
  expect(failures(events)).toEqual([])
  return causes(events)
}

describe('a record of a later version', () => {
  type Sealed = ReturnType<typeof sealedRecord>

  /** The same with another text under its checksum. */
  function retold({ bytes }: Sealed, from: RegExp, to: string): Sealed {
    const [length] = new Uint32Array(bytes.buffer, 4, 1) as unknown as [number]
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + length)).replaceAll(from, to)
    const told = bytes.slice()
    told.set(new TextEncoder().encode(text), 8)
    new Uint32Array(told.buffer, 0, 1)[0] = checksum(told.subarray(4))
    return { v: 2, bytes: told }
  }

  const later = {
    'with another number': (sealed: Sealed) => ({ ...sealed, v: 3 }),
    'of another make': (sealed: Sealed) => ({ v: 3, chunks: new Map([[1, sealed]]), written: new Date(0) }),
    'of another make under today’s number': (sealed: Sealed) => ({ ...sealed, bytes: [sealed.bytes] }),
    'with another number under its checksum': (sealed: Sealed) => retold(sealed, /^\{"v":1,/g, '{"v":2,'),
    'with responses of another number under its checksum': (sealed: Sealed) =>
      retold(sealed, /"v":1,"url"/g, '"v":2,"url"'),
    'with no JSON under its checksum': (sealed: Sealed) => retold(sealed, /^\{/g, '['),
    'with other members under its checksum': (sealed: Sealed) => retold(sealed, /"responses":/g, '"ræsponse":'),
  }

  test.each(Object.entries(later))(
    '%s is a miss, and what is stored under its key then is of today',
    async (_, make) => {
      const before = await rowAt('/one')
      await lay([before[0], make(before[1] as Sealed)])
      expect(await rowAt('/one')).not.toEqual(before)
      const two = await rowAt('/two')
      expect(await answersOf('/one', '/two')).toEqual(['miss', 'fresh'])
      expect(await recordAt('/one')).toMatchObject({ v: 1, responses: [{ v: 1, status: 200 }] })
      expect(await rowAt('/two')).toEqual(two)
      expect(await answersOf('/one', '/two')).toEqual(['fresh', 'fresh'])
    },
  )

  test.each(Object.entries(later))('%s is left alone by whoever reads and writes other keys', async (_, make) => {
    const unknown = make((await rowAt('/one'))[1] as Sealed)
    await lay([asKey(placeOf('/one')), unknown])
    expect(await answersOf('/two', '/three')).toEqual(['fresh', 'miss'])
    await world.open().cache.purge({ url: '/two' })
    expect((await rowAt('/one'))[1]).toEqual(unknown)
  })

  test('under a key of another make is left alone', async () => {
    const keys: IDBValidKey[] = [
      ['record', '', ['k'], 2],
      ['record', '', 'k'],
      ['record', 2, ['k']],
      ['record'],
      ['record 2', '', ['k']],
    ]
    const unknown = keys.map((key): Row => [key, { v: 2 }])
    await lay(...unknown)
    expect(await answersOf('/one', '/three')).toEqual(['fresh', 'miss'])
    for (const [key, value] of unknown) expect(valueUnder(await rows(), key)).toEqual(value)
  })

  test('with a field that today does not know is served when it is whole, and loses nothing by a validation', async () => {
    world.origin.serves('/four', { cacheControl: 'max-age=1', etag: '"4"', json: {} })
    await answersOf('/four')
    const more = (await recordAt('/four'))?.responses.map((one) => ({ ...one, priority: { urgency: 3 } })) ?? []
    await lay([asKey(placeOf('/four')), sealedRecord({ v: 1, responses: more }, JSON.stringify(placeOf('/four')))])
    expect(await answersOf('/four')).toEqual(['fresh'])
    await world.clock.advance(5_000)
    expect(await answersOf('/four')).toEqual(['validated'])
    expect(await recordAt('/four')).toMatchObject({ responses: [{ priority: { urgency: 3 } }] })
    expect(await answersOf('/four')).toEqual(['fresh'])
  })
})

describe('rows of kinds that today does not know', () => {
  const unknown: Row[] = [
    [['claims', 'GET /one'], { holder: 'another tab', until: 5 }],
    [['meta', 'feed'], { after: 17 }],
    [['meta'], 'alone'],
    [['purge', 4], { selector: { all: true } }],
    [['zone', '', ['k']], new Uint8Array(3)],
    [['visited-by', 'bob', ['k']], 1],
    ['a string', 1],
    [17, 'a number'],
    [new Date(0), 'a moment'],
  ]
  const stillThere = async () => {
    const left = await rows()
    return unknown.filter(([key]) => left.some(([other]) => JSON.stringify(other) === JSON.stringify(key)))
  }

  test('are in nobody’s way, and stay: through reads, writes, purges and the next user', async () => {
    await lay(...unknown)
    expect(await answersOf('/one', '/three')).toEqual(['fresh', 'miss'])
    const { cache } = world.open()
    expect(await cache.purge({ all: true }, { mode: 'hard' })).toMatchObject({ durable: true })
    await cache.setPartition('ada')
    await cache.setPartition('bob')
    expect(await stillThere()).toEqual(unknown)
  })

  test('stay when the hand passes', async () => {
    await lay(...unknown)
    const small = storeOf(world, 'nearcache', { maxBytes: 5_000, maxEntryBytes: 2_000 })
    for (let index = 0; index < 10; index++) {
      const write = [putOf([`k${index}`], responseWith(`${index}`, 500))]
      await small.update([['record', '', [`k${index}`]]], () => write, { durability: 'relaxed' })
    }
    expect(rowsOfKind(await rows(), 'record').length).toBeLessThan(6)
    expect(await stillThere()).toEqual(unknown)
  })
})

describe('a purge log of a later version', () => {
  const purgeBy = (selector: object, more: object = {}) => ({ number: 1, mode: 'hard', at: 0, selector, ...more })

  /** The log as a later version leaves it after one purge. */
  async function purged(purge: object, head: object = {}) {
    const before = valueUnder(await rows(), LOG) as object
    await lay([LOG, { ...before, last: 1, ...head }], [PURGES, [purge]])
  }

  test('with more fields, in its head and in its purges, holds as it would without them', async () => {
    await purged(purgeBy({ urls: [`${world.origin.url}/one`] }, { by: 'feed', spread: 5_000 }), {
      v: 2,
      feed: { after: 17 },
    })
    expect(await answersOf('/one', '/two')).toEqual(['purged', 'fresh'])
  })

  test('goes on with the next number, and its purges keep their fields', async () => {
    const purge = purgeBy({ urls: [`${world.origin.url}/one`] }, { by: 'feed' })
    await purged(purge)
    const { cache } = world.open()
    await cache.json('/two')
    expect(await cache.purge({ url: '/two' }, { mode: 'hard' })).toMatchObject({ epoch: { number: 2 }, durable: true })
    const [first, second] = valueUnder(await rows(), PURGES) as PurgeRecord[]
    expect([first, second?.number]).toEqual([purge, 2])
    expect(await answersOf('/one', '/two')).toEqual(['purged', 'purged'])
  })

  test('with a mode that today does not know: nothing stored before is used any more', async () => {
    await purged(purgeBy({ all: true }, { mode: 'gentle' }))
    const answers = await answersOf('/one', '/two')
    expect(answers).not.toContain('fresh')
    expect(await answersOf('/one', '/two')).toEqual(['fresh', 'fresh'])
  })

  test.each([
    ['without a life', { incarnation: undefined }],
    ['with a life of another make', { incarnation: { tab: 'a', life: 'b' } }],
    ['with numbers of another make', { last: '1' }],
    ['with a floor of another make', { floor: [1, 2] }],
  ])('with a head %s is a new life: nothing stored before is used any more', async (_, head) => {
    await purged(purgeBy({ urls: [] }), head)
    expect(await answersOf('/one', '/two')).not.toContain('fresh')
    expect(await answersOf('/one', '/two')).toEqual(['fresh', 'fresh'])
  })
})
