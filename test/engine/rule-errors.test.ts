import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const rules = [{ match: '/api/*', maxAgeMs: 60_000, staleIfErrorMs: 600_000 }]

describe('a rule that gives a lifetime gives none to errors whose status allows none (RFC 9111 §4.2.2, RFC 9110 §15.1)', () => {
  test.each([400, 401, 403, 408, 425, 429])(
    'a %i passes through and harms no good copy (DESIGN §9)',
    async (status) => {
      const { cache, origin, clock } = harness({ rules, earlyExpiry: false })
      origin.serves('/api/a', { json: { good: true } })
      await cache.json('/api/a')
      await clock.advance(61_000)
      origin.serves('/api/a', { status, body: 'no' })
      expect((await cache.fetch('/api/a')).status).toBe(status)
      await cache.settled()
      expect.soft((await cache.explain('/api/a')).candidates.map((one) => one.status)).toEqual([200])
      origin.serves('/api/a', { status: 503, body: 'ill' })
      expect((await cache.fetch('/api/a')).status).toBe(200)
    },
  )

  test.each([401, 403, 429, 500, 502, 503, 504])(
    'a %i does not stay for the rule’s lifetime: the origin is asked again',
    async (status) => {
      const { cache, origin } = harness({ rules })
      origin.serves('/api/a', { status, body: 'for a moment' })
      await (await cache.fetch('/api/a')).text()
      await cache.settled()
      origin.serves('/api/a', { json: { good: true } })
      expect((await cache.fetch('/api/a')).status).toBe(200)
    },
  )
})
