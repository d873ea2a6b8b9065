import { describe, expect, test } from 'vitest'
import { createWorld, type World, type WorldContext } from '../../src/testing/index.ts'

const text = async (context: WorldContext | undefined, path: string, init?: RequestInit): Promise<string> =>
  (await (context as WorldContext).cache.fetch(path, init)).text()
const causesOf = ({ cache }: WorldContext): string[] => {
  const causes: string[] = []
  cache.on((event) => event.type === 'answered' && causes.push(event.cause))
  return causes
}
/** A world whose first tab has `/a` in memory and on disk, and whose others have read it from there. */
async function allHave(path: string, said: Parameters<World['origin']['serves']>[1], tabs = 2): Promise<World> {
  const world = await createWorld({ tabs })
  world.origin.serves(path, said)
  for (const tab of world.tabs) {
    await text(tab, path)
    await world.clock.settle()
  }
  expect(world.origin.requests).toHaveLength(1)
  return world
}

describe('one flight for all contexts (RFC 9111 §4, collapsed requests)', () => {
  test('five tabs and a worker, a hundred callers each, one cold key: one request', async () => {
    const world = await createWorld({ tabs: 5, worker: true })
    world.origin.serves('/a', { cacheControl: 'max-age=60', body: 'once' })
    const contexts = [...world.tabs, world.worker]
    const reading = contexts.flatMap((context) => Array.from({ length: 100 }, () => text(context, '/a')))
    await world.clock.settle()
    expect(await Promise.all(reading)).toEqual(Array(600).fill('once'))
    expect(world.origin.requests).toHaveLength(1)
    expect(world.locks.held()).toEqual([])
  })

  test('who waited says that it was collapsed (RFC 9211 §2.6)', async () => {
    const { tabs, origin, clock } = await createWorld()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'once' })
    const [first, second] = tabs.map(({ cache }) => cache.fetch('/a'))
    await clock.settle()
    await (await first)?.text()
    await clock.settle()
    expect((await second)?.headers.get('cache-status')).toBe(
      'nearcache; fwd=uri-miss; collapsed; ttl=60; detail=collapsed',
    )
  })

  test('the turn ends when the response is on disk, not when its head is there', async () => {
    const { tabs, origin, clock, locks } = await createWorld()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'slow' })
    const held = origin.hold('/a', 'body')
    const reading = text(tabs[0], '/a')
    await clock.settle()
    expect(locks.held()).toHaveLength(1)
    held.release()
    await clock.settle()
    expect(await reading).toBe('slow')
    expect(locks.held()).toEqual([])
  })

  test('a tab that dies with the turn costs one more request, and every caller is answered', async () => {
    const { tabs, origin, clock } = await createWorld({ tabs: 5 })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'once' })
    const held = origin.hold('/a')
    const [dying, ...others] = tabs
    text(dying, '/a').catch(() => {})
    await clock.settle()
    const reading = others.map((tab) => text(tab, '/a'))
    await clock.settle()
    dying?.kill()
    held.release()
    await clock.settle()
    expect(await Promise.all(reading)).toEqual(Array(4).fill('once'))
    expect(origin.requests).toHaveLength(2)
  })

  test('a frozen tab with the turn costs one more request after lockMs, however many wait, and whoever comes later waits for nobody', async () => {
    const { tabs, origin, clock } = await createWorld({ tabs: 6, cache: { deadlines: { lockMs: 3_000 } } })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'once' })
    const [frozen, ...others] = tabs
    const held = origin.hold('/a')
    text(frozen, '/a')
    await clock.settle()
    held.release()
    frozen?.freeze()
    const reading = others.map((tab) => text(tab, '/a'))
    await clock.advance(2_999)
    expect(origin.requests).toHaveLength(1)
    await clock.advance(1)
    expect(await Promise.all(reading)).toEqual(Array(5).fill('once'))
    expect(origin.requests).toHaveLength(2)

    await clock.advance(60_000)
    const later = text(others[0], '/a')
    await clock.settle()
    expect(await later).toBe('once')
    frozen?.thaw()
    await clock.settle()
  })

  test('an origin slower than lockMs gets one more request for each lockMs, not one for each tab', async () => {
    const { tabs, origin, clock } = await createWorld({ tabs: 8 })
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'late' })
    const held = origin.hold('/a')
    const reading = tabs.map((tab) => text(tab, '/a'))
    await clock.advance(14_000)
    expect(origin.requests.length).toBeLessThanOrEqual(3)
    held.release()
    await clock.settle()
    expect(await Promise.all(reading)).toEqual(Array(8).fill('late'))
  })

  test('what cannot be stored is waited for once, and then by nobody for a while (hit-for-miss)', async () => {
    const { tabs, origin, clock } = await createWorld({ tabs: 4 })
    origin.serves('/a', { cacheControl: 'no-store', body: 'mine' })
    const held = origin.hold('/a')
    const reading = tabs.map((tab) => text(tab, '/a'))
    await clock.settle()
    expect(origin.requests).toHaveLength(1)
    held.release()
    await clock.settle()
    expect(origin.requests).toHaveLength(4)
    await Promise.all(reading)

    const again = origin.hold('/a')
    const side = tabs.map((tab) => text(tab, '/a'))
    await clock.settle()
    expect(origin.requests).toHaveLength(8)
    again.release()
    await clock.settle()
    await Promise.all(side)
  })

  test('what each use must ask the origin for is not waited for in a row (RFC 9111 §5.2.2.4; hit-for-miss)', async () => {
    const { tabs, origin, clock } = await createWorld({ tabs: 5 })
    origin.serves('/a', { cacheControl: 'no-cache', etag: '"1"', body: 'asked' })
    const held = origin.hold('/a')
    const reading = tabs.map((tab) => text(tab, '/a'))
    await clock.settle()
    expect(origin.requests).toHaveLength(1)
    const again = origin.hold('/a')
    held.release()
    await clock.settle()
    expect(origin.requests).toHaveLength(5)
    again.release()
    await clock.settle()
    expect(await Promise.all(reading)).toEqual(Array(5).fill('asked'))
  })

  test('a refresh behind is one among all tabs, and nobody waits for it', async () => {
    const world = await allHave('/a', { cacheControl: 'max-age=10, stale-while-revalidate=60', body: 'a' }, 4)
    await world.clock.advance(20_000)
    const held = world.origin.hold('/a')
    const causes = world.tabs.map(causesOf)
    expect(await Promise.all(world.tabs.map((tab) => text(tab, '/a')))).toEqual(['a', 'a', 'a', 'a'])
    await world.clock.settle()
    expect(causes.flat()).toEqual(Array(4).fill('stale-while-revalidate'))
    expect(world.origin.requests).toHaveLength(2)
    held.release()
    await world.clock.settle()
  })

  test('a page with the turn that goes into the back/forward cache leaves it to the others at once', async () => {
    const { tabs, origin, clock, locks } = await createWorld({ tabs: 3 })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'once' })
    const held = origin.hold('/a')
    const [holder, ...others] = tabs
    const mine = text(holder, '/a')
    await clock.settle()
    const theirs = others.map((tab) => text(tab, '/a'))
    await clock.settle()
    expect(origin.requests).toHaveLength(1)
    holder?.hide()
    await clock.settle()
    // past the browser's cache, which has requests for one URL wait for each other
    expect(origin.requests.map(({ cacheMode }) => cacheMode)).toEqual(['default', 'no-store'])
    held.release()
    await clock.settle()
    expect(await Promise.all(theirs)).toEqual(['once', 'once'])
    holder?.thaw()
    await clock.settle()
    expect(await mine).toBe('once')
    expect([origin.requests.length, locks.held()]).toEqual([2, []])
  })

  test('a caller that aborts while it waits for its turn is told so at once, and nothing is sent', async () => {
    const { tabs, origin, clock } = await createWorld()
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'once' })
    const held = origin.hold('/a')
    const first = text(tabs[0], '/a')
    await clock.settle()
    const gone = new AbortController()
    const second = text(tabs[1], '/a', { signal: gone.signal })
    await clock.settle()
    gone.abort(new Error('away'))
    await expect(second).rejects.toThrow('away')
    held.release()
    await clock.settle()
    expect(await first).toBe('once')
    expect(origin.requests).toHaveLength(1)
  })

  test('requests with other fields are flights of their own, and no name of a lock shows what is asked for', async () => {
    const { tabs, origin, clock, locks } = await createWorld({ cache: { partition: 'anna' } })
    origin.serves('/secret', { cacheControl: 'max-age=60', body: 'x' })
    const held = origin.hold('/secret')
    const one = text(tabs[0], '/secret', { headers: { authorization: 'Bearer token' } })
    const other = text(tabs[1], '/secret')
    await clock.settle()
    expect(origin.requests).toHaveLength(2)
    expect(locks.held()).toHaveLength(2)
    for (const name of locks.held()) expect(name).not.toMatch(/secret|token|anna/)
    held.release()
    await clock.settle()
    await Promise.all([one, other])
  })
})

