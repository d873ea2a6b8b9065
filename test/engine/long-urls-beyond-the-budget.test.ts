import { expect, test } from 'vitest'
import { harness } from './harness.ts'

test('URLs of 64 KiB count in the memory budget (F-76, R9)', async () => {
  const maxBytes = 2 ** 20
  const { cache, origin } = harness({ memory: { maxBytes } })
  origin.serves('/*', { cacheControl: 'max-age=60', body: 'x' })
  for (let n = 0; n < 200; n++) await (await cache.fetch(`/a?${n}=${'x'.repeat(65_000)}`)).text()
  await cache.settled()
  expect(cache.stats().memoryBytes).toBeLessThanOrEqual(maxBytes)
  let held = 0
  for (let n = 0; n < 200; n++)
    held += (await cache.explain(`/a?${n}=${'x'.repeat(65_000)}`)).candidates.length * 65_000
  expect(held).toBeLessThanOrEqual(maxBytes)
})
