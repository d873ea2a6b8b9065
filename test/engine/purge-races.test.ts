import { describe, expect, test } from 'vitest'
import { createCache, type NearCache, type PurgeSelector } from '../../src/index.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { countingOrigin, end, gates, type Path, paths, turn } from './counting-origin.ts'
import { gatedStore, type StorePoint } from './gated-store.ts'
import { type Harness, harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** By URL, by label, by path, by origin, and all. */
const selectors: readonly PurgeSelector[] = [
  { url: '/a' },
  { tag: 'shelf' },
  { pattern: '/a*' },
  { pattern: 'https://origin.test/*' },
  { all: true },
]

/** All ways to say that `/a` is not what it was. */
const ways: ReadonlyArray<readonly [string, (cache: NearCache) => Promise<unknown>]> = [
  ...(['soft', 'hard'] as const).flatMap((mode) =>
    selectors.map(
      (selector) =>
        [
          `${mode} purge of ${JSON.stringify(selector)}`,
          (cache: NearCache) => cache.purge(selector, { mode }),
        ] as const,
    ),
  ),
  ['POST', (cache) => cache.fetch('/a', { method: 'POST' })],
  ['POST with Content-Location', (cache) => cache.fetch('/basket', { method: 'POST' })],
  ['POST with Cache-Group-Invalidation', (cache) => cache.fetch('/shelf', { method: 'POST' })],
]

interface Race extends Harness {
  /** The store waits at this point, once, until the answer is called. */
  holdStore(point: StorePoint): { readonly reached: Promise<void>; release(): void }
  /** From now on the old body is old, and the cache is told so. */
  purge(): void
}

/** Brings a read of `/a` to some point, lets the purge happen there, and then everything go on. Gives what the read came to. */
type Point = (race: Race) => Promise<string | undefined>

const atStore =
  (point: StorePoint): Point =>
  async ({ cache, holdStore, purge }) => {
    const hold = holdStore(point)
    const reading = text(cache.fetch('/a'))
    await hold.reached
    purge()
    hold.release()
    return reading
  }

/** Where a purge can meet a response on its way into the store. */
const points: Readonly<Record<string, Point>> = {
  'before dispatch, while the store is read': atStore('read'),
  'before the head': async ({ cache, origin, clock, purge }) => {
    const hold = origin.hold('/a')
    const reading = text(cache.fetch('/a'))
    await clock.settle()
    expect(hold.waiting).toBe(1)
    purge()
    await clock.settle()
    hold.release()
    return reading
  },
  'after the head': async ({ cache, origin, purge }) => {
    const hold = origin.hold('/a', 'body')
    const response = await cache.fetch('/a')
    purge()
    hold.release()
    return response.text()
  },
  'in the middle of the body': async ({ cache, origin, purge }) => {
    const hold = origin.hold('/a', 'body')
    const response = await cache.fetch('/a')
    const reader = response.body?.getReader()
    let body = ''
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      if (body === '') purge()
      hold.release()
      body += new TextDecoder().decode(part.value)
    }
    return body
  },
  'before the transaction': atStore('before'),
  'inside the transaction': atStore('inside'),
  'after the transaction': atStore('after'),
  'before others are told': async ({ cache, purge }) => {
    const stop = cache.on(({ type }) => {
      if (type === 'stored') purge()
    })
    const body = await text(cache.fetch('/a'))
    stop()
    return body
  },
}

describe.each(Object.entries(points))(
  'a purge %s: the old body is never served as new (RFC 9111 §4.4; F-56)',
  (_, reach) => {
    test.each(ways)('%s', async (_, change) => {
      let gate: (point: StorePoint) => Promise<void> = () => Promise.resolve()
      const store = gatedStore((point) => gate(point))
      const world = harness({ store })
      const { cache, origin } = world
      const serves = (body: string) =>
        origin.serves('/a', {
          cacheControl: 'max-age=600',
          tags: ['shelf'],
          headers: { 'cache-groups': '"shelf"' },
          body,
        })
      serves('old')
      origin.serves('/basket', { status: 201, headers: { 'content-location': '/a' } })
      origin.serves('/shelf', { status: 201, headers: { 'cache-group-invalidation': '"shelf"' } })
      // The log of the store is known before the race begins.
      await text(cache.fetch('/other'))
      await cache.settled()

      const purging: Array<Promise<unknown>> = []
      const body = await reach({
        ...world,
        holdStore(held) {
          let release = () => {}
          const reached = new Promise<void>((resolve) => {
            gate = (point) => {
              if (point !== held) return Promise.resolve()
              gate = () => Promise.resolve()
              resolve()
              return new Promise((open) => {
                release = open
              })
            }
          })
          return { reached, release: () => release() }
        },
        purge() {
          serves('new')
          purging.push(change(cache))
        },
      })
      expect(purging).toHaveLength(1)
      // What was asked for before the purge is for its own caller; what was asked for after it is not.
      expect(body).toBe(reach === points['before dispatch, while the store is read'] ? 'new' : 'old')
      await purging[0]
      await cache.settled()
      const later = harness({ store, fetch: origin.fetch })
      expect(await text(later.cache.fetch('/a'))).toBe('new')
      expect(await text(cache.fetch('/a'))).toBe('new')
    })
  },
)