describe('a change in one context is seen by all', () => {
  test('a purge holds in the other tabs from the message on (DESIGN 12, law 2)', async () => {
    const { tabs, clock, origin } = await allHave('/a', { cacheControl: 'max-age=60', body: 'old' })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'new' })
    await tabs[0]?.cache.purge({ url: '/a' }, { mode: 'hard' })
    await clock.settle()
    expect(tabs[1]?.cache.peek('/a')).toBeUndefined()
    expect(await text(tabs[1], '/a')).toBe('new')
    expect(origin.requests).toHaveLength(2)
  })

  test('what an unsafe method invalidates is validated in the other tabs, too (RFC 9111 §4.4)', async () => {
    const { tabs, clock, origin } = await allHave('/a', { cacheControl: 'max-age=60', etag: '"1"', body: 'old' })
    origin.serves('POST /a', { status: 204 })
    await tabs[0]?.cache.fetch('/a', { method: 'POST' })
    await clock.settle()
    await text(tabs[1], '/a')
    expect(origin.requests.at(-1)).toMatchObject({ method: 'GET', ifNoneMatch: '"1"' })
  })

  test('what one has refreshed is shown by all, and their subscribers are told', async () => {
    const { tabs, clock, origin } = await allHave('/a', { cacheControl: 'max-age=10', json: { version: 1 } })
    const events: unknown[] = []
    tabs[1]?.cache.subscribe('/a', (event) => events.push(event))
    await clock.advance(11_000)
    origin.serves('/a', { cacheControl: 'max-age=10', json: { version: 2 } })
    await text(tabs[0], '/a')
    await clock.settle()
    expect(events).toEqual([{ type: 'stored', url: 'https://origin.test/a', bytes: 13, elsewhere: true }])
    expect(tabs[1]?.cache.peek('/a')).toMatchObject({ data: { version: 2 }, stale: false })
    expect(await tabs[1]?.cache.json('/a')).toEqual({ version: 2 })
    expect(origin.requests).toHaveLength(2)
  })

  test('a validation in one keeps the reference of what another has parsed (304)', async () => {
    const { tabs, clock } = await allHave('/a', { cacheControl: 'max-age=10', etag: '"1"', json: { version: 1 } })
    const before = await tabs[1]?.cache.json('/a')
    const events: unknown[] = []
    tabs[1]?.cache.subscribe('/a', ({ type }) => events.push(type))
    await clock.advance(11_000)
    await text(tabs[0], '/a')
    await clock.settle()
    expect(events).toEqual(['freshened'])
    expect(tabs[1]?.cache.peek('/a')).toMatchObject({ stale: false })
    expect(await tabs[1]?.cache.json('/a')).toBe(before)
  })

  test('a purge while a refresh waits for its turn: the old body is not validated back to life (Varnish c00129)', async () => {
    const { tabs, clock, origin } = await allHave('/a', {
      cacheControl: 'max-age=10, stale-while-revalidate=60',
      etag: '"1"',
      body: 'old',
    })
    await clock.advance(20_000)
    expect(await text(tabs[0], '/a')).toBe('old')
    // An origin that says that nothing has changed, though it has.
    origin.serves('/a', { cacheControl: 'max-age=10', etag: '"1"', body: 'new' })
    const purging = tabs[0]?.cache.purge({ all: true }, { mode: 'hard' })
    await clock.settle()
    await purging
    expect(origin.requests.slice(1).map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([undefined])
    expect(await text(tabs[0], '/a')).toBe('new')
    expect(await text(tabs[1], '/a')).toBe('new')
  })
})

