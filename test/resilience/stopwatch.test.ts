import { expect, test } from 'vitest'
import { createStopwatch } from '../../src/resilience/stopwatch.ts'
import { virtualClock } from '../../src/testing/index.ts'

/** A network that takes 300 ms. */
function world() {
  const clock = virtualClock()
  const stopwatch = createStopwatch(clock, async () => {
    await clock.sleep(300)
    return new Response('body')
  })
  return { clock, stopwatch }
}

test('time counts from the moment at which the network has the request: what was waited for before does not', async () => {
  const { clock, stopwatch } = world()
  const start = clock.now()
  const asking = (async () => {
    await clock.sleep(5_000) // a lock, a turn, an attempt that failed
    return stopwatch.transport('https://origin.test/')
  })()
  await clock.advance(5_300)
  const response = await asking
  expect(stopwatch.elapsed(response, start)).toBe(300)
  await clock.advance(100)
  expect(stopwatch.elapsed(response, start)).toBe(400)
})

test('a machine that sleeps, and a wall clock that is set, are not taken for a slow origin', async () => {
  const { clock, stopwatch } = world()
  for (const step of [3_600_000, -3_600_000]) {
    const asking = stopwatch.transport('https://origin.test/')
    await clock.settle()
    clock.set(clock.now() + step)
    await clock.advance(300)
    expect(stopwatch.elapsed(await asking, 0)).toBe(step > 0 ? 300 : 0)
  }
})

test('a response that did not come through here counts from the moment that the caller names', async () => {
  const { clock, stopwatch } = world()
  const since = clock.now()
  await clock.advance(70)
  expect(stopwatch.elapsed(new Response(), since)).toBe(70)
})
