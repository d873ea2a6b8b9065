import { describe, expect, test } from 'vitest'
import { createCache, type NearCache, type PurgeSelector } from '../../src/index.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { type DatabasePoint, seededRandom, virtualIndexedDB } from '../../src/testing/index.ts'
import { countingOrigin, end, gates, type Path, paths, turn } from '../engine/counting-origin.ts'

/** What each selector covers, as this test knows it without asking. */
const covering: ReadonlyArray<readonly [PurgeSelector, readonly Path[]]> = [
  [{ url: '/a' }, ['/a']],
  [{ url: '/c' }, ['/c']],
  [{ tag: 'shelf' }, ['/a', '/b']],
  [{ pattern: 'https://origin.test/*' }, paths],
  [{ all: true }, paths],
]

const faults: ReadonlyArray<readonly [at: DatabasePoint, fault: string]> = [
  ['commit', 'QuotaExceededError'],
  ['commit', 'lose'],
  ['transaction', 'InvalidStateError'],
  ['transaction', 'lose'],
  ['request', 'UnknownError'],
  ['request', 'lose'],
  ['open', 'UnknownError'],
]

/**
 * One race over IndexedDB, from one seed: reads, purges, unsafe methods and reloads, while transactions take their turns and the origin waits for chance. What is asked for after a
 * purge is done must not be older than it, also after a reload. `isIll`: operations of the database fail now and then, and nothing is reloaded, as what is not durable may be lost.
 */
async function race(seed: number, isIll: boolean): Promise<{ reads: number; purges: number; reloads: number }> {
  const random = seededRandom(seed)
  const upTo = (count: number) => Math.floor(random() * count)
  const chance = (share: number) => random() < share
  const held = gates()
  const origin = countingOrigin(held)
  const database = await virtualIndexedDB()
  const clock = { now: () => Date.UTC(2026, 0, 1), sleep: () => new Promise<void>(() => {}) }
  const make = () =>
    createCache({
      fetch: origin.fetch,
      base: 'https://origin.test',
      clock,
      random,
      earlyExpiry: false,
      store: createIndexedDbStore({
        name: 'race',
        factory: database.factory,
        keyRange: database.keyRange,
        clock,
        random,
        maxBytes: 1_000_000,
        maxEntryBytes: 100_000,
        inlineBytes: chance(0.5) ? 0 : 65_536,
        onNotice() {},
      }),
    })
  let cache = make()
  const done = { reads: 0, purges: 0, reloads: 0 }

  async function read(from: NearCache, path: Path, init?: RequestInit): Promise<void> {
    await origin.read(from, path, seed, init)
    done.reads++
  }
  function step(): Promise<unknown> {
    const path = paths[upTo(paths.length)] as Path
    if (isIll && chance(0.2)) {
      const [at, fault] = faults[upTo(faults.length)] as (typeof faults)[number]
      database.inject({ at, fault, nth: 1 + upTo(3) })
    }
    if (chance(0.6)) return read(cache, path, chance(0.4) ? { cache: 'no-cache' } : {})
    done.purges++
    if (chance(0.25)) return origin.change(cache, path).then(origin.demand)
    const [selector, covered] = covering[upTo(covering.length)] as (typeof covering)[number]
    const raised = origin.raise(covered)
    return cache.purge(selector, { mode: chance(0.5) ? 'soft' : 'hard' }).then(() => origin.demand(raised))
  }
  let working: Array<Promise<unknown>> = []
  for (let steps = 0; steps < 12; steps++) {
    working.push(step())
    for (let going = upTo(12); going > 0; going--) {
      await turn()
      // Rarely enough that exchanges are under way when a purge comes.
      if (chance(0.3)) held.open(upTo(held.count()))
    }
    if (isIll || !chance(0.1)) continue
    await end(Promise.all(working), held)
    working = []
    // What is on its way to the disk when the page goes may arrive or not.
    if (chance(0.5)) await end(cache.settled(), held)
    await end(cache.close(), held)
    cache = make()
    done.reloads++
  }
  await end(Promise.all(working), held)
  await end(cache.settled(), held)
  database.release()
  for (const path of paths) await end(read(cache, path), held)
  await end(cache.close(), held)
  if (!isIll) {
    const later = make()
    for (const path of paths) await end(read(later, path), held)
    await end(later.close(), held)
  }
  return done
}

describe('F-56: five hundred races over IndexedDB: no read that starts after a purge gets what was asked for before it', () => {
  test.each([
    ['with reloads', false],
    ['with a database that fails now and then', true],
  ])('%s', { timeout: 120_000 }, async (_, isIll) => {
    const all = { reads: 0, purges: 0, reloads: 0 }
    for (let seed = 1; seed <= 250; seed++) {
      const { reads, purges, reloads } = await race(seed, isIll)
      all.reads += reads
      all.purges += purges
      all.reloads += reloads
    }
    expect(all.reads).toBeGreaterThan(2_000)
    expect(all.purges).toBeGreaterThan(1_000)
    expect(all.reloads > 150).toBe(!isIll)
  })
})
