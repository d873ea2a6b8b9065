import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { responseDirectives } from '../../src/http/cache-control.ts'
import { type CacheDirectives, cacheControl } from '../../src/server/index.ts'

describe('cacheControl', () => {
  test.each([
    [{}, ''],
    [{ maxAge: 60 }, 'max-age=60'],
    [{ maxAge: 0 }, 'max-age=0'],
    [
      { maxAge: 60, staleWhileRevalidate: 600, staleIfError: 86_400 },
      'max-age=60, stale-while-revalidate=600, stale-if-error=86400',
    ],
    [{ public: true, maxAge: 31_536_000, immutable: true }, 'public, max-age=31536000, immutable'],
    [{ private: true, noCache: true }, 'private, no-cache'],
    [{ noStore: true }, 'no-store'],
    [{ noStore: true, mustUnderstand: true }, 'no-store, must-understand'],
    [{ noStore: true, mustUnderstand: true, maxAge: 60 }, 'no-store, must-understand, max-age=60'],
    [{ noCache: ['set-cookie', 'x-user'], maxAge: 1 }, 'no-cache="set-cookie, x-user", max-age=1'],
    [
      { maxAge: 5, sMaxage: 600, mustRevalidate: true, proxyRevalidate: true },
      'max-age=5, s-maxage=600, must-revalidate, proxy-revalidate',
    ],
    [{ maxAge: 5, private: false, noStore: false }, 'max-age=5'],
    [{ maxAge: 2 ** 40 }, 'max-age=2147483648'],
    [{ noTransform: true }, 'no-transform'],
  ] as ReadonlyArray<[CacheDirectives, string]>)('%j is %s', (policy, value) => {
    expect(cacheControl(policy)).toBe(value)
  })

  test.each([
    [{ maxAge: -1 }, 'maxAge', /maxAge is -1; it must be a whole number of seconds/],
    [{ maxAge: 1.5 }, 'maxAge', /whole number/],
    [{ staleIfError: Number.NaN }, 'staleIfError', /NaN/],
    [{ maxAge: '60' }, 'maxAge', /60/],
    [{ noStore: 'yes' }, 'noStore', /true or false/],
    [{ noCache: [] }, 'noCache', /list of field names/],
    [{ noCache: ['a b'] }, 'noCache', /list of field names/],
    [{ private: true, public: true }, 'public', /private.*shared caches/],
    [{ private: true, sMaxage: 1 }, 'sMaxage', /private/],
    [{ noStore: true, maxAge: 60 }, 'maxAge', /noStore: nothing is stored/],
    [{ noStore: true, noCache: true }, 'noCache', /noStore/],
    [{ noStore: true, mustUnderstand: true, private: true, sMaxage: 1 }, 'sMaxage', /private/],
    [{ noCache: true, staleWhileRevalidate: 60 }, 'staleWhileRevalidate', /noCache.*validated/],
    [
      { maxAge: 1, mustRevalidate: true, staleIfError: 60 },
      'staleIfError',
      /mustRevalidate forbids|mustRevalidate.*stale/,
    ],
    [{ immutable: true }, 'immutable', /needs maxAge/],
    [{ mustUnderstand: true }, 'mustUnderstand', /needs noStore/],
  ])('%j is refused, and said why', (policy, path, message) => {
    expect(() => cacheControl(policy as CacheDirectives)).toThrow(
      expect.objectContaining({ name: 'CacheError', code: 'option', path, message: expect.stringMatching(message) }),
    )
  })

  test('a cache reads back what was written', () => {
    const duration = fc.option(fc.nat(10_000), { nil: undefined })
    fc.assert(
      fc.property(duration, duration, duration, fc.boolean(), (maxAge, swr, sie, isPrivate) => {
        const policy = { maxAge, staleWhileRevalidate: swr, staleIfError: sie, private: isPrivate } as CacheDirectives
        const read = responseDirectives([['cache-control', cacheControl(policy)]])
        expect([read.maxAge, read.staleWhileRevalidate, read.staleIfError, read.private ?? false]).toEqual([
          ...[maxAge, swr, sie].map((seconds) => (seconds === undefined ? undefined : seconds * 1000)),
          isPrivate,
        ])
      }),
    )
  })
})
