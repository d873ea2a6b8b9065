import { describe, expect, test } from 'vitest'
import { createWorld, type WorldContext } from '../../src/testing/index.ts'

const STEPS = Number(process.env.WORLD_STEPS ?? 6_000)
/** Steps of one world: then another one begins, from the next seed. */
const WALK = 600
/** Room for one response or two. */
const TINY = { disk: { maxBytes: 600, maxEntryBytes: 300 }, memory: { maxBytes: 700, maxEntryBytes: 300 } }
const FIRST = Number(process.env.WORLD_SEED ?? 1)

test(`${STEPS} random steps of tabs and a worker break no law (DESIGN 12)`, {
  timeout: 60_000 + STEPS * 20,
}, async () => {
  for (let seed = FIRST; seed < FIRST + STEPS / WALK; seed++) {
    const versions = seed % 4 < 2 ? 1 : 2
    const cache = seed % 5 === 0 ? TINY : {}
    const world = await createWorld({ seed, tabs: 2 + (seed % 3), worker: seed % 2 === 0, versions, cache })
    await world.run(WALK)
  }
})

test('the same seed gives the same trace', async () => {
  const traceOf = async () => {
    const world = await createWorld({ seed: 7, tabs: 3, worker: true })
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
