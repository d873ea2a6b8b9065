import { expect, test } from 'vitest'
import { causes, harness } from './harness.ts'

const statuses = async (world: ReturnType<typeof harness>, path: string, times: number) => {
  const seen: number[] = []
  for (let time = 0; time < times; time++) {
    const response = await world.cache.fetch(path)
    await response.text()
    await world.cache.settled()
    seen.push(response.status)
  }
  return seen
}

test.each([404, 410])('%i is kept for as long as it says (RFC 9110 §15.5.5, §15.5.11)', async (status) => {
  const world = harness({ earlyExpiry: false })
  world.origin.serves('/gone', { status, cacheControl: 'max-age=10', body: 'not here' })
  expect(await statuses(world, '/gone', 3)).toEqual([status, status, status])
  expect(world.origin.requests).toHaveLength(1)
  await world.clock.advance(10_000)
  await statuses(world, '/gone', 1)
  expect(world.origin.requests).toHaveLength(2)
})

test.each([404, 410])('%i that says nothing is kept for what a rule gives to what is missing', async (status) => {
  const rules = [{ match: '/*', maxAgeMs: 3_600_000, negativeMaxAgeMs: 5_000 }]
  const world = harness({ earlyExpiry: false, rules })
  world.origin.serves('/gone', { status, body: 'not here' })
  await statuses(world, '/gone', 3)
  expect(world.origin.requests).toHaveLength(1)
  await world.clock.advance(5_000)
  world.origin.serves('/gone', { body: 'here' })
  expect(await statuses(world, '/gone', 2)).toEqual([200, 200])
  await world.clock.advance(60_000)
  expect(await statuses(world, '/gone', 1)).toEqual([200])
  expect(causes(world.events).at(-1)).toBe('fresh')
})

test('no-store beats the rule, and other failures have none of it', async () => {
  const world = harness({ rules: [{ match: '/*', negativeMaxAgeMs: 5_000 }] })
  world.origin.serves('/never', { status: 404, cacheControl: 'no-store' })
  world.origin.serves('/forbidden', { status: 403 })
  world.origin.serves('/ill', { status: 503 })
  for (const path of ['/never', '/forbidden', '/ill']) await statuses(world, path, 2)
  expect(world.origin.requests).toHaveLength(6)
})

test('a 404 takes the place of what was there, a 503 does not (RFC 9111 §4.2.4)', async () => {
  const rules = [{ match: '/*', maxAgeMs: 1_000, staleIfErrorMs: 600_000, negativeMaxAgeMs: 5_000 }]
  for (const [status, later] of [
    [503, [200]],
    [404, [404]],
  ] as const) {
    const world = harness({ earlyExpiry: false, rules })
    world.origin.serves('/a', { body: 'good' })
    await statuses(world, '/a', 1)
    await world.clock.advance(2_000)
    world.origin.serves('/a', { status, cacheControl: status === 503 ? 'max-age=60' : '' })
    await statuses(world, '/a', 1)
    world.origin.serves('/a', { fault: 'network' })
    expect(await statuses(world, '/a', 1)).toEqual(later)
  }
})
