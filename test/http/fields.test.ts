import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { directiveMembers, fieldValue, isToken, listMembers, splitAtCommas, trimmed } from '../../src/http/fields.ts'

describe('a field value', () => {
  test('is undefined for an absent field and empty for an empty one (RFC 9110 §5.5)', () => {
    expect(fieldValue([['x', '']], 'x')).toBe('')
    expect(fieldValue([['x', '1']], 'y')).toBeUndefined()
  })

  test('is its lines combined, in order (RFC 9110 §5.3)', () => {
    expect(
      fieldValue(
        [
          ['x', '1'],
          ['y', '9'],
          ['x', '2, 3'],
        ],
        'x',
      ),
    ).toBe('1, 2, 3')
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'])(
    'is not taken from a prototype: %s is an ordinary name',
    (name) => {
      expect(fieldValue([], name)).toBeUndefined()
      expect(fieldValue([[name, 'v']], name)).toBe('v')
    },
  )
})

test.each([
  ['', []],
  [' \t', []],
  ['a', ['a']],
  ['a, b ,\tc', ['a', 'b', 'c']],
  [',a,, ,b,', ['a', 'b']],
  ['a="1,2", b', ['a="1,2"', 'b']],
  [String.raw`a="\",", b`, [String.raw`a="\","`, 'b']],
  ['"a, b', ['"a', 'b']],
  ['a="b\\', ['a="b\\']],
  ['"a" "b, c", d', ['"a" "b, c"', 'd']],
])(
  'the members of %j: commas in quoted strings separate nothing, empty members are dropped (RFC 9110 §5.6.1.2)',
  (value, members) => {
    expect(listMembers(value)).toEqual(members)
  },
)

test('splitting keeps empty parts, since only a list-based field may lose them', () => {
  expect(splitAtCommas('a,, b,')).toEqual(['a', '', 'b', ''])
})

test.each([
  [' \ta b\t ', 'a b'],
  [' \t ', ''],
  ['\u00a0a', '\u00a0a'],
  ['a\f', 'a\f'],
])('trimming %j takes SP and HTAB only (RFC 9110 §5.6.3)', (text, expected) => {
  expect(trimmed(text)).toBe(expected)
})

test('a token has the characters of RFC 9110 §5.6.2, and at least one', () => {
  const characters = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(isToken)
  expect(characters.join('')).toBe("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~")
  expect(isToken('')).toBe(false)
})

describe('directives', () => {
  test.each([
    ['no-store', [['no-store', undefined, false]]],
    ['Max-AGE=5', [['max-age', '5', false]]],
    ['max-age="5"', [['max-age', '5', false]]],
    [String.raw`ext="a\"b\\c\d"`, [['ext', String.raw`a"b\cd`, false]]],
    ['private=""', [['private', '', false]]],
    [
      'ext="max-age=5, no-store", max-age=60',
      [
        ['ext', 'max-age=5, no-store', false],
        ['max-age', '60', false],
      ],
    ],
  ])(
    '%j are a name and perhaps an argument, a token or a quoted string (RFC 9111 §5.2, RFC 9110 §5.6.4)',
    (value, expected) => {
      expect(directiveMembers(value)).toEqual(expected)
    },
  )

  test.each([
    ['no-cache = "set-cookie"', 'no-cache'],
    ['no-cache= "set-cookie"', 'no-cache'],
    ['no-store foo', 'no-store'],
    ['max-age=5; no-store', 'no-store'],
    ['foo"bar, no-store"', 'no-store'],
    ['x="a"no-store', 'no-store'],
    ['ext="a, no-store', 'no-store'],
    ['no-store=', 'no-store'],
    ['(no-store', '(no-store'],
  ])('of another form (%j) show every word in them, marked as malformed', (value, word) => {
    const found = directiveMembers(value)
    expect(found.find(([name]) => name === word)?.[0]).toBe(word)
    if (!value.startsWith('ext')) expect(found.map(([, , malformed]) => malformed)).not.toContain(false)
  })
})

test('members, joined again, give the same members', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ',', '"', '\\', ' ', '=', '\t') }), (value) => {
      const members = listMembers(value)
      expect(listMembers(members.join(', '))).toEqual(members)
    }),
  )
})
