import { describe, expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import type { StoredResponse } from '../../src/http/message.ts'
import type { CacheOptions, CacheRequestInit } from '../../src/index.ts'
import type { CacheKey, Store, StoredRecord } from '../../src/ports/store.ts'
import { sizeOf } from '../../src/stores/stored-record.ts'
import { causes } from '../engine/harness.ts'
import { failures, type Profile, rowsOf } from '../faults/database-harness.ts'
import { putOf, responseWith } from './builders.ts'
import type { Golden, Row } from './golden/encoding.ts'
import { goldens, recordIn, restored, rowsOfKind, valueUnder } from './golden/restored.ts'
import { covered, encryptedOf, MODES, NAMES, ownerOf, playScene, SELECTORS, SERVED, storeOf } from './golden/scene.ts'

// Law 11; FAULTS F-06, F-10: what a released version has stored is read by every later one. `npx tsx test/stores/golden/write.ts` keeps what this version stores.

type Visit = Omit<CacheRequestInit, 'nearcache'>

/** What a page of today answers to one request, and what it asks the origin for. */
async function answerTo(world: Profile, path: string, init?: Visit, options: CacheOptions = {}) {
  const { cache, events } = world.open({ earlyExpiry: false, ...options })
  const before = world.origin.requests.length
  const response = await cache.fetch(path, init)
  const body = new Uint8Array(await response.arrayBuffer())
  await cache.settled()
  expect(failures(events)).toEqual([])
  const asked = world.origin.requests
    .slice(before)
    .map(({ ifNoneMatch, headers }) => ifNoneMatch ?? headers['if-modified-since'] ?? headers.range ?? 'everything')
  return { cause: causes(events)[0], status: response.status, body, asked, headers: response.headers, events }
}

const bytesOf = (body: unknown): Uint8Array =>
  body instanceof Uint8Array ? body : new TextEncoder().encode(body as string | undefined)

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** What was stored from this path. */
const storedBody = (path: string) => {
  const { body, json } = SERVED[path] ?? {}
  return bytesOf(json === undefined ? body : JSON.stringify(json))
}

const placeOf = ([key]: Row) => key as unknown as readonly ['record', string, CacheKey]

/** The counter as it should be, from what lies in a database. */
function countedIn(rows: readonly Row[]) {
  const sizes = rowsOfKind(rows, 'record').map(
    (row) => [placeOf(row)[1], sizeOf(recordIn(row) as StoredRecord)] as const,
  )
  const sum = (counted: typeof sizes) => counted.reduce((total, [, size]) => total + size, 0)
  return { bytes: sum(sizes), named: sum(sizes.filter(([partition]) => partition !== '')) }
}

/** What is stored for what, of what type, whatever the values. */
function shapeOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return 'bytes'
  if (Array.isArray(value)) return [...new Set(value.map((one) => JSON.stringify(shapeOf(one))))].sort()
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, held]) => [name, shapeOf(held)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  )
}

/** Of all but how far the sweeping has come, which is of no use to who reads. */
const shapesOf = ({ databases }: Golden) => {
  const rows = Object.values(databases).flatMap((all) => all.filter(([key]) => (key as string[])[1] !== 'sweep'))
  const shown = rows.map((row) => [row, Array.isArray(row[0]) && row[0][0] === 'record' && recordIn(row)])
  return [...new Set(shown.map((row) => JSON.stringify(shapeOf(row))))].sort()
}

test('this version has golden records, and still writes what they say', async () => {
  const golden = goldens.find(([version]) => version === packageJson.version)?.[1]
  // A format that changes needs a new version, with records of its own: see test/stores/golden/write.ts.
  expect(golden && shapesOf(golden)).toEqual(shapesOf(await playScene()))
}, 30_000)

