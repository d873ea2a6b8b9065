import { test } from 'vitest'
import { WALK, walk } from './kinds.ts'

/** Each is a file of its own, so that as many run at once as there are processors. */
const PARTS = 4
const STEPS = Number(process.env.WORLD_STEPS ?? 1_000_000) / PARTS
const FIRST = Number(process.env.WORLD_SEED ?? 1)

/** A quarter of the steps, with seeds of its own. */
export const walkPart = (part: 1 | 2 | 3 | 4): void => {
  const first = FIRST + (part - 1) * Math.ceil(STEPS / WALK)
  test(`${STEPS} random steps from seed ${first} on break no law (DESIGN 12)`, { timeout: 60_000 + STEPS * 20 }, () =>
    walk(first, STEPS),
  )
}
