import { describe, expect, test } from 'vitest'
import { groupsOf, tagsOf } from '../../src/http/tags.ts'
import { fields, url } from './builders.ts'

const origin = 'https://shop.example'
const tags = (headers: Readonly<Record<string, string>>, field?: string) => tagsOf(fields(headers), url, field)

describe('Cache-Groups (RFC 9875 §2)', () => {
  test('name groups of this origin, parameters ignored, case kept', () => {
    expect(tags({ 'cache-groups': '"a", "A b";x=1, "a"' })).toEqual([`${origin}\0a`, `${origin}\0A b`])
  })

  test('of another origin are other groups (§2.1)', () => {
    const headers = fields({ 'cache-groups': '"a"' })
    expect(tagsOf(headers, 'https://other.example/')).not.toEqual(tagsOf(headers, url))
  })

  test('thirty-two groups of thirty-two characters and more are all read (§2: MUST), in whatever order', () => {
    const names = Array.from({ length: 64 }, (_, index) => String(index).padStart(64, 'g'))
    const value = (list: readonly string[]) => list.map((name) => `"${name}"`).join(', ')
    expect(tags({ 'cache-groups': value(names) })).toEqual(names.map((name) => `${origin}\0${name}`))
    expect(tags({ 'cache-groups': value(names.toReversed()) })).toEqual(
      tags({ 'cache-groups': value(names) }).toReversed(),
    )
  })

  test.each(['token', '"a", token', '1', '("a")', '"a', '"a",', '"\\x"', ''])(
    '%j is no list of Strings and ignored as a whole',
    (value) => {
      expect(tags({ 'cache-groups': value, 'cache-tag': 'b' })).toEqual(['b'])
    },
  )

  test('no other field can name a group', () => {
    expect(tags({ 'cache-tag': `${origin} a` })).toEqual([`${origin} a`])
  })
})

describe('vendor tags', () => {
  test.each([
    ['cache-tag', 'a, B,,c ,', ['a', 'B', 'c']],
    ['edge-cache-tag', 'a,b', ['a', 'b']],
    ['surrogate-key', 'a  b\tc ', ['a', 'b', 'c']],
    ['surrogate-key', 'a,b c', ['a,b', 'c']],
    ['xkey', 'a b', ['a', 'b']],
    ['cache-tag', '__proto__, constructor', ['__proto__', 'constructor']],
    ['cache-tag', '\u00e9\u00e8', ['\u00e9\u00e8']],
  ])('%s: %j', (name, value, expected) => {
    expect(tags({ [name]: value })).toEqual(expected)
  })

  test('of several lines are the tags of all', () => {
    const lines = fields([
      ['surrogate-key', 'a b'],
      ['surrogate-key', 'c'],
      ['cache-tag', 'd'],
      ['cache-tag', 'e'],
    ])
    expect(tagsOf(lines, url).sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('of several fields are each once', () => {
    expect(tags({ 'cache-tag': 'a, b', 'surrogate-key': 'b c', xkey: 'a' })).toEqual(['a', 'b', 'c'])
  })

  test('the field of nearcache/server is read without being asked for', () => {
    expect(tags({ 'nearcache-tag': 'p,q', 'cache-tag': 'a' })).toEqual(['p', 'q', 'a'])
    expect(tags({ 'nearcache-tag': 'p', 'x-tags': 'q' }, 'x-tags')).toEqual(['q'])
  })

  test("a project's own field is a comma-separated list, and read first", () => {
    expect(tags({ 'x-tags': 'p, q', 'cache-tag': 'a' }, 'x-tags')).toEqual(['p', 'q', 'a'])
    expect(tags({ 'x-tags': 'p, q' })).toEqual([])
  })
})

describe('limits', () => {
  test('a field of 16 KiB is read, a longer one is not', () => {
    const many = (length: number) => `${'x,'.repeat(length)}`.slice(0, length)
    expect(tags({ 'cache-tag': many(16_384) })).toEqual(['x'])
    expect(tags({ 'cache-tag': many(16_385), 'surrogate-key': 'a' })).toEqual(['a'])
    const group = (length: number) => fields({ 'cache-groups': `"${'x'.repeat(length - 2)}"` })
    expect(groupsOf(group(16_384), 'cache-groups', url)).toHaveLength(1)
    expect(groupsOf(group(16_385), 'cache-groups', url)).toEqual([])
  })

  test('a tag of 1,024 characters is read, a longer one is not, in Surrogate-Key with all after it (Fastly)', () => {
    const [long, longer] = ['x'.repeat(1024), 'x'.repeat(1025)]
    expect(tags({ 'cache-tag': `a,${long},b` })).toEqual(['a', long, 'b'])
    expect(tags({ 'cache-tag': `a,${longer},b` })).toEqual(['a', 'b'])
    expect(tags({ 'surrogate-key': `a ${long} b` })).toEqual(['a', long, 'b'])
    expect(tags({ 'surrogate-key': `a ${longer} b` })).toEqual(['a'])
  })

  test('odd characters are a tag’s own (F-78)', () => {
    expect(tags({ 'surrogate-key': '__proto__ \u0000 é toString' })).toEqual(['__proto__', '\u0000', 'é', 'toString'])
  })

  test('1,000 tags are kept', () => {
    const many = Array.from({ length: 1001 }, (_, index) => `t${index}`)
    expect(tags({ 'cache-tag': many.join() })).toEqual(many.slice(0, 1000))
    expect(
      groupsOf(fields({ 'cache-groups': many.map((one) => `"${one}"`).join() }), 'cache-groups', url),
    ).toHaveLength(1000)
  })
})