describe.each(goldens)('what version %s has stored', (_, golden) => {
  const responses = rowsOfKind(Object.values(golden.databases).flat(), 'record').flatMap(
    (row) => recordIn(row)?.responses ?? [],
  )

  test('shows every field that a response may have, except the one that is never on disk', () => {
    const optional = ['etag', 'expires', 'lastModified', 'part', 'staleSince'] as const
    for (const name of optional)
      expect(responses.filter((one) => one[name] !== undefined).length, name).toBeGreaterThan(0)
    const varies: Array<StoredResponse['vary']> = ['unknown']
    expect(responses.map(({ vary }) => vary)).toEqual(expect.arrayContaining(varies))
    expect(new Set(responses.flatMap(({ directives }) => Object.keys(directives)))).toEqual(
      new Set(
        'maxAge noCache mustRevalidate mustUnderstand private public immutable staleWhileRevalidate staleIfError'.split(
          ' ',
        ),
      ),
    )
    expect(responses.filter(({ memoryOnly }) => memoryOnly)).toEqual([])
  })

  test.each(NAMES)('is read whole: every record and every body of %s', async (name) => {
    const world = await restored(golden)
    const rows = golden.databases[name] ?? []
    const records = rowsOfKind(rows, 'record')
    const bodies = rowsOfKind(rows, 'body')
    const places = [...records, ...bodies].map(([key]) => key as never)
    const snapshot = await storeOf(world, name).read(places)
    const { incarnation, last, floor, partition } = valueUnder(rows, ['meta', 'log']) as Record<string, unknown>
    expect(snapshot.log).toEqual({ incarnation, last, floor, purges: valueUnder(rows, ['meta', 'purges']) })
    expect(snapshot.partition).toEqual(partition)
    for (const row of records) {
      const [, owner, place] = placeOf(row)
      expect(recordIn(row)).toBeDefined()
      expect(snapshot.record(owner, place)).toEqual(recordIn(row))
    }
    for (const [key, value] of bodies) {
      const [, owner, place, id] = key as unknown as ['body', string, CacheKey, string]
      expect(snapshot.body(owner, place, id)).toEqual((value as { bytes: Uint8Array }).bytes)
    }
    await world.database.settled()
    // Nothing of it was taken for damaged.
    expect(await rowsOf(world.database, name)).toEqual(rows)
  })

  test.each(NAMES)('is counted as it lies there: %s, also after one more', async (name) => {
    const world = await restored(golden)
    const space = async () => valueUnder(await rowsOf(world.database, name), ['meta', 'space'])
    expect(await space()).toMatchObject(countedIn(golden.databases[name] ?? []))
    const write = [putOf(['k'], responseWith('more', 5_000))]
    await storeOf(world, name).update([['record', '', ['k']]], () => write, { durability: 'relaxed' })
    expect(await space()).toMatchObject(countedIn(await rowsOf(world.database, name)))
  })

  test.each([
    '/fresh',
    '/large',
    '/empty',
    '/bytes',
    '/gone',
    '/by-expires',
    '/undated',
    '/by-heuristics',
    '/no-cache-field',
    '/understood',
    '/public',
    '/tagged',
    '/cookie',
    '/search?q=1',
    '/freshened',
  ])('%s is fresh, and as it was (RFC 9111 §4.2)', async (path) => {
    const { cause, status, body, asked } = await answerTo(await restored(golden), path)
    expect([cause, status, asked]).toEqual(['fresh', SERVED[path]?.status ?? 200, []])
    expect(body).toEqual(storedBody(path))
  })

  test.each([
    ['/stale', '"stale"'],
    ['/expired', '"expired"'],
    ['/no-cache', '"each time"'],
    ['/changed', '"before"'],
    ['/stale-by-date', 'Wed, 31 Dec 2025 00:00:00 GMT'],
  ])('%s is validated by what it has (RFC 9111 §4.3.1)', async (path, validator) => {
    const { cause, body, asked } = await answerTo(await restored(golden), path)
    expect([cause, asked, text(body)]).toEqual(['validated', [validator], text(storedBody(path))])
  })

  test('/stale-while-revalidate is served while it is validated behind (RFC 5861 §3)', async () => {
    const { cause, asked, body } = await answerTo(await restored(golden), '/stale-while-revalidate')
    expect([cause, asked, text(body)]).toEqual(['stale-while-revalidate', ['W/"behind"'], 'behind'])
  })

  test('/stale-if-error is served when the origin fails (RFC 5861 §4)', async () => {
    const world = await restored(golden)
    world.origin.fails('*', 'network')
    const { cause, body } = await answerTo(world, '/stale-if-error')
    expect([cause, text(body)]).toEqual(['stale-if-error', 'while ill'])
  })

  test.each([
    ['en', 'fresh', 'in en'],
    ['fr', 'fresh', 'in fr'],
    ['de', 'vary-miss', 'anew'],
  ])('/vary in %s: %s (RFC 9111 §4.1)', async (language, cause, body) => {
    const answer = await answerTo(await restored(golden), '/vary', { headers: { 'accept-language': language } })
    expect([answer.cause, text(answer.body)]).toEqual([cause, body])
  })

  test('where Vary was hidden, every field that script had set selects', async () => {
    const init = { headers: { 'x-set-by-script': 'yes' } }
    expect(await answerTo(await restored(golden), '/hidden-vary', init)).toMatchObject({ cause: 'fresh' })
    const other = { headers: { 'x-set-by-script': 'no' } }
    expect(await answerTo(await restored(golden), '/hidden-vary', other)).toMatchObject({ cause: 'vary-miss' })
  })

  test('what was asked for without cookies answers only such requests', async () => {
    const world = await restored(golden)
    expect(await answerTo(world, '/omit', { credentials: 'omit' })).toMatchObject({ cause: 'fresh' })
    expect(await answerTo(world, '/omit')).toMatchObject({ cause: 'miss' })
  })

  test.each([
    ['/part', 'bytes=2-5', 'cdef'],
    ['/part', 'bytes=3-4', 'de'],
    ['/part-of-unknown', 'bytes=0-3', 'abcd'],
  ])('%s answers %s, and nobody who asks for the whole (RFC 9111 §3.3)', async (path, range, part) => {
    const { cause, status, body } = await answerTo(await restored(golden), path, { headers: { range } })
    expect([cause, status, text(body)]).toEqual(['fresh', 206, part])
    const whole = await answerTo(await restored(golden), path)
    expect([whole.cause, text(whole.body).includes('anew')]).toEqual(['miss', true])
  })

  test('fields are as they were kept', async () => {
    const world = await restored(golden)
    const [undated, secret, cookie, freshened] = await Promise.all(
      ['/undated', '/no-cache-field', '/cookie', '/freshened'].map((path) => answerTo(world, path)),
    )
    expect(Number(undated?.headers.get('age'))).toBeGreaterThan(30)
    expect([secret?.headers.get('x-secret'), secret?.headers.get('x-open')]).toEqual([null, 'ever'])
    expect(cookie?.headers.getSetCookie()).toEqual([])
    expect(freshened?.headers.get('x-count')).toBe('2')
  })

  test.each(Object.keys(SELECTORS).flatMap((name) => MODES.map((mode) => [name, mode] as const)))(
    'a purge by %s holds, %s (laws 2 and 3)',
    async (name, mode) => {
      const world = await restored(golden)
      const path = `/purged/${name}/${mode}`
      const { cause, asked, body } = await answerTo(world, path, {}, ownerOf(name))
      const stored = covered(path)
      expect([cause, asked, text(body)]).toEqual(
        {
          soft: ['stale-while-revalidate', [stored.etag], stored.body],
          invalidate: ['validated', [stored.etag], stored.body],
          hard: ['purged', ['everything'], 'anew'],
        }[mode],
      )
    },
  )

  test('what lies below the floor of a compacted log is a miss, what lies above it is not', async () => {
    const world = await restored(golden)
    const options = { name: 'compacted' }
    expect(await answerTo(world, '/purged/compacted/below', {}, options)).toMatchObject({ cause: 'purged' })
    expect(await answerTo(world, '/purged/compacted/above', {}, options)).toMatchObject({ cause: 'fresh', asked: [] })
  })

  test('a purge of today has the next number, covers what was stored then, and leaves the others in force', async () => {
    const world = await restored(golden)
    const { cache } = world.open()
    await cache.fetch('/fresh')
    const { last } = valueUnder(golden.databases.nearcache, ['meta', 'log']) as { last: number }
    expect(await cache.purge({ tag: 'one' }, { mode: 'hard' })).toMatchObject({
      epoch: { number: last + 1 },
      durable: true,
    })
    expect(await answerTo(world, '/tagged')).toMatchObject({ cause: 'purged', asked: ['everything'] })
    expect(await answerTo(world, '/fresh')).toMatchObject({ cause: 'fresh' })
    expect(await answerTo(world, '/purged/tags/hard')).toMatchObject({ cause: 'purged' })
  })

  test("a user's responses are served in that partition, and to nobody else (law 5)", async () => {
    const world = await restored(golden)
    for (const path of ['/mine', '/mine/large']) {
      const { cause, body } = await answerTo(world, path, {}, { partition: 'alice' })
      expect([cause, body]).toEqual(['fresh', storedBody(path)])
      expect(await answerTo(world, path)).toMatchObject({ cause: 'miss' })
    }
  })

  test('another user removes them, with evidence, and what has no partition stays', async () => {
    const world = await restored(golden)
    const rows = golden.databases.nearcache ?? []
    const named = (kind: string) => rowsOfKind(rows, kind).filter((row) => placeOf(row)[1] === 'alice').length
    expect(await world.open().cache.setPartition('bob')).toMatchObject({
      disk: { records: named('record'), bodies: named('body'), bytes: countedIn(rows).named },
    })
    const left = await rowsOf(world.database)
    expect(left.filter(([key]) => (key as string[])[1] === 'alice')).toEqual([])
    expect(valueUnder(left, ['meta', 'space'])).toMatchObject(countedIn(left))
    expect(await answerTo(world, '/fresh')).toMatchObject({ cause: 'fresh' })
  })

  test('the hand goes on where it stopped, and spares what was visited', async () => {
    const world = await restored(golden)
    const names = async () =>
      rowsOfKind(await rowsOf(world.database, 'evicting'), 'record').map((row) => placeOf(row)[2])
    const before = await names()
    const options = { name: 'evicting', disk: { maxBytes: 12_000, maxEntryBytes: 6_000 } }
    const first = '/purged/evicting/14'
    expect(await answerTo(world, first, {}, options)).toMatchObject({ cause: 'fresh' })
    const { cache } = world.open(options)
    await cache.fetch(first)
    await cache.fetch('/purged/evicting/30')
    await cache.settled()
    const after = await names()
    expect(after[0]).toEqual(before[0])
    expect(after).not.toContainEqual(before[1])
    expect(after.at(-1)).toEqual([`${world.origin.url}/purged/evicting/30`])
  })

  test('what is encrypted is decrypted by its key, and without it a miss', async () => {
    const world = await restored(golden)
    const store = await encryptedOf(world)
    const options = { store, partition: 'alice' }
    for (const path of ['/mine', '/mine/apart']) {
      const { cause, body } = await answerTo(world, path, {}, options)
      expect([cause, body]).toEqual(['fresh', storedBody(path)])
    }
    expect(await answerTo(world, '/fresh', {}, { store })).toMatchObject({ cause: 'fresh' })
    const plain = storeOf(world, 'encrypted')
    const unreadable: Store = { read: plain.read, update: plain.update }
    expect(await answerTo(world, '/mine', {}, { store: unreadable, partition: 'alice' })).toMatchObject({
      cause: 'miss',
    })
  })
})
