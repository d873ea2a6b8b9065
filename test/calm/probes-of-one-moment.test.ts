import { expect, test } from 'vitest'
import { createWorld } from '../../src/testing/index.ts'

const SECOND = 1_000
const TABS = 10

test('ten tabs that look in the same moment, and hear of each other too late: one probe for each step all the same', {
  timeout: 60_000,
}, async () => {
  const world = await createWorld({ tabs: TABS, cache: { earlyExpiry: false } })
  const { origin, clock, tabs } = world
  origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60, stale-if-error=86400', body: path, delayMs: 80 }))
  const pages = tabs.map((_, index) => `/page/${index}`)
  for (const { cache } of tabs)
    for (const path of pages) {
      const reading = cache.fetch(path).then((response) => response.text())
      await clock.advance(100)
      await reading
    }
  await clock.advance(120 * SECOND)
  world.trouble({ delayMs: 300 })
  origin.fails('*', 'network')
  const [down, before] = [clock.now(), origin.requests.length]
  const seen: string[] = []
  for (let second = 0; second < 100; second++) {
    for (const [index, { cache }] of tabs.entries())
      cache.fetch(pages[(index + second) % TABS] as string).then(async (response) => seen.push(await response.text()))
    await clock.advance(SECOND)
  }
  expect(seen).toHaveLength(100 * TABS)
  // By then each of them has seen five failures of its own, since what the others tell comes late.
  const probes = origin.requests.slice(before).flatMap(({ at }) => (at < down + 5 * SECOND ? [] : at))
  const steps = probes.map((at, index) => at - (probes[index - 1] ?? at)).slice(1)
  expect(steps.length).toBeGreaterThanOrEqual(4)
  for (const [index, step] of steps.entries())
    expect(step, `probe ${index}`).toBeGreaterThanOrEqual(2 ** (index + 1) * SECOND)
})
