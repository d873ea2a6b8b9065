import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { appendCacheStatus, type CacheStatus, cacheStatusMember } from '../../src/http/cache-status.ts'
import { parseList } from '../../src/http/structured-fields.ts'

const name = 'nearcache'

describe('a member of Cache-Status (RFC 9211 §2)', () => {
  test.each([
    ['a fresh hit', { hit: true, ttlMs: 376_000 }, 'nearcache; hit; ttl=376'],
    [
      'a stale hit has a negative ttl',
      { hit: true, ttlMs: -12_000, detail: 'stale-while-revalidate' },
      'nearcache; hit; ttl=-12; detail=stale-while-revalidate',
    ],
    ['a hit stale for less than a second too', { hit: true, ttlMs: -1 }, 'nearcache; hit; ttl=-1'],
    ['a hit with less than a second left', { hit: true, ttlMs: 999 }, 'nearcache; hit; ttl=0'],
    [
      'stale on error did go forward',
      { why: 'stale', status: 503, detail: 'stale-if-error' },
      'nearcache; fwd=stale; fwd-status=503; detail=stale-if-error',
    ],
    [
      'nothing stored, then stored',
      { why: 'uri-miss', status: 200, stored: true, ttlMs: 60_000 },
      'nearcache; fwd=uri-miss; fwd-status=200; stored; ttl=60',
    ],
    ['another variant stored', { why: 'vary-miss', stored: true }, 'nearcache; fwd=vary-miss; stored'],
    ['not stored', { why: 'uri-miss', stored: false }, 'nearcache; fwd=uri-miss'],
    ['validated', { why: 'stale', status: 304, ttlMs: 600_000 }, 'nearcache; fwd=stale; fwd-status=304; ttl=600'],
    ['an unsafe method', { why: 'method' }, 'nearcache; fwd=method'],
    ['joined another request', { why: 'uri-miss', collapsed: true }, 'nearcache; fwd=uri-miss; collapsed'],
    [
      'waited for another request in vain',
      { why: 'uri-miss', collapsed: false },
      'nearcache; fwd=uri-miss; collapsed=?0',
    ],
    ['a status that script may not see', { why: 'bypass', status: 0 }, 'nearcache; fwd=bypass'],
    ['a ttl that is not known', { hit: true, ttlMs: Number.NEGATIVE_INFINITY }, 'nearcache; hit'],
    [
      'hit and fwd exclude each other, and what goes with fwd',
      { hit: true, why: 'stale', status: 200, stored: true, collapsed: true },
      'nearcache; hit',
    ],
    ['a detail in words', { hit: true, detail: 'by "rule"' }, String.raw`nearcache; hit; detail="by \"rule\""`],
  ] as ReadonlyArray<[string, Omit<CacheStatus, 'name'>, string]>)('%s', (_sentence, status, expected) => {
    expect(cacheStatusMember({ name, ...status })).toBe(expected)
    expect(parseList(expected)).toHaveLength(1)
  })

  test('is a String where the name is no Token', () => {
    expect(cacheStatusMember({ name: 'my cache', hit: true })).toBe('"my cache"; hit')
  })

  test('is well-formed whatever it is given, and never has a key (§6)', () => {
    const status = fc.record(
      {
        name: fc.string(),
        hit: fc.boolean(),
        why: fc.constantFrom('uri-miss', 'stale'),
        status: fc.integer({ min: 0, max: 999 }),
        stored: fc.boolean(),
        collapsed: fc.boolean(),
        ttlMs: fc.double({ min: -1e15, max: 1e15 }),
        detail: fc.string(),
      },
      { requiredKeys: ['name'] },
    )
    fc.assert(
      fc.property(status, (one) => {
        const [member, ...more] = parseList(cacheStatusMember(one)) ?? []
        expect(more).toEqual([])
        expect(member?.type).toMatch(/^(string|token)$/)
        expect(member?.parameters.has('key')).toBe(false)
      }),
    )
  })
})

test('our member comes last, after those of caches nearer to the origin (RFC 9211 §2)', () => {
  expect(appendCacheStatus(undefined, 'nearcache; hit')).toBe('nearcache; hit')
  expect(appendCacheStatus('', 'nearcache; hit')).toBe('nearcache; hit')
  expect(appendCacheStatus('OriginCache; hit, "CDN"; fwd=uri-miss', 'nearcache; hit')).toBe(
    'OriginCache; hit, "CDN"; fwd=uri-miss, nearcache; hit',
  )
})