test.each([
  ['is validated by one request, which all have', 'max-age=5'],
  ['is shown by all, and refreshed by one request', 'max-age=5, stale-while-revalidate=60'],
])('what twenty tabs ask for at once and is stale %s (FAULTS F-54)', async (_, cacheControl) => {
  const said = { cacheControl, etag: '"1"', body: 'a' }
  const { tabs, clock, origin } = await allHave('/a', said, 20)
  await clock.advance(10_000)
  const reading = tabs.map((tab) => text(tab, '/a'))
  await clock.settle()
  expect(await Promise.all(reading)).toEqual(Array(20).fill('a'))
  await clock.settle()
  expect(origin.requests.map(({ ifNoneMatch }) => ifNoneMatch)).toEqual([undefined, '"1"'])
})

test('a purge with a spread is refilled in every tab that shows it, by one request', async () => {
  const { tabs, clock, origin } = await allHave('/a', { cacheControl: 'max-age=60', json: { version: 1 } }, 3)
  tabs[1]?.cache.subscribe('/a', () => {})
  origin.serves('/a', { cacheControl: 'max-age=60', json: { version: 2 } })
  await tabs[0]?.cache.purge({ url: '/a' }, { mode: 'hard', spreadMs: 5_000 })
  await clock.settle()
  expect(tabs[1]?.cache.peek('/a')).toBeUndefined()
  await clock.advance(5_000)
  expect(tabs[1]?.cache.peek('/a')).toMatchObject({ data: { version: 2 }, stale: false })
  expect(origin.requests).toHaveLength(2)
})

