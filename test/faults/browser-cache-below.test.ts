import { describe, expect, test } from 'vitest'
import type { Transport } from '../../src/ports/transport.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { causeOf } from '../engine/cause-of.ts'
import { gatedStore } from '../engine/gated-store.ts'
import type { Harness } from '../engine/harness.ts'
import { pageHarness } from '../engine/page-harness.ts'
import { profile } from '../service-worker/worker-harness.ts'

const second = 1_000

/** A browser's own cache between us and the origin, as far as its modes go: it serves its copy within the stale-while-revalidate window and says nothing of it. */
function browserCache(world: () => Harness, usableMs: number): Transport {
  let copy: { readonly response: Response; readonly at: number } | undefined
  return async (input, init) => {
    const { origin, clock } = world()
    const mode = init?.cache ?? 'default'
    const mayServe = mode === 'default' || mode === 'force-cache' || mode === 'only-if-cached'
    if (mayServe && copy && clock.now() - copy.at <= usableMs) return copy.response.clone()
    const response = await origin.fetch(input, init)
    if (mode !== 'no-store') copy = { response: response.clone(), at: clock.now() }
    return response
  }
}

/** A page whose browser has had `/a` since a while, which our cache does not know. */
async function inBrowserFor(ms: number) {
  const world: Harness = pageHarness({ fetch: (input, init) => below(input, init), earlyExpiry: false })
  const below = browserCache(() => world, 61 * second)
  world.origin.serves('/a', ({ at }) => ({
    cacheControl: 'max-age=1, stale-while-revalidate=60',
    json: { madeAt: at },
  }))
  await (await below(`${world.origin.url}/a`)).text()
  await world.clock.advance(ms)
  return world
}

/** How old the data are that a read gives, by the origin's own stamp. */
async function staleness({ cache, clock }: Harness): Promise<number> {
  const { madeAt } = await cache.json<{ madeAt: number }>('/a')
  return clock.now() - madeAt
}

test('F-33: what the browser served from its own cache is as old as its Date says: staleness is counted once over both (RFC 9111 §4.2.3, RFC 5861 §3)', async () => {
  for (let had = 0; had <= 70; had += 10) {
    for (let gap = 0; gap <= 70; gap += 5) {
      const world = await inBrowserFor(had * second)
      for (let read = 0; read < 3; read++) {
        expect(await staleness(world), `${had} s in the browser, read ${read}, ${gap} s apart`).toBeLessThanOrEqual(
          61 * second,
        )
        await world.clock.advance(gap * second)
      }
    }
  }
})

test.each([
  [11, 'stale-while-revalidate'],
  [12, 'expired'],
])(
  'F-33: a copy of the browser’s that was stale for 49 seconds when it came, %i seconds later: %s (RFC 5861 §3)',
  async (seconds, cause) => {
    const world = await inBrowserFor(50 * second)
    expect(await staleness(world)).toBe(50 * second)
    expect(world.origin.requests).toHaveLength(1)
    await world.clock.advance(seconds * second)
    expect(causeOf(await world.cache.fetch('/a'))).toBe(cause)
    await world.cache.settled()
    expect(world.origin.requests).toHaveLength(2)
    expect(await staleness(world)).toBe(0)
  },
)

test('F-33: a refresh goes past the browser’s copy, so it brings what the origin has now (Fetch, HTTP-network-or-cache fetch)', async () => {
  const world = await inBrowserFor(0)
  await staleness(world)
  await world.clock.advance(30 * second)
  await world.cache.fetch('/a')
  await world.cache.settled()
  expect(world.origin.requests.map(({ cacheMode }) => cacheMode)).toEqual(['default', 'no-cache'])
  expect(await staleness(world)).toBe(0)
})

