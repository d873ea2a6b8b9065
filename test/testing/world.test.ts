import { expect, test } from 'vitest'
import { createWorld } from '../../src/testing/index.ts'

const STEPS = Number(process.env.WORLD_STEPS ?? 6_000)
/** Steps of one world: then another one begins, from the next seed. */
const WALK = 600
const FIRST = Number(process.env.WORLD_SEED ?? 1)

test(`${STEPS} random steps of tabs and a worker break no law (DESIGN 12)`, {
  timeout: 60_000 + STEPS * 20,
}, async () => {
  for (let seed = FIRST; seed < FIRST + STEPS / WALK; seed++) {
    const world = await createWorld({ seed, tabs: 2 + (seed % 3), worker: seed % 2 === 0 })
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