/** What each selector covers, as this test knows it without asking. */
const covering: ReadonlyArray<readonly [PurgeSelector, readonly Path[]]> = [
  [{ url: '/a' }, ['/a']],
  [{ url: '/b' }, ['/b']],
  [{ tag: 'shelf' }, ['/a', '/b']],
  [{ tags: ['shelf', 'till'] }, paths],
  [{ pattern: '/b*' }, ['/b']],
  [{ all: true }, paths],
]

/**
 * One race, from one seed: reads, purges and unsafe methods, while every step of origin and store waits until chance lets it go on.
 *
 * The origin counts versions. A purge raises the versions it covers and then tells the cache; from the moment in which the cache says that it is done, a read
 * that starts must not get a lower version. `isIll`: the store fails now and then.
 */
async function race(seed: number, isIll: boolean): Promise<{ reads: number; purges: number }> {
  const random = seededRandom(seed)
  const upTo = (count: number) => Math.floor(random() * count)
  const chance = (share: number) => random() < share
  const held = gates()
  const origin = countingOrigin(held)
  let now = Date.UTC(2026, 0, 1)
  let isHealthy = !isIll
  const store = gatedStore(async () => {
    await held.wait()
    if (!isHealthy && chance(0.1)) throw new Error('The disk is ill')
  })
  const options = {
    fetch: origin.fetch,
    store,
    base: 'https://origin.test',
    random,
    earlyExpiry: false as const,
    clock: {
      now: () => now,
      sleep: (ms: number, signal?: AbortSignal) =>
        held.wait().then(() => {
          signal?.throwIfAborted()
          now += ms
        }),
    },
  }
  const cache = createCache(options)
  const working: Array<Promise<unknown>> = []
  const done = { reads: 0, purges: 0 }

  const read = async (from: NearCache, path: Path, init?: RequestInit) => {
    await origin.read(from, path, seed, init)
    done.reads++
  }
  const step = (): Promise<unknown> => {
    const path = paths[upTo(paths.length)] as Path
    if (chance(0.6)) return read(cache, path, chance(0.15) ? { cache: chance(0.5) ? 'no-cache' : 'reload' } : {})
    done.purges++
    if (chance(0.25)) return origin.change(cache, path).then(origin.demand)
    const [selector, covered] = covering[upTo(covering.length)] as (typeof covering)[number]
    const raised = origin.raise(covered)
    return cache.purge(selector, { mode: chance(0.5) ? 'soft' : 'hard' }).then(() => origin.demand(raised))
  }

  for (let steps = 0; steps < 14; steps++) {
    working.push(step())
    for (let going = upTo(8); going > 0; going--) {
      await turn()
      held.open(upTo(held.count()))
    }
  }
  await end(Promise.all(working), held)
  await end(cache.settled(), held)
  isHealthy = true
  for (const path of paths) await end(read(cache, path), held)
  if (!isIll) {
    const later = createCache(options)
    for (const path of paths) await end(read(later, path), held)
    await end(later.close(), held)
  }
  await end(cache.close(), held)
  return done
}

describe('a thousand races from a thousand seeds: no read that starts after a purge gets what was asked for before it', () => {
  test.each([
    ['the store is slow', false],
    ['the store is slow and ill', true],
  ])('%s', { timeout: 120_000 }, async (_, isIll) => {
    const done = { reads: 0, purges: 0 }
    for (let seed = 1; seed <= 500; seed++) {
      const { reads, purges } = await race(seed, isIll)
      done.reads += reads
      done.purges += purges
    }
    expect(done.reads).toBeGreaterThan(5_000)
    expect(done.purges).toBeGreaterThan(2_000)
  })
})
