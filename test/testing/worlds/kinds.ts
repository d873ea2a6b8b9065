import type { WorldOptions } from '../../../src/testing/index.ts'
import { createWorld } from '../../../src/testing/index.ts'

/** Steps of one world: then another one begins, from the next seed. */
export const WALK = 600

/** Room for one response or two. */
const TINY = { disk: { maxBytes: 600, maxEntryBytes: 300 }, memory: { maxBytes: 700, maxEntryBytes: 300 } }

/** The world of a seed: so many tabs, a worker of either kind or none, one version of the library or two, users, little room, encryption, a browser without this or that, each with all others in turn. */
function worldOf(seed: number): WorldOptions {
  const hasUsers = seed % 3 === 0
  const isTiny = seed % 5 === 0
  const lacksBoth = seed % 11 === 4
  return {
    seed,
    tabs: 2 + (Math.floor(seed / 3) % 3),
    worker: seed % 4 === 0 ? true : seed % 4 === 2 ? 'dedicated' : false,
    versions: seed % 8 < 4 ? 1 : 2,
    users: hasUsers ? 2 : 0,
    without: [
      ...(lacksBoth || seed % 7 === 3 ? (['locks'] as const) : []),
      ...(lacksBoth || seed % 7 === 5 ? (['channel'] as const) : []),
    ],
    cache: {
      ...(isTiny && TINY),
      ...(seed % 6 === 0 && { disk: { ...(isTiny && TINY.disk), encrypt: true } }),
    },
  }
}

/**
 * Walks through as many worlds as it takes for so many steps, from this seed on.
 *
 * @throws Error with the seed of the first one in which a law was broken, and the fewest steps that break it
 */
export async function walk(first: number, steps: number): Promise<void> {
  for (let seed = first; seed < first + steps / WALK; seed++) {
    const world = await createWorld(worldOf(seed))
    await world.run(WALK)
  }
}