test.each([
  ['is late', (): Promise<void> => new Promise(() => {})],
  ['fails', (): Promise<void> => Promise.reject(new DOMException('gone', 'UnknownError'))],
])(
  'a disk that %s may hold purges: the browser’s own copy is not believed before it has been read (Fetch, HTTP-network-or-cache fetch; law 2)',
  async (_, gate) => {
    let isIll = false
    const store = gatedStore((point) => (isIll && point === 'read' ? gate() : Promise.resolve()))
    const below = browserCache(() => world, 3_600 * second)
    const before: Harness = pageHarness({ fetch: (input, init) => below(input, init), store })
    const { origin, clock } = before
    let world = before
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=3600', json: { seq } }))
    await before.cache.json('/a')
    await before.cache.purge({ url: '/a' }, { mode: 'hard' })
    await before.cache.close()
    isIll = true
    world = { ...pageHarness({ fetch: (input, init) => below(input, init), store, clock }), origin, clock }
    const reading = world.cache.json('/a')
    await clock.advance(100)
    expect(await reading).toEqual({ seq: 2 })
  },
)

describe('what the browser’s own cache has of whoever was signed in is nobody else’s (DESIGN §4.6, law 5)', () => {
  /** Anna has read what is hers, and the browser has kept it. */
  async function signedIn(store: 'memory' | 'disk') {
    const disk = createMemoryStore({ maxBytes: 1e6, maxEntryBytes: 1e6, incarnation: 'disk', onNotice: () => {} })
    const options = { ...(store === 'disk' && { store: disk }), earlyExpiry: false as const }
    const below = browserCache(() => first, 3_600 * second)
    const first: Harness = pageHarness({ fetch: (input, init) => below(input, init), partition: 'anna', ...options })
    let user: string | undefined = 'anna'
    first.origin.serves('/a', () => ({ cacheControl: 'private, max-age=3600', json: { user } }))
    expect(await first.cache.json('/a')).toEqual({ user })
    await first.cache.settled()
    const open = (): Harness => ({
      ...pageHarness({ ...options, fetch: (input, init) => below(input, init), clock: first.clock }),
      origin: first.origin,
    })
    return { ...first, disk, open, signIn: (name?: string) => (user = name) }
  }

  test.each(['memory', 'disk'] as const)('when they have signed out (%s)', async (store) => {
    const { cache, signIn } = await signedIn(store)
    await cache.setPartition(undefined)
    signIn('nobody')
    expect(await cache.json('/a')).toEqual({ user: 'nobody' })
    expect(await cache.json('/a', { cache: 'force-cache' })).toEqual({ user: 'nobody' })
  })

  test('nor on the next page', async () => {
    const { cache, open, signIn } = await signedIn('disk')
    await cache.setPartition(undefined)
    await cache.close()
    signIn('nobody')
    expect(await open().cache.json('/a')).toEqual({ user: 'nobody' })
  })

  test('but where nobody ever was, a page that says so each time believes it', async () => {
    const { origin, page } = await profile()
    origin.serves('/*', { cacheControl: 'no-store', json: [] })
    const modes: unknown[] = []
    for (let nth = 0; nth < 3; nth++) {
      const cache = page()
      const before = origin.requests.length
      await cache.setPartition(undefined)
      await cache.json('/a')
      if (nth === 1) await cache.setPartition('anna')
      await cache.setPartition(undefined)
      await cache.json('/b')
      await cache.close()
      modes.push(origin.requests.slice(before).map(({ cacheMode }) => cacheMode))
    }
    expect(modes).toEqual([
      ['default', 'default'],
      ['default', 'no-cache'],
      ['no-cache', 'no-cache'],
    ])
  })

  test('nor on a page that does not say who is signed in', async () => {
    const { open, signIn } = await signedIn('disk')
    signIn('nobody')
    expect(await open().cache.json('/a')).toEqual({ user: 'nobody' })
  })

  test('nor on one that another page’s sign-in has left, and that bypasses', async () => {
    const { cache, disk, signIn } = await signedIn('disk')
    await disk.enter?.('ben')
    signIn('ben')
    // The first look at the disk.
    await cache.json('/a', { cache: 'no-cache' })
    signIn('ben again')
    expect(await cache.json('/a')).toEqual({ user: 'ben again' })
    signIn('and again')
    expect(await cache.json('/a', { cache: 'force-cache' })).toEqual({ user: 'and again' })
    await expect(cache.json('/a', { cache: 'only-if-cached', mode: 'same-origin' })).rejects.toThrow(TypeError)
  })
})
