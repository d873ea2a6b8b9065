import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

describe('a HEAD revives nothing that was purged (law 2; RFC 9111 §4.3.5, §4.4)', () => {
  test.each([
    ['hard', {}],
    ['hard', { etag: '"same"' }],
    ['soft', {}],
  ] as const)('%s purge, validators %o', async (mode, validator) => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', ...validator, body: `body ${seq}` }))
    expect(await text(cache.fetch('/a'))).toBe('body 1')
    await cache.purge({ url: '/a' }, { mode })
    await cache.fetch('/a', { method: 'HEAD' })
    await cache.settled()
    expect(cache.peek('/a')?.cause).not.toBe('fresh')
    expect(await text(cache.fetch('/a'))).not.toBe('body 1')
  })

  test('an invalidated response without a validator stays invalidated: a HEAD has validated nothing (RFC 9111 §4.4)', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=600', body: `body ${seq}` }))
    expect(await text(cache.fetch('/a'))).toBe('body 1')
    await cache.fetch('/a', { method: 'POST' })
    await cache.fetch('/a', { method: 'HEAD' })
    await cache.settled()
    expect(await text(cache.fetch('/a'))).not.toBe('body 1')
  })

  test('a label that comes with a HEAD is covered by a purge that the HEAD was asked for before (law 3)', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', ({ method }) => ({
      cacheControl: 'max-age=600',
      etag: '"same"',
      tags: method === 'HEAD' ? ['shelf'] : [],
      body: 'body',
    }))
    await text(cache.fetch('/a'))
    const hold = origin.hold('HEAD /a')
    const looking = cache.fetch('/a', { method: 'HEAD', cache: 'reload' })
    await clock.settle()
    expect(hold.waiting).toBe(1)
    await cache.purge({ tag: 'shelf' }, { mode: 'hard' })
    hold.release()
    await looking
    await cache.settled()
    expect((await cache.explain('/a')).cause).toBe('purged')
  })
})
