import { expect, test } from 'vitest'
import { wireCache } from '../../src/create-cache.ts'
import type { CacheOptions, NearCache } from '../../src/index.ts'
import { platform } from '../../src/platform/platform.ts'
import { scriptedOrigin, seededRandom, virtualClock } from '../../src/testing/index.ts'
import { virtualChannels } from '../../src/testing/virtual-channel.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const TABS = 10
const PAGES = 400

/** Tabs of one profile on one clock, whose circuits hear of each other as over a channel. */
function profile(seed: number, options: CacheOptions = {}) {
  const clock = virtualClock()
  const origin = scriptedOrigin({ clock })
  const random = seededRandom(seed)
  const channels = virtualChannels({ clock, random })
  const tabs = Array.from({ length: TABS }, (_, tab) =>
    wireCache(
      { store: 'memory', fetch: origin.fetch, clock, random: seededRandom(seed + tab), base: origin.url, ...options },
      {
        freeze: (data) => data,
        here: { ...platform(), openChannel: channels.of({}, (task) => task()) },
      },
    ),
  )
  return { clock, origin, random, tabs }
}

/** Few pages are read often, many seldom (Zipf, exponent 0.8). */
function zipf(random: () => number): () => string {
  const weights = Array.from({ length: PAGES }, (_, rank) => (rank + 1) ** -0.8)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return () => {
    let [rank, left] = [0, random() * total - (weights[0] as number)]
    while (left >= 0 && rank < PAGES - 1) left -= weights[++rank] as number
    return `/page/${rank}`
  }
}

/** Reads of the tabs, so many a second and spread evenly, for `ms`. Returns how each was answered, and after how long. */
async function traffic(world: ReturnType<typeof profile>, page: () => string, perSecond: number, ms: number) {
  const { clock, tabs, random } = world
  const seen: { outcome: string; tookMs: number }[] = []
  const step = perSecond >= 4 ? SECOND / 4 : SECOND / perSecond
  for (let passed = 0; passed < ms; passed += step) {
    for (let read = 0; read < (perSecond * step) / SECOND; read++) {
      const started = clock.now()
      const tab = tabs[Math.floor(random() * TABS)] as NearCache
      const told = (outcome: string) => seen.push({ outcome, tookMs: clock.now() - started })
      tab.fetch(page()).then(
        async (response) => told((await response.text()).startsWith('page') ? 'well' : `status ${response.status}`),
        (error: Error) => told(error.name),
      )
    }
    await clock.advance(step)
  }
  return seen
}

const perSecondOf = (moments: readonly number[], from: number, ms: number) => {
  const counts = new Array<number>(ms / SECOND).fill(0)
  for (const moment of moments) {
    const second = Math.floor((moment - from) / SECOND)
    if (second >= 0 && second < counts.length) counts[second] = (counts[second] ?? 0) + 1
  }
  return counts
}

test('half an hour without the origin, ten tabs: no read fails, one probe for each step of the backoff, and no rush when it is back', {
  timeout: 120_000,
}, async () => {
  const world = profile(5)
  const { origin, clock, tabs } = world
  const page = zipf(world.random)
  const cacheControl = 'max-age=60, stale-if-error=86400'
  origin.serves('/*', ({ path }) => ({ cacheControl, etag: '"1"', body: `page ${path}`, delayMs: 80 }))
  const warm = tabs.map(async (tab) => {
    for (let index = 0; index < PAGES; index++) await (await tab.fetch(`/page/${index}`)).text()
  })
  await clock.advance(PAGES * 80)
  await Promise.all(warm)

  const before = clock.now() + MINUTE
  await traffic(world, page, 40, 2 * MINUTE)
  const usual = perSecondOf(
    origin.requests.map(({ at }) => at),
    before,
    MINUTE,
  )
  const mean = usual.reduce((sum, count) => sum + count, 0) / usual.length

  const down = clock.now()
  origin.fails('*', 'network')
  const seen = await traffic(world, page, 4, 30 * MINUTE)
  expect(seen.filter(({ outcome }) => outcome !== 'well')).toEqual([])
  expect(seen.length).toBe(4 * 30 * 60)

  // What failed until the circuit opened, and what was under way then; after that probes alone.
  const asked = origin.requests.filter(({ at }) => at >= down).map(({ at }) => at)
  const probes = asked.slice(asked.findIndex((at) => at > (asked[4] as number) + SECOND))
  expect(asked.length - probes.length).toBe(5)
  for (const [index, at] of probes.entries()) {
    const step = Math.min(60 * SECOND, 2 ** index * SECOND)
    expect(at - (probes[index - 1] ?? (asked[4] as number)), `probe ${index}`).toBeGreaterThanOrEqual(step)
  }
  // Nor are they too few: nobody waits much longer than he must.
  expect(probes.length).toBeGreaterThanOrEqual(25)

  origin.recovers()
  const up = clock.now()
  await traffic(world, page, 40, 3 * MINUTE)
  const afterwards = perSecondOf(
    origin.requests.map(({ at }) => at),
    up,
    3 * MINUTE,
  )
  expect(Math.max(...afterwards)).toBeLessThanOrEqual(2 * mean)
  // It was noticed within the longest backoff and its jitter.
  expect(afterwards.slice(0, 76).some((count) => count > 5)).toBe(true)
})

test('half an hour without the origin, ten tabs that ask for one URL alone: one probe for each step of the backoff all the same', {
  timeout: 60_000,
}, async () => {
  const world = profile(7)
  const { origin, clock, tabs } = world
  origin.serves('/feed', { cacheControl: 'max-age=60, stale-if-error=86400', body: 'page feed', delayMs: 80 })
  const warm = tabs.map(async (tab) => (await tab.fetch('/feed')).text())
  await clock.advance(80)
  await Promise.all(warm)
  await clock.advance(2 * MINUTE)
  const before = origin.requests.length
  origin.fails('*', 'network')
  const seen = await traffic(world, () => '/feed', 4, 30 * MINUTE)
  expect(seen.filter(({ outcome }) => outcome !== 'well')).toEqual([])
  const asked = origin.requests.slice(before).map(({ at }) => at)
  const steps = asked.map((at, index) => at - (asked[index - 1] ?? at)).slice(5)
  for (const [index, step] of steps.entries())
    expect(step, `probe ${index}`).toBeGreaterThanOrEqual(Math.min(60 * SECOND, 2 ** index * SECOND))
  expect(steps.length).toBeGreaterThanOrEqual(25)
})

test('an origin that hangs: 99 of 100 answers come within the soft deadline and 20 ms, and soon at once', {
  timeout: 60_000,
}, async () => {
  const world = profile(6)
  const { origin, clock, tabs } = world
  origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60, stale-if-error=86400', body: `page ${path}` }))
  for (const tab of tabs) for (let index = 0; index < 40; index++) await (await tab.fetch(`/page/${index}`)).text()
  await clock.advance(2 * MINUTE)
  origin.fails('*', 'hang')
  const page = () => `/page/${Math.floor(world.random() * 40)}`
  const seen = await traffic(world, page, 4, 5 * MINUTE)
  await clock.advance(3 * SECOND)
  expect(seen.length).toBe(4 * 5 * 60)
  expect(seen.filter(({ outcome }) => outcome !== 'well')).toEqual([])
  const waits = seen.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
  expect(waits[Math.floor(0.99 * waits.length)]).toBeLessThanOrEqual(2 * SECOND + 20)
  const late = seen.slice(-300).map(({ tookMs }) => tookMs)
  expect(Math.max(...late)).toBe(0)
})
