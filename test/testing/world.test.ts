import { describe, expect, test } from 'vitest'
import { createWorld, type World, type WorldContext, type WorldOptions } from '../../src/testing/index.ts'
import { readDisk } from '../../src/testing/world-disk.ts'
import { walk } from './worlds/kinds.ts'

const STEPS = 6_000

test(`${STEPS} random steps of tabs and workers break no law (DESIGN 12)`, { timeout: 60_000 + STEPS * 20 }, () =>
  walk(1, STEPS),
)

test('the same seed gives the same trace', async () => {
  const traceOf = async () => {
    const world = await createWorld({
      seed: 7,
      tabs: 3,
      worker: true,
      users: 2,
      versions: 2,
      cache: { disk: { encrypt: true } },
    })
    await world.run(300)
    return world.trace()
  }
  expect(await traceOf()).toEqual(await traceOf())
})

describe('two versions of the library (law 11, FAULTS F-19)', () => {
  /** A tab of each version. */
  async function both() {
    const world = await createWorld({ versions: 2 })
    for (const [index, version] of (['this', 'later'] as const).entries())
      while (world.tabs[index]?.version !== version) world.tabs[index]?.reload()
    world.origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', json: { seq } }))
    const [ours, theirs] = world.tabs as [WorldContext, WorldContext]
    return { ...world, ours, theirs }
  }

  test('what the later one has stored is a miss, and what this one has stored both read', async () => {
    const { ours, theirs, origin, clock } = await both()
    await theirs.cache.json('/a')
    await clock.settle()
    expect(await ours.cache.json('/a')).toEqual({ seq: 2 })
    await clock.settle()
    theirs.reload()
    ours.reload()
    expect([await theirs.cache.json('/a'), await ours.cache.json('/a')]).toEqual([{ seq: 2 }, { seq: 2 }])
    expect(origin.requests).toHaveLength(2)
  })

  test('a purge by the later one holds in this one from its next look at the log, though it does not hear of it', async () => {
    const { ours, theirs, clock } = await both()
    expect(await ours.cache.json('/a')).toEqual({ seq: 1 })
    await theirs.cache.purge({ url: '/a' }, { mode: 'hard' })
    await clock.settle()
    expect(ours.cache.peek('/a')?.data).toEqual({ seq: 1 })
    ours.hide()
    ours.thaw()
    expect(await ours.cache.json('/a')).toEqual({ seq: 2 })
  })
})

/** A world in which `/a` is fresh for a minute, and may be shown for another while it is refreshed. */
async function worldWithA(options: WorldOptions): Promise<World> {
  const world = await createWorld(options)
  const cacheControl = 'max-age=60, stale-while-revalidate=60'
  world.origin.serves('/a', ({ seq, headers }) => ({ cacheControl, json: { seq, to: headers.authorization ?? '' } }))
  return world
}

describe('what a browser may lack', () => {
  const readByBoth = async ({ tabs }: World) => Promise.all(tabs.map(({ cache }) => cache.json('/a')))

  test('without locks each tab has a flight of its own, and no more than that (FAULTS F-54)', async () => {
    const world = await worldWithA({ without: ['locks'] })
    await Promise.all([readByBoth(world), readByBoth(world)])
    expect(world.origin.requests).toHaveLength(2)
  })

  test('without a channel one flight serves both, and a purge by one is known to the other when it looks', async () => {
    const world = await worldWithA({ without: ['channel'] })
    await readByBoth(world)
    expect(world.origin.requests).toHaveLength(1)
    const [one, other] = world.tabs as [WorldContext, WorldContext]
    await one.cache.purge({ url: '/a' }, { mode: 'hard' })
    await world.clock.settle()
    expect(other.cache.peek('/a')?.data).toMatchObject({ seq: 1 })
    other.cover()
    other.show()
    await world.clock.settle()
    expect(await other.cache.json('/a')).toMatchObject({ seq: 2 })
  })
})

describe('users of one profile (law 5)', () => {
  const as = (user: string) => ({ headers: { authorization: user } })

  test('a service worker goes where the database goes: from one user to the next it shows nothing', async () => {
    const { tabs, worker, clock } = await worldWithA({ tabs: 1, worker: true })
    const [tab] = tabs as [WorldContext]
    await tab.cache.setPartition('ada')
    expect(await tab.cache.json('/a', as('ada'))).toMatchObject({ to: 'ada' })
    await clock.settle()
    const answer = await worker?.cache.fetch('/a')
    expect(await answer?.json()).toMatchObject({ to: 'ada' })
    await tab.cache.setPartition('bob')
    const next = await worker?.cache.fetch('/a')
    expect(await next?.json()).toMatchObject({ seq: 2, to: '' })
  })

  test('what is encrypted lies on the disk so that nobody reads it there, and comes back with the page', async () => {
    const { tabs, clock, database, origin } = await worldWithA({ tabs: 1, cache: { disk: { encrypt: true } } })
    const [tab] = tabs as [WorldContext]
    await tab.cache.setPartition('ada')
    await tab.cache.json('/a', as('ada'))
    await clock.settle()
    const [lies] = await readDisk(database, 'nearcache')
    expect(lies).toMatchObject({ partition: 'ada' })
    expect(lies?.text).not.toContain('"to"')
    tab.reload()
    tab.cache.setPartition('ada')
    expect(await tab.cache.json('/a', as('ada'))).toMatchObject({ to: 'ada' })
    expect(origin.requests).toHaveLength(1)
  })
})

describe('background work is done by whoever is seen, or by the worker (DESIGN 7)', () => {
  /** A hidden tab, a visible one and a worker, all with a stale response at hand; and who has refreshed. */
  async function stale() {
    const world = await worldWithA({ worker: true })
    const [hidden, visible] = world.tabs as [WorldContext, WorldContext]
    const all = [hidden, visible, world.worker as WorldContext]
    const refreshed: string[] = []
    for (const { cache, name } of all) {
      await cache.fetch('/a').then((response) => response.text())
      cache.on(({ type }) => type === 'refreshing' && refreshed.push(name))
    }
    hidden.cover()
    await world.clock.advance(70_000)
    const read = async ({ cache }: WorldContext) => (await (await cache.fetch('/a')).json()).seq
    return { ...world, hidden, visible, helper: world.worker as WorldContext, refreshed, read }
  }

  test('a hidden tab shows what is stale and leaves the refresh to the visible one, whose result it has without asking', async () => {
    const { hidden, visible, read, refreshed, clock, origin } = await stale()
    expect(await read(hidden)).toBe(1)
    await clock.settle()
    expect([refreshed, origin.requests.length]).toEqual([[], 1])
    expect(await read(visible)).toBe(1)
    await clock.settle()
    expect(refreshed).toEqual(['tab 2'])
    expect(await read(hidden)).toBe(2)
    expect(origin.requests).toHaveLength(2)
  })

  test('or to the worker', async () => {
    const { hidden, helper, read, refreshed, clock } = await stale()
    expect([await read(hidden), await read(helper)]).toEqual([1, 1])
    await clock.settle()
    expect(refreshed).toEqual(['worker'])
    expect(await read(hidden)).toBe(2)
  })

  test('what it left undone a tab does itself when it is shown again and still wants it', async () => {
    const { hidden, read, refreshed, clock } = await stale()
    await read(hidden)
    hidden.show()
    await read(hidden)
    await clock.settle()
    expect(refreshed).toEqual(['tab 1'])
  })
})
