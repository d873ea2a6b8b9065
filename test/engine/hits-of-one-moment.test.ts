import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createCache } from '../../src/index.ts'
import { seconds } from '../http/builders.ts'
import { causes, harness } from './harness.ts'

// What is decided and made for one hit is shared by all of its moment, and holds until something but time changes. The clock stands still here unless a test says otherwise.

const counted = ({ seq }: { readonly seq: number }) => ({ cacheControl: 'max-age=60', body: JSON.stringify({ seq }) })

test('a purge is seen by the next hit of the same moment (law 2)', async () => {
  const { cache, origin, events } = harness()
  origin.serves('/a', counted)
  for (let hit = 0; hit < 3; hit++) await cache.json('/a')
  await cache.purge({ url: '/a' }, { mode: 'hard' })
  expect(await cache.json('/a')).toEqual({ seq: 2 })
  expect(causes(events)).toEqual(['miss', 'fresh', 'fresh', 'purged'])
})

test('what is stored anew is seen by the next hit of the same moment', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', counted)
  for (let hit = 0; hit < 3; hit++) await cache.json('/a')
  await cache.fetch('/a', { cache: 'reload' }).then((response) => response.text())
  expect(await cache.json('/a')).toEqual({ seq: 2 })
})

test('an optimistic value, and its end, are seen by the next hit of the same moment', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', counted)
  for (let hit = 0; hit < 3; hit++) await cache.json('/a')
  const { rollback } = cache.update('/a', () => ({ seq: 'soon' }))
  expect(await cache.json('/a')).toEqual({ seq: 'soon' })
  rollback()
  expect(await cache.json('/a')).toEqual({ seq: 1 })
})

test('a partition that is left between a hit and its promise gives nothing, again and again (law 5)', async () => {
  const { cache, origin } = harness({ partition: 'alice' })
  origin.serves('/a', counted)
  for (let hit = 0; hit < 3; hit++) await cache.json('/a')
  const hits = [cache.json('/a'), cache.json('/a'), cache.fetch('/a')]
  cache.setPartition('bob')
  for (const hit of hits) await expect(hit).rejects.toMatchObject({ name: 'AbortError' })
  expect(await cache.json('/a')).toEqual({ seq: 2 })
})

test('a HEAD and a GET of one record are answered apart (RFC 9110 §9.3.2)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', counted)
  for (let hit = 0; hit < 2; hit++) {
    expect(await cache.json('/a')).toEqual({ seq: 1 })
    expect(await (await cache.fetch('/a', { method: 'HEAD' })).text()).toBe('')
  }
  expect(origin.requests).toHaveLength(1)
})

test('ages grow with the moment (RFC 9111 §5.1)', async () => {
  const { cache, origin, clock, events } = harness()
  origin.serves('/a', counted)
  await cache.json('/a')
  const ages: Array<string | null> = []
  for (const s of [0, 1, 58]) {
    await clock.advance(seconds(s))
    for (let hit = 0; hit < 2; hit++) {
      await cache.json('/a')
      ages.push((await cache.fetch('/a')).headers.get('age'))
    }
  }
  expect(ages).toEqual(['0', '0', '1', '1', '59', '59'])
  const told = events.flatMap((event) => (event.type === 'answered' ? [event.numbers?.ageMs] : []))
  expect(told.slice(1)).toEqual([0, 0, 0, 0, 1_000, 1_000, 1_000, 1_000, 59_000, 59_000, 59_000, 59_000])
  await clock.advance(seconds(1))
  expect(await cache.json('/a')).toEqual({ seq: 2 })
})