describe('a page that could not hear', () => {
  test('back from the back/forward cache it looks at the log before it answers (DESIGN 6, FAULTS F-49)', async () => {
    const { tabs, clock, origin } = await allHave('/a', { cacheControl: 'max-age=60', body: 'old' })
    const [awake, asleep] = tabs
    asleep?.hide()
    await awake?.cache.purge({ url: '/a' }, { mode: 'hard' })
    origin.serves('/a', { cacheControl: 'max-age=60', body: 'new' })
    await clock.advance(1_000)
    asleep?.thaw()
    expect(asleep?.cache.peek('/a')).toBeUndefined()
    const reading = text(asleep, '/a')
    await clock.settle()
    expect(await reading).toBe('new')
  })

  test('what it looks at is shown as another tab has stored it meanwhile, and nothing is asked', async () => {
    const { tabs, clock, origin } = await allHave('/a', { cacheControl: 'max-age=60', json: 'old' })
    const [awake, asleep] = tabs as [WorldContext, WorldContext]
    const told: string[] = []
    asleep.cache.subscribe('/a', ({ type }) => told.push(type))
    asleep.hide()
    origin.serves('/a', { cacheControl: 'max-age=60', json: 'new' })
    await text(awake, '/a', { cache: 'reload' })
    await clock.settle()
    asleep.thaw()
    await clock.settle()
    expect(told).toEqual(['stored'])
    expect(asleep.cache.peek('/a')?.data).toBe('new')
    expect(origin.requests).toHaveLength(2)
  })

  test.each([
    ['is lost', { lost: 1 }],
    ['comes a minute late', { delayMs: 60_000 }],
  ])('of a purge whose message %s it knows when it is shown again (FAULTS F-18, F-52)', async (_, trouble) => {
    const said = { cacheControl: 'max-age=600', body: 'old' }
    const { tabs, clock, origin, trouble: befalls } = await allHave('/a', said)
    const [one, other] = tabs as [WorldContext, WorldContext]
    other.cover()
    befalls(trouble)
    await one.cache.purge({ url: '/a' }, { mode: 'hard' })
    // It dies before anybody has heard of it.
    one.kill()
    origin.serves('/a', { cacheControl: 'max-age=600', body: 'new' })
    expect(await text(other, '/a')).toBe('old')
    other.show()
    await clock.settle()
    const reading = text(other, '/a')
    await clock.settle()
    expect(await reading).toBe('new')
  })

  test('nothing was purged meanwhile: its memory is as good as before, and nothing is asked', async () => {
    const { tabs, clock, origin } = await allHave('/a', { cacheControl: 'max-age=60', body: 'a' })
    tabs[1]?.hide()
    await clock.advance(1_000)
    tabs[1]?.thaw()
    const causes = causesOf(tabs[1] as WorldContext)
    const reading = text(tabs[1], '/a')
    await clock.settle()
    expect(await reading).toBe('a')
    expect(causes).toEqual(['fresh'])
    expect(origin.requests).toHaveLength(1)
  })

  test('the log cannot be read: what memory has is validated, not trusted, and no answer waits longer than diskMs', async () => {
    const { tabs, clock, origin, database } = await allHave('/a', {
      cacheControl: 'max-age=60',
      etag: '"1"',
      body: 'a',
    })
    tabs[1]?.hide()
    await clock.advance(1_000)
    database.inject({ at: 'transaction', fault: 'hang' })
    tabs[1]?.thaw()
    const reading = text(tabs[1], '/a')
    await clock.advance(50)
    expect(await reading).toBe('a')
    expect(origin.requests.at(-1)).toMatchObject({ ifNoneMatch: '"1"' })
    database.release()
    await clock.advance(10_000)
  })

  test('after sign-out in another tab nothing of the user is painted by it (FAULTS F-49)', async () => {
    const world = await createWorld({ cache: { partition: 'anna' } })
    world.origin.serves('/me', { cacheControl: 'private, max-age=60', json: { name: 'anna' } })
    const [one, other] = world.tabs
    await text(one, '/me')
    await world.clock.settle()
    await text(other, '/me')
    await world.clock.settle()
    const events: string[] = []
    other?.cache.on(({ type }) => events.push(type))
    other?.hide()
    await one?.cache.setPartition(undefined)
    await world.clock.advance(1_000)
    other?.thaw()
    expect(other?.cache.peek('/me')).toBeUndefined()
    await world.clock.settle()
    expect(events).toContain('partition-left')
    expect(other?.cache.peek('/me')).toBeUndefined()
  })

  test('signed out in one tab, the others leave at once, without asking for anything', async () => {
    const world = await createWorld({ tabs: 3, cache: { partition: 'anna' } })
    const left: number[] = []
    for (const [index, { cache }] of world.tabs.entries()) {
      await cache.json('/me').catch(() => {})
      cache.on(({ type }) => type === 'partition-left' && left.push(index))
    }
    await world.clock.settle()
    await world.tabs[0]?.cache.setPartition(undefined)
    await world.clock.settle()
    expect(left).toEqual([1, 2])
  })
})

