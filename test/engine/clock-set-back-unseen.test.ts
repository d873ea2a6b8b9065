import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const hour = 3_600_000

test('a clock that is set back while nobody reads does not make what is stored younger (F-68, F-69, R3)', async () => {
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', body: `v${seq}` }))
  expect(await (await cache.fetch('/a')).text()).toBe('v1')
  // An hour passes without a read, in which the user sets the wall clock back by an hour.
  await clock.advance(hour)
  clock.set(clock.now() - hour)
  expect(await (await cache.fetch('/a')).text()).toBe('v2')
})