describe('while nobody listens to everything, data are given as they were decided before', () => {
  /** A page that has read `/a` twice, with nobody listening. */
  async function unheard() {
    const { origin, clock } = harness()
    const cache = createCache({ fetch: origin.fetch, base: origin.url, clock, random: () => 0.5 })
    onTestFinished(() => cache.close())
    origin.serves('/a', counted)
    for (let hit = 0; hit < 2; hit++) await cache.json('/a')
    return { cache, origin, clock }
  }

  test('for as long as they are fresh, and they are counted (RFC 9111 §4.2)', async () => {
    const { cache, clock } = await unheard()
    for (const s of [1, 58]) {
      await clock.advance(seconds(s))
      expect(await cache.json('/a')).toEqual({ seq: 1 })
    }
    expect(cache.stats()).toMatchObject({ requests: 4, hits: 3 })
    await clock.advance(seconds(1))
    expect(await cache.json('/a')).toEqual({ seq: 2 })
  })

  test('a response says its age all the same (RFC 9111 §5.1)', async () => {
    const { cache, clock } = await unheard()
    await clock.advance(seconds(7))
    await cache.json('/a')
    expect((await cache.fetch('/a')).headers.get('age')).toBe('7')
    expect((await cache.explain('/a')).numbers?.ageMs).toBe(seconds(7))
  })

  test('who begins to listen, even to a hit that is on its way, is told how old it is', async () => {
    const { cache, clock } = await unheard()
    await clock.advance(seconds(7))
    const ages: unknown[] = []
    const hit = cache.json('/a')
    cache.on((event) => ages.push('numbers' in event && event.numbers?.ageMs))
    await hit
    await clock.advance(seconds(1))
    await cache.json('/a')
    expect(ages).toEqual([seconds(7), seconds(8)])
  })
})

test('each is told and counted, one by one (law 9)', async () => {
  const { cache, origin, events } = harness()
  origin.serves('/a', counted)
  for (let hit = 0; hit < 4; hit++) await cache.json('/a')
  expect(causes(events)).toEqual(['miss', 'fresh', 'fresh', 'fresh'])
  expect(cache.stats()).toMatchObject({ requests: 4, hits: 3, requestsSaved: 3, bytesSaved: 3 * 9 })
})

test('a listener that would change what it is told is told so, and the next hit is counted as it is (law 9)', async () => {
  const reported: unknown[] = []
  vi.stubGlobal('reportError', (error: unknown) => reported.push(error))
  const { cache, origin } = harness()
  origin.serves('/a', counted)
  cache.on((event) => event.type === 'answered' && Object.assign(event, { cause: 'method' }))
  cache.on((event) => event.type === 'answered' && event.numbers && Object.assign(event.numbers, { ageMs: 7_000 }))
  for (let hit = 0; hit < 4; hit++) await cache.json('/a')
  expect(cache.stats()).toMatchObject({ requests: 4, hits: 3, misses: 1 })
  expect((await cache.fetch('/a')).headers.get('age')).toBe('0')
  expect(reported).toHaveLength(9)
  vi.unstubAllGlobals()
})

/** Whether nobody holds what `make` gives any more. */
async function isCollected(make: () => Promise<object>, after = async () => {}): Promise<boolean> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const made = new WeakRef(await make())
  await after()
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    collect()
  }
  return made.deref() === undefined
}

test('what was evicted is held by nobody, though it was a hit until then', async () => {
  const { cache, origin } = harness({ memory: { maxBytes: 5_000, maxEntryBytes: 2_000 } })
  for (const path of ['/a', '/b', '/c', '/d', '/e', '/f', '/g']) origin.serves(path, counted)
  const hit = async () => {
    for (let many = 0; many < 3; many++) await cache.json('/a')
    return cache.json<object>('/a')
  }
  const evict = async () => {
    for (const path of ['/b', '/c', '/d', '/e', '/f', '/g']) await cache.json(path)
    expect(cache.peek('/a')).toBeUndefined()
  }
  expect(await isCollected(hit, evict)).toBe(true)
})

test('what a caller has given beside the URL is held by nobody when its hit is over', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', counted)
  await cache.json('/a')
  const ask = async () => {
    const init = { nearcache: { onAnswer: () => {} } }
    await cache.fetch('/a', init)
    return init
  }
  expect(await isCollected(ask)).toBe(true)
})