test('messages of strangers change nothing and throw nothing (FAULTS F-51)', async () => {
  const { tabs, clock, origin, post } = await allHave('/a', { cacheControl: 'max-age=60', body: 'a' })
  const circular: { self?: unknown } = {}
  circular.self = circular
  for (const junk of [undefined, null, 1, 'x', [], circular, { nearcache: 1 }, { nearcache: 1, hints: 'x' }]) post(junk)
  for (const hint of [
    null,
    1,
    {},
    { kind: 'stored', partition: '', key: [] },
    { kind: 'stored', partition: 1, key: ['x'] },
  ])
    post({ nearcache: 1, hints: [hint] })
  const forged = { kind: 'purged', purge: { selector: { all: true }, mode: 'hard', at: 0 } }
  post({ nearcache: 2, hints: [forged] })
  for (const purge of [
    {},
    { selector: { urls: null, tags: ['x'] }, mode: 'hard', at: 0 },
    { selector: {}, mode: 'hard', at: 0 },
  ])
    post({ nearcache: 1, hints: [{ kind: 'purged', purge, epoch: { incarnation: 'x', number: 1 } }] })
  // One that the log does not have is in force only until the log has been read.
  post({ nearcache: 1, hints: [{ ...forged, epoch: { incarnation: 'x', number: 99 } }] })
  await clock.settle()
  expect(await text(tabs[1], '/a')).toBe('a')
  expect(origin.requests).toHaveLength(1)
})

test('a thousand messages of one moment are one look into the store', async () => {
  const { clock, post, database } = await allHave('/a', { cacheControl: 'max-age=60', body: 'a' })
  const before = database.count('transaction')
  for (let index = 0; index < 1_000; index++) post({ nearcache: 1, hints: [{ kind: 'look' }] })
  await clock.settle()
  expect(database.count('transaction') - before).toBeLessThanOrEqual(4)
})
