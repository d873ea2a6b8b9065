import { expect, test } from 'vitest'
import { harness } from './harness.ts'

test.each([
  ['POST', { method: 'POST' }],
  ['no-store', { cache: 'no-store' }],
  ['a condition of the caller’s own', { headers: { 'if-none-match': '"1"' } }],
] as ReadonlyArray<readonly [string, RequestInit]>)(
  'the hard deadline holds for what the cache passes by, too: %s',
  async (_, init) => {
    const { cache, origin, clock } = harness({ deadlines: { hardMs: 10_000 } })
    origin.serves('/a', { fault: 'hang' })
    let name = 'pending'
    cache.fetch('/a', init).catch((error: Error) => {
      name = error.name
    })
    await clock.advance(60_000)
    expect(name).toBe('TimeoutError')
  },
)
