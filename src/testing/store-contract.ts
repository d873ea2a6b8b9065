import type { EpochMs, LogSelector, PurgeMode, StoredResponse } from '../http/message.ts'
import type { CacheKey, Store, StoredRecord, Write } from '../ports/store.ts'
import { seededRandom } from './seeded-random.ts'

export interface StoreContractOptions {
  /** Registers one test: that of `vitest`, `node:test`, Mocha or any other runner that takes a name and a function. */
  test(name: string, run: () => Promise<void>): unknown
  /** Seed of the random keys. @default 1 */
  readonly seed?: number
}

const NOW: EpochMs = Date.UTC(2026, 0, 1)
const RELAXED = { durability: 'relaxed' } as const
const STRICT = { durability: 'strict' } as const

/**
 * What every `Store` promises, as tests for any runner. A test that fails throws.
 *
 * Not promised, so not looked at: copies. What is handed over and handed out is shared at will, and nobody writes to it.
 *
 * @param createStore - gives a new, empty store with room for 10 MB each time
 * @example storeContract(() => unstorageStore(createStorage()), { test })
 */
export function storeContract(
  createStore: () => Store | Promise<Store>,
  { test, seed = 1 }: StoreContractOptions,
): void {
  test('an unknown key is absent, not an error', async () => {
    const { record, body } = await (await createStore()).read([
      ['record', '', ['a']],
      ['body', '', ['a'], '1'],
    ])
    isSame(record('', ['a']), undefined)
    isSame(body('', ['a'], '1'), undefined)
  })

  test('a key that was not asked for is absent', async () => {
    const store = await createStore()
    isSame((await store.read([])).record('', ['a']), undefined)
  })

  test('what was put is read back, every field and every byte', async () => {
    const store = await createStore()
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    const full: StoredResponse = {
      ...responseWith('1', everyByte),
      headers: [
        ['__proto__', 'x'],
        ['x-odd', 'ÿ "\\,'],
      ],
      directives: { maxAge: 1, noCache: ['x-odd'], public: true },
      expires: 'unreadable',
      etag: 'W/"1"',
      lastModified: NOW,
      vary: ['accept-language'],
      nominated: [['accept-language', 'de']],
      tags: ['a', 'o\0g'],
      part: { first: 0, last: 255, size: 1000 },
      staleSince: NOW,
    }
    await store.update([['record', 'p', ['a']]], () => [put('p', ['a'], full)], RELAXED)
    await holds(store, 'p', ['a'], [full])
  })

  test('a large body is read back, inside its record or apart from it', async () => {
    const store = await createStore()
    const large = responseWith('large', bytesOf(300_000))
    const small = responseWith('small', bytesOf(10))
    const empty = responseWith('empty', bytesOf(0))
    await store.update([['record', '', ['a']]], () => [put('', ['a'], large, small, empty)], RELAXED)
    await holds(store, '', ['a'], [large, small, empty])
  })

  test('a record that is put again as it was read keeps its bodies', async () => {
    const store = await createStore()
    const [large, small] = [responseWith('large', bytesOf(300_000)), responseWith('small', bytesOf(10))]
    await store.update([['record', '', ['a']]], () => [put('', ['a'], large, small)], RELAXED)
    await store.update(
      [['record', '', ['a']]],
      (snapshot) => {
        const responses = snapshot.record('', ['a'])?.responses ?? []
        return [put('', ['a'], ...responses.map((one) => ({ ...one, sequence: 2 })))]
      },
      RELAXED,
    )
    await holds(
      store,
      '',
      ['a'],
      [
        { ...large, sequence: 2 },
        { ...small, sequence: 2 },
      ],
    )
  })

  test('a body that no response names any more is gone', async () => {
    const store = await createStore()
    await store.update([['record', '', ['a']]], () => [put('', ['a'], responseWith('1', bytesOf(300_000)))], RELAXED)
    await store.update([['record', '', ['a']]], () => [put('', ['a'], responseWith('2', bytesOf(10)))], RELAXED)
    const snapshot = await store.read([
      ['record', '', ['a']],
      ['body', '', ['a'], '1'],
    ])
    isSame(snapshot.body('', ['a'], '1'), undefined)
    isSame(snapshot.record('', ['a'])?.responses.length, 1)
  })

  test('a record that is removed is gone, with its bodies', async () => {
    const store = await createStore()
    await store.update([['record', '', ['a']]], () => [put('', ['a'], responseWith('1', bytesOf(300_000)))], RELAXED)
    await store.update([['record', '', ['a']]], () => [put('', ['a'])], RELAXED)
    const snapshot = await store.read([
      ['record', '', ['a']],
      ['body', '', ['a'], '1'],
    ])
    isSame(snapshot.record('', ['a']), undefined)
    isSame(snapshot.body('', ['a'], '1'), undefined)
  })

  test('a record whose key was not read can be put and removed', async () => {
    const store = await createStore()
    const [one, two] = [responseWith('1', bytesOf(300_000)), responseWith('2', bytesOf(10))]
    await store.update([], () => [put('', ['a'], one)], RELAXED)
    await store.update([], () => [put('', ['a'], two)], RELAXED)
    await holds(store, '', ['a'], [two])
    await store.update([], () => [put('', ['a'])], RELAXED)
    await holds(store, '', ['a'], [])
  })

  test('the writes of one update appear together, with the purge', async () => {
    const store = await createStore()
    const log = await store.update(
      [],
      () => [put('', ['a'], responseWith('1')), put('p', ['b'], responseWith('2')), purgeOf({ urls: ['u'] })],
      RELAXED,
    )
    const snapshot = await store.read([
      ['record', '', ['a']],
      ['record', 'p', ['b']],
    ])
    isSame(snapshot.record('', ['a'])?.responses[0]?.body.id, '1')
    isSame(snapshot.record('p', ['b'])?.responses[0]?.body.id, '2')
    isSame(snapshot.log, log)
    isSame(log.last, 1)
  })

  test('when change throws, nothing is written, and the update rejects with what was thrown', async () => {
    const store = await createStore()
    await store.update([], () => [put('', ['a'], responseWith('1'))], RELAXED)
    const thrown = new Error('no')
    const update = store.update(
      [['record', '', ['a']]],
      () => {
        throw thrown
      },
      RELAXED,
    )
    isSame(await update.catch((error: unknown) => error === thrown), true)
    const snapshot = await store.read([['record', '', ['a']]])
    isSame(snapshot.record('', ['a'])?.responses[0]?.body.id, '1')
    isSame(snapshot.log.last, 0)
  })

  test('one update that fails does not harm those of the same moment', async () => {
    const store = await createStore()
    const outcomes = await Promise.allSettled([
      store.update([], () => [put('', ['a'], responseWith('1'))], RELAXED),
      store.update(
        [],
        () => {
          throw new Error('no')
        },
        RELAXED,
      ),
      store.update([], () => [put('', ['b'], responseWith('2'))], RELAXED),
    ])
    isSame(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    await holds(store, '', ['a'], [responseWith('1')])
    await holds(store, '', ['b'], [responseWith('2')])
  })

  test('a snapshot stays as it was', async () => {
    const store = await createStore()
    await store.update([], () => [put('', ['a'], responseWith('1'))], RELAXED)
    const before = await store.read([['record', '', ['a']]])
    await store.update([], () => [put('', ['a'], responseWith('2')), purgeOf({ all: true })], RELAXED)
    isSame(before.record('', ['a'])?.responses[0]?.body.id, '1')
    isSame(before.log.last, 0)
  })

  test('change sees the log as it stands before its own writes', async () => {
    const store = await createStore()
    await store.update([], () => [purgeOf({ urls: ['u'] })], STRICT)
    let last: number | undefined
    const log = await store.update(
      [],
      (snapshot) => {
        last = snapshot.log.last
        return [purgeOf({ urls: ['v'] })]
      },
      STRICT,
    )
    isSame([last, log.last], [1, 2])
  })

  test('updates of the same key, asked for at once, run one after another', async () => {
    const store = await createStore()
    const increment = () =>
      store.update(
        [['record', '', ['a']]],
        (snapshot) => {
          const sequence = (snapshot.record('', ['a'])?.responses[0]?.sequence ?? 0) + 1
          return [put('', ['a'], { ...responseWith('1'), sequence })]
        },
        RELAXED,
      )
    await Promise.all(Array.from({ length: 50 }, increment))
    const snapshot = await store.read([['record', '', ['a']]])
    isSame(snapshot.record('', ['a'])?.responses[0]?.sequence, 50)
  })

  test('each purge has a number of its own, the next one, also when many are asked for at once', async () => {
    const store = await createStore()
    const purgeOne = (_: unknown, index: number) =>
      store.update([], () => [purgeOf({ urls: [`u${index}`] })], index % 2 === 0 ? STRICT : RELAXED)
    const logs = await Promise.all(Array.from({ length: 20 }, purgeOne))
    const numbers = logs.map(({ last }) => last).sort((a, b) => a - b)
    isSame(
      numbers,
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
    const { log } = await store.read([])
    isSame(
      log.purges.map(({ number }) => number),
      numbers,
    )
    // And each update is told the log in which its own purge is the last.
    for (const [index, { last, purges }] of logs.entries())
      isSame(purges.find(({ number }) => number === last)?.selector, { urls: [`u${index}`] })
  })

  test('a purge is kept whole', async () => {
    const store = await createStore()
    const purges = [
      purgeOf({ urls: ['u'], tags: ['t'] }, 'invalidate'),
      purgeOf({ tags: ['t'] }, 'hard'),
      purgeOf({ pattern: 'https://a.example/*' }),
      purgeOf({ all: true }),
    ]
    await store.update([], () => purges, STRICT)
    const { log } = await store.read([])
    isSame(
      log.purges,
      purges.map(({ purge }, index) => ({ number: index + 1, ...purge })),
    )
    isSame([log.last, log.floor], [4, 0])
  })

  test('a purge takes the place of an earlier one of the same selector that is not stricter', async () => {
    const store = await createStore()
    const same = { urls: ['u'] }
    await store.update([], () => [purgeOf(same, 'invalidate'), purgeOf({ urls: ['v'] }), purgeOf(same, 'hard')], STRICT)
    const log = await store.update([], () => [purgeOf(same, 'invalidate')], STRICT)
    isSame(
      log.purges.map(({ number, mode }) => [number, mode]),
      [
        [2, 'soft'],
        [3, 'hard'],
        [4, 'invalidate'],
      ],
    )
    isSame((await store.read([])).log, log)
  })

  test('beyond 1,000 purges the oldest go, and the floor says so', async () => {
    const store = await createStore()
    await store.update([], () => Array.from({ length: 1002 }, (_, index) => purgeOf({ urls: [`u${index}`] })), STRICT)
    const { log } = await store.read([])
    isSame([log.last, log.floor, log.purges.length, log.purges[0]?.number], [1002, 2, 1000, 3])
  })

  test('the incarnation is a name of its own and stays', async () => {
    const [store, other] = [await createStore(), await createStore()]
    const [{ log }, later] = [await store.read([]), await store.update([], () => [purgeOf({ all: true })], STRICT)]
    isSame(log.incarnation.length >= 8, true)
    isSame(later.incarnation, log.incarnation)
    isSame((await other.read([])).log.incarnation === log.incarnation, false)
  })

  test('no two keys meet, whatever characters are in them, and no two partitions', async () => {
    const store = await createStore()
    const places = oddPlaces(seed)
    await store.update(
      [],
      () => places.map(([partition, key], index) => put(partition, key, responseWith(String(index), bytesOf(index)))),
      RELAXED,
    )
    for (const [index, [partition, key]] of places.entries())
      await holds(store, partition, key, [responseWith(String(index), bytesOf(index))])
    const all = await store.read(places.map(([partition, key]) => ['record', partition, key]))
    isSame(
      places.map(([partition, key]) => all.record(partition, key)?.responses[0]?.body.id),
      places.map((_, index) => String(index)),
    )
  })

  test('a body belongs to its key, its partition and its name', async () => {
    const store = await createStore()
    await store.update([], () => [put('p', ['a', 'b'], responseWith('1', bytesOf(300_000)))], RELAXED)
    const others = [
      ['body', '', ['a', 'b'], '1'],
      ['body', 'p', ['a'], 'b'],
      ['body', 'p', ['a', 'b'], '2'],
      ['body', 'p', ['a', 'b', '1'], ''],
    ] as const
    const snapshot = await store.read(others)
    for (const [, partition, key, id] of others) isSame(snapshot.body(partition, key, id), undefined)
  })

  test('reads and updates of the same moment all settle', async () => {
    const store = await createStore()
    const keys = Array.from({ length: 30 }, (_, index) => [`k${index}`])
    const work = keys.flatMap((key) => [
      store.read([['record', '', key]]),
      store.update([['record', '', key]], () => [put('', key, responseWith('1'))], RELAXED),
      store.read([['record', '', key]]),
    ])
    await Promise.all(work)
    for (const key of keys) await holds(store, '', key, [responseWith('1')])
  })

  test('entering a partition says how much of another named one was removed; what has no name stays', async () => {
    const store = await createStore()
    if (!store.enter) return
    isSame((await store.read([])).partition, undefined)
    await store.enter('anna')
    const bodies = ['1', '2'].map((id) => responseWith(id, new Uint8Array(100_000)))
    for (const partition of ['', 'anna'])
      await store.update(
        [],
        () => [{ kind: 'record', partition, key: ['a'], value: { v: 1, responses: bodies } }],
        RELAXED,
      )
    const { removed } = await store.enter('ben')
    isSame(removed.records, 1)
    if (removed.bytes < 200_000) throw new Error(`200,000 bytes were removed, and it says ${removed.bytes}`)
    const { partition, record, body } = await store.read([
      ['record', 'anna', ['a']],
      ['body', 'anna', ['a'], '1'],
      ['record', '', ['a']],
    ])
    isSame([partition, record('anna', ['a']), body('anna', ['a'], '1')], ['ben', undefined, undefined])
    isSame(record('', ['a'])?.responses.length, 2)
    isSame((await store.enter('ben')).removed, { records: 0, bodies: 0, bytes: 0 })
    isSame((await store.enter('')).removed.records, 0)
  })

  test('a store that says since when it is whose stays with who was asked for later', async () => {
    const store = await createStore()
    if (!store.enter) return
    await store.enter('ben', 2)
    const { enteredAt, sitting } = await store.read([])
    if (enteredAt === undefined) return
    await store.update(
      [],
      () => [{ kind: 'record', partition: 'ben', key: ['a'], value: { v: 1, responses: [responseWith('1')] } }],
      RELAXED,
    )
    isSame([enteredAt, (await store.enter('anna', 1)).partition], [2, 'ben'])
    isSame((await store.enter('ben', 3)).removed.records, 0)
    const again = await store.read([['record', 'ben', ['a']]])
    isSame([again.enteredAt, again.sitting === sitting, again.record('ben', ['a'])?.responses.length], [3, true, 1])
    isSame((await store.enter('anna', 4)).removed.records, 1)
    await store.enter('ben', 5)
    const { partition, sitting: another } = await store.read([])
    isSame([partition, another === sitting], ['ben', false])
  })

  test('of a store in which somebody was, nothing says that nobody ever was', async () => {
    const store = await createStore()
    if (!store.enter) return
    const entered = async (partition: string) => {
      await store.enter?.(partition)
      await store.update([], () => [purgeOf({ urls: ['a'] })], STRICT)
      const snapshot = await store.read([])
      return [snapshot.partition, snapshot.unnamed ?? false]
    }
    await entered('')
    isSame(await entered('anna'), ['anna', false])
    isSame(await entered(''), ['', false])
  })

  test('no record of another partition than the one that was entered is written; the purges of the same update are', async () => {
    const store = await createStore()
    if (!store.enter) return
    await store.enter('ben')
    const value = { v: 1, responses: [responseWith('1', new Uint8Array(10))] } as const
    const log = await store.update(
      [],
      () => [
        { kind: 'record', partition: 'anna', key: ['a'], value },
        { kind: 'record', partition: 'ben', key: ['a'], value },
        purgeOf({ urls: ['a'] }),
      ],
      STRICT,
    )
    isSame(log.last, 1)
    const { record } = await store.read([
      ['record', 'anna', ['a']],
      ['record', 'ben', ['a']],
    ])
    isSame([record('anna', ['a']), record('ben', ['a'])?.responses.length], [undefined, 1])
  })

  test('a purge and a partition do not forget each other', async () => {
    const store = await createStore()
    if (!store.enter) return
    await store.enter('anna')
    await store.update([], () => [purgeOf({ urls: ['a'] }, 'hard')], STRICT)
    isSame((await store.read([])).partition, 'anna')
    const { log } = await store.enter('')
    isSame(log.last, 1)
    isSame((await store.read([])).log.purges.length, 1)
  })

  test('after close() it opens anew', async () => {
    const store = await createStore()
    await store.update([], () => [put('', ['a'], responseWith('1'))], RELAXED)
    await store.close?.()
    await store.update([], () => [put('', ['b'], responseWith('2'))], RELAXED)
    await holds(store, '', ['b'], [responseWith('2')])
  })
}

/** A stored response of `https://a.example/` with this body, inside the record. */
const responseWith = (id: string, bytes: Uint8Array<ArrayBuffer> = bytesOf(3)): StoredResponse => ({
  v: 1,
  url: 'https://a.example/',
  status: 200,
  statusText: 'OK',
  type: 'basic',
  headers: [['cache-control', 'max-age=60']],
  directives: { maxAge: 60_000 },
  dateValue: NOW,
  ageValue: 0,
  requestTime: NOW,
  responseTime: NOW,
  vary: [],
  nominated: [],
  tags: [],
  epoch: { incarnation: 'contract', number: 0 },
  context: 'contract',
  sequence: 1,
  delta: 1,
  body: { id, size: bytes.byteLength, bytes },
})

/** Bytes without a pattern that a shift would not show. */
const bytesOf = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, (_, at) => (at * at) >> 3)

const put = (partition: string, key: CacheKey, ...responses: StoredResponse[]): Write => {
  const value: StoredRecord | undefined = responses.length > 0 ? { v: 1, responses } : undefined
  return { kind: 'record', partition, key, value }
}

const purgeOf = (selector: LogSelector, mode: PurgeMode = 'soft') =>
  ({ kind: 'purge', purge: { selector, mode, at: NOW } }) as const

/** The record is exactly this, bodies included, wherever they lie. */
async function holds(
  store: Store,
  partition: string,
  key: CacheKey,
  expected: readonly StoredResponse[],
): Promise<void> {
  const snapshot = await store.read([
    ['record', partition, key],
    ...expected.map(({ body }) => ['body', partition, key, body.id] as const),
  ])
  const responses = snapshot.record(partition, key)?.responses ?? []
  isSame(
    responses.map(({ body, ...stored }) => ({ ...stored, size: body.size })),
    expected.map(({ body, ...stored }) => ({ ...stored, size: body.size })),
  )
  for (const [index, { body }] of expected.entries()) {
    const bytes = responses[index]?.body.bytes ?? snapshot.body(partition, key, body.id)
    const isEqual = bytes?.length === body.size && bytes.every((byte, at) => byte === body.bytes?.[at])
    if (!isEqual) throw new Error(`The body ${body.id} is not what was put`)
  }
}

/** Partitions and keys made of what tempts one to join strings. */
function oddPlaces(seed: number): Array<readonly [partition: string, key: CacheKey]> {
  const random = seededRandom(seed)
  const letters = [
    'a',
    '',
    '\0',
    ',',
    '"',
    '\\',
    '[',
    ']',
    '["a"]',
    '","',
    '/',
    ':',
    ' ',
    'é',
    'e\u0301',
    '\ud83d',
    '😀',
    '__proto__',
    'null',
    '1',
  ]
  const pick = () => letters[Math.floor(random() * letters.length)] as string
  const word = () => Array.from({ length: Math.floor(random() * 4) }, pick).join('')
  const places: Array<readonly [string, CacheKey]> = [
    ['', ['a']],
    ['a', ['']],
    ['', ['["","a"]']],
    ['', ['', 'a']],
    ['', ['["a"]']],
    ['', ['a', 'b']],
    ['', ['a,b']],
    ['', ['a"],["b']],
  ]
  while (places.length < 200) places.push([word(), Array.from({ length: 1 + Math.floor(random() * 3) }, word)])
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()]
}

/** @throws an `Error` that shows both, unless they are equal as plain data */
function isSame(actual: unknown, expected: unknown): void {
  const [got, wanted] = [shown(actual), shown(expected)]
  if (got !== wanted) throw new Error(`Expected ${abridged(wanted)}, got ${abridged(got)}`)
}

/** Plain data as text, in which the order of properties, and one that is `undefined`, means nothing. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  ) ?? 'undefined'

const abridged = (text: string): string => (text.length > 1000 ? `${text.slice(0, 1000)}…` : text)
