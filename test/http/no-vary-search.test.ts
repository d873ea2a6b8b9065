import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { areEquivalent, type NoVarySearch, parseNoVarySearch, searchKey } from '../../src/http/no-vary-search.ts'

const base = 'https://shop.example/list'

describe('No-Vary-Search (HTTP working group draft, parsing)', () => {
  const params = (...keys: string[]) => ({ ignoresOrder: false, kind: 'params', keys })

  test.each([
    ['key-order', { ...params(), ignoresOrder: true }],
    ['key-order=?1', { ...params(), ignoresOrder: true }],
    ['params=("utm_source" "gclid")', params('utm_source', 'gclid')],
    ['except=("id")', { ...params('id'), kind: 'except' }],
    ['except=()', { ...params(), kind: 'except' }],
    ['key-order, params=("a")', { ...params('a'), ignoresOrder: true }],
    ['params=("a"), key-order=?0, unknown=1', params('a')],
    ['params=("a+b" "c%20d" "%C3%BC" "e&f=g" "?")', params('a b', 'c d', 'ü', 'e&f=g', '?')],
    ['params=("")', params('')],
    ['params=("%zz")', params('%zz')],
    ['params=("a";x)', params('a')],
  ])('%j', (value, expected) => {
    expect(parseNoVarySearch(value)).toEqual(expected)
  })

  test.each([
    ['nothing', ''],
    ['what is no dictionary', 'params=('],
    ['order that counts', 'key-order=?0'],
    ['no parameter', 'params=()'],
    ['params beside except', 'params=("a"), except=("b")'],
    ['params as a Boolean, as an older draft had it', 'params'],
    ['params as a String', 'params="a"'],
    ['params with a Token', 'params=("a" b)'],
    ['except as a Boolean', 'except'],
    ['key-order that is no Boolean', 'key-order=1, params=("a")'],
    ['key-order that is a list', 'key-order=(), params=("a")'],
    ['a key that does not decode', 'params=("%ff")'],
    ['unknown keys alone', 'foo, bar=1'],
    ['a key in capitals', 'Params=("a")'],
  ])('%s is the default: URLs must be equal', (_sentence, value) => {
    expect(parseNoVarySearch(value)).toBeUndefined()
  })
})

describe('two URLs are equivalent (HTTP working group draft, comparing)', () => {
  const utm: NoVarySearch = { ignoresOrder: false, kind: 'params', keys: ['utm'] }
  const onlyId: NoVarySearch = { ignoresOrder: false, kind: 'except', keys: ['id'] }
  const anyOrder: NoVarySearch = { ignoresOrder: true, kind: 'params', keys: [] }

  test.each([
    ['when they differ in what means nothing', utm, '?id=1&utm=a', '?id=1', true],
    ['when what means nothing stands elsewhere', utm, '?utm=a&id=1&utm=b', '?id=1', true],
    ['not when they differ in what means something', utm, '?id=1', '?id=2', false],
    ['not when they differ in order', utm, '?a=1&b=2', '?b=2&a=1', false],
    ['when they differ in anything but what alone means something', onlyId, '?id=1&a=2', '?b=3&id=1', true],
    ['not when they differ in what alone means something', onlyId, '?id=1', '?id=2', false],
    ['when they differ in order, where it means nothing', anyOrder, '?a=1&b=2', '?b=2&a=1', true],
    ['not when they differ in the order of one key', anyOrder, '?a=1&a=2', '?a=2&a=1', false],
    ['not when one has a pair more', anyOrder, '?a=1&a=1', '?a=1', false],
    ['when they differ in spelling only', utm, '?a=%41+b', '?a=A%20b', true],
    ['when one has an empty query', utm, '?', '', true],
    ['when only what means nothing is left', utm, '?utm=1', '', true],
    ['when they differ in their fragments', utm, '?a=1#x', '?a=1#y', true],
    ['not when a value is missing', utm, '?a=', '?a=1', false],
    ['when an equals sign is missing', utm, '?a', '?a=', true],
    ['when a question mark is part of a value', utm, '?a=?&utm=1', '?a=?', true],
    ['not when their keys are cut differently', anyOrder, '?a=1%26b=2', '?a=1&b=2', false],
  ])('%s', (_sentence, rule, a, b, expected) => {
    expect(areEquivalent(base + a, base + b, rule)).toBe(expected)
    expect(areEquivalent(base + b, base + a, rule)).toBe(expected)
  })

  test.each([
    ['scheme', 'http://shop.example/list?utm=1'],
    ['host', 'https://other.example/list?utm=1'],
    ['port', 'https://shop.example:8443/list?utm=1'],
    ['path', 'https://shop.example/List?utm=1'],
  ])('never with another %s', (_part, other) => {
    expect(areEquivalent(base, other, utm)).toBe(false)
  })

  test('by default when they are equal but for their fragments', () => {
    expect(areEquivalent(`${base}?`, base, undefined)).toBe(false)
    expect(areEquivalent(`${base}?a#x`, `${base}?a`, undefined)).toBe(true)
  })

  const query = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'utm', '__proto__'), fc.string({ maxLength: 3 })), {
    maxLength: 4,
  })

  test('as a second reading of the draft has it, pair by pair', () => {
    const rules = fc.constantFrom(utm, onlyId, anyOrder, {
      ...anyOrder,
      kind: 'except' as const,
      keys: ['a', '__proto__'],
    })
    fc.assert(
      fc.property(query, query, rules, (one, other, rule) => {
        const meaningful = (pairs: [string, string][]) => {
          const kept = pairs.filter(([name]) =>
            rule.kind === 'except' ? rule.keys.includes(name) : !rule.keys.includes(name),
          )
          const byKey = kept
            .map((pair, index) => ({ pair, index }))
            .sort((a, b) => (a.pair[0] < b.pair[0] ? -1 : a.pair[0] > b.pair[0] ? 1 : a.index - b.index))
          return rule.ignoresOrder ? byKey.map(({ pair }) => pair) : kept
        }
        const urlOf = (pairs: [string, string][]) => `${base}?${new URLSearchParams(pairs)}`
        const decoded = (pairs: [string, string][]) =>
          [...new URLSearchParams(`${new URLSearchParams(pairs)}`)] as [string, string][]
        const expected = JSON.stringify(meaningful(decoded(one))) === JSON.stringify(meaningful(decoded(other)))
        expect(areEquivalent(urlOf(one), urlOf(other), rule)).toBe(expected)
      }),
    )
  })

  test('the key of a key is itself', () => {
    fc.assert(
      fc.property(query, (pairs) => {
        const key = searchKey(`${base}?${new URLSearchParams(pairs)}`, utm)
        expect(searchKey(key, utm)).toBe(key)
      }),
    )
  })
})
