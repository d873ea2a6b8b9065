import { describe, expect, test } from 'vitest'
import { appendPurge } from '../../src/http/purge-log.ts'
import type { NearCache, PurgeOptions, PurgeSelector } from '../../src/index.ts'
import type { Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { type DatabasePoint, seededRandom } from '../../src/testing/index.ts'
import { failAt, failEach } from './fail-each.ts'
import { judge, operations, type World, world } from './public-operations.ts'

// Law 6 (DESIGN §12): no failure of storage fails a read that bare fetch would have answered, or delays it beyond diskMs, and no torn record is ever served. So every operation meets a
// failure at its first storage call, at its second, and so on, until it needs no more of them.

test('the operations are all that a cache can do, by every selector', async () => {
  const used = new Set<string>()
  for (const operation of operations) {
    const here = await world()
    const { cache } = here.page()
    const watching = new Proxy(cache, {
      get(real, name: keyof NearCache) {
        used.add(name)
        if (name !== 'purge') return real[name]
        return (selector: PurgeSelector, options?: PurgeOptions) => {
          used.add(`purge by ${Object.keys(selector)}`).add(`purge: ${options?.mode ?? 'soft'}`)
          return cache.purge(selector, options)
        }
      },
    })
    await operation.run(watching, here)
  }
  const { cache } = (await world()).page()
  const selectors = ['url', 'tag', 'tags', 'pattern', 'partition', 'all'].map((name) => `purge by ${name}`)
  expect([...used].sort()).toEqual([...Object.keys(cache), ...selectors, 'purge: hard', 'purge: soft'].sort())
})

type Way = 'throws' | 'hangs until its deadline' | 'succeeds, but is lost'

/** The store as it is, save for one call. */
function failingAt(store: Store, nth: number, way: Way, { clock }: World): Store & { calls: number; isWell: boolean } {
  const real = store as Required<Store>
  async function strike<T>(work: () => Promise<T>, lose: () => Promise<T>): Promise<T> {
    if (++failing.calls !== nth || failing.isWell) return work()
    if (way === 'throws') throw new Error('No such luck')
    if (way === 'succeeds, but is lost') return lose()
    await clock.sleep(3_000)
    throw new DOMException('No answer', 'TimeoutError')
  }
  const failing = {
    calls: 0,
    isWell: false,
    read: (keys) =>
      strike(
        () => real.read(keys),
        () => real.read([]),
      ),
    update: (keys, change, options) =>
      strike(
        () => real.update(keys, change, options),
        async () => {
          const purges: Parameters<typeof appendPurge>[1][] = []
          const log = await real.update(
            keys,
            (snapshot) => {
              for (const one of change(snapshot)) if (one.kind === 'purge') purges.push(one.purge)
              return []
            },
            options,
          )
          return purges.reduce(appendPurge, log)
        },
      ),
    enter: (partition) =>
      strike(
        () => real.enter(partition),
        async () => ({ log: (await real.read([])).log, removed: { records: 0, bodies: 0, bytes: 0 } }),
      ),
    close: () => real.close(),
  } satisfies Store & { calls: number; isWell: boolean }
  return failing
}

describe.each(['throws', 'hangs until its deadline', 'succeeds, but is lost'] as const)(
  'a call of the store that %s',
  (way) => {
    test.each(operations.map((one) => [one.name, one] as const))('%s', { timeout: 60_000 }, async (_, operation) => {
      const { failed, ...outcome } = await failEach(operation, async (here, nth) => {
        const { factory, keyRange } = here.database
        const room = { maxBytes: 1e7, maxEntryBytes: 1e6, onNotice: () => {} }
        const store = createIndexedDbStore({
          ...room,
          name: 'nearcache',
          factory,
          keyRange,
          clock: here.clock,
          random: seededRandom(7),
        })
        const failing = failingAt(store, nth, way, here)
        const page = here.page({ store: failing })
        let wasStruck = false
        const heal = () => {
          wasStruck = failing.calls >= nth
          failing.isWell = true
        }
        const broken = await judge(here, page, operation, heal, way === 'succeeds, but is lost')
        return { wasStruck, broken }
      })
      expect(outcome).toEqual({ broken: [], unhandled: [] })
      expect(failed > 0).toBe(!operation.isBare)
    })
  },
)

const points: ReadonlyArray<readonly [DatabasePoint, readonly string[]]> = [
  ['open', ['SecurityError', 'hang']],
  ['transaction', ['InvalidStateError', 'hang']],
  ['request', ['UnknownError', 'ConstraintError', 'lose']],
  ['commit', ['QuotaExceededError', 'lose', 'hang']],
]

describe.each(points.flatMap(([at, faults]) => faults.map((fault) => [at, fault] as const)))(
  'IndexedDB: at a %s, %s',
  (at, fault) => {
    test.each(operations.map((one) => [one.name, one] as const))('%s', { timeout: 60_000 }, async (_, operation) => {
      const { failed, ...outcome } = await failEach(operation, failAt(operation, at, fault))
      expect(outcome).toEqual({ broken: [], unhandled: [] })
      // A database opens with its cache, whatever is done with it.
      if (at !== 'commit') expect(failed > 0).toBe(at === 'open' || !operation.isBare)
    })
  },
)
