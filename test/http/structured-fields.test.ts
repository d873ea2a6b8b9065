import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDictionary, parseItem, parseList, serialiseName } from '../../src/http/structured-fields.ts'

const none = new Map()

describe('an Item (RFC 9651 §4.2.3)', () => {
  test.each([
    ['42', 'integer', 42],
    ['-42', 'integer', -42],
    ['0042', 'integer', 42],
    ['999999999999999', 'integer', 999_999_999_999_999],
    ['1.5', 'decimal', 1.5],
    ['-999999999999.999', 'decimal', -999_999_999_999.999],
    ['"a b"', 'string', 'a b'],
    ['""', 'string', ''],
    [String.raw`"a\"b\\c"`, 'string', String.raw`a"b\c`],
    ['token', 'token', 'token'],
    ['*a/b:c', 'token', '*a/b:c'],
    ["A!#$%&'*+-.^_`|~9", 'token', "A!#$%&'*+-.^_`|~9"],
    ['?1', 'boolean', true],
    ['?0', 'boolean', false],
    ['@1659578233', 'date', 1_659_578_233],
    ['@-5', 'date', -5],
    [':aGVsbG8=:', 'bytes', 'hello'],
    ['::', 'bytes', ''],
    ['%"f%c3%bc%c3%bc"', 'display', 'füü'],
    ['%"a b!#$&~"', 'display', 'a b!#$&~'],
    ['  1  ', 'integer', 1],
  ])('%j is %s', (text, type, value) => {
    expect(parseItem(text)).toEqual({ type, value, parameters: none })
  })

  test.each([
    '',
    ' ',
    '1 2',
    '1,2',
    '1000000000000000',
    '1.',
    '.5',
    '1.2345',
    '1234567890123.1',
    '--1',
    '-',
    '+1',
    '"a',
    '"\\x"',
    '"a\u00e9"',
    '"a\tb"',
    "'a'",
    'a,',
    '?2',
    '?',
    '@1.5',
    '@',
    '@a',
    ':a:',
    ':a*:',
    ':aGVsbG8=',
    '%"%C3"',
    '%"%c3"',
    '%"%zz"',
    '%"a',
    '%a',
    '\t1',
    '1\t',
    '(1 2)',
    'é',
    '{}',
    '=1',
  ])('%j is none', (text) => {
    expect(parseItem(text)).toBeUndefined()
  })

  test('has parameters, the last of equal keys counting, true without a value (§4.2.3.2)', () => {
    expect(parseItem('a; b;c=1;*d-._9="x";b=?0')?.parameters).toEqual(
      new Map<string, unknown>([
        ['b', { type: 'boolean', value: false }],
        ['c', { type: 'integer', value: 1 }],
        ['*d-._9', { type: 'string', value: 'x' }],
      ]),
    )
    for (const wrong of ['a;', 'a;B', 'a ;b', 'a;b=', 'a;b =1', 'a;b= 1', 'a;1'])
      expect(parseItem(wrong), wrong).toBeUndefined()
  })
})

describe('a List (RFC 9651 §4.2.1)', () => {
  const values = (text: string) => parseList(text)?.map(({ value }) => value)

  test.each([
    ['', []],
    ['   ', []],
    ['1', [1]],
    ['1,2', [1, 2]],
    ['1 \t,\t 2', [1, 2]],
    ['"a,b", c;d="e,f"', ['a,b', 'c']],
  ])('%j', (text, expected) => {
    expect(values(text)).toEqual(expected)
  })

  test.each([',', '1,', '1, ', '1,,2', ',1', '1 2', '1;', '(1', '1)', '(1,2)', '(1(2))', '(1"a")', '((1))', '\t1'])(
    '%j is none',
    (text) => {
      expect(parseList(text)).toBeUndefined()
    },
  )

  test('has inner lists, with parameters of their own (§4.2.1.2)', () => {
    const [list, empty] = parseList('( "a"  b;x );y=1, ()') ?? []
    expect(list).toEqual({
      type: 'list',
      value: [
        { type: 'string', value: 'a', parameters: none },
        { type: 'token', value: 'b', parameters: new Map([['x', { type: 'boolean', value: true }]]) },
      ],
      parameters: new Map([['y', { type: 'integer', value: 1 }]]),
    })
    expect(empty).toEqual({ type: 'list', value: [], parameters: none })
  })

  test('has at least 1,024 members, and 256 in an inner list (§3)', () => {
    expect(parseList(Array(1024).fill('a').join(', '))).toHaveLength(1024)
    expect(parseList(`(${Array(256).fill('a').join(' ')})`)?.[0]?.value).toHaveLength(256)
  })
})

describe('a Dictionary (RFC 9651 §4.2.2)', () => {
  test('has members by key, true without a value, the last of equal keys counting', () => {
    const said = parseDictionary('a=1, b;x, c=("d"), a=2, __proto__=3') ?? parseDictionary('a=1, b;x, c=("d"), a=2')
    expect([...(said?.keys() ?? [])]).toEqual(['a', 'b', 'c'])
    expect(said?.get('a')).toEqual({ type: 'integer', value: 2, parameters: none })
    expect(said?.get('b')).toEqual({
      type: 'boolean',
      value: true,
      parameters: new Map([['x', { type: 'boolean', value: true }]]),
    })
    expect(said?.get('c')?.type).toBe('list')
  })

  test('finds nothing under names of a prototype', () => {
    expect(parseDictionary('a')?.get('constructor')).toBeUndefined()
    expect(parseDictionary('constructor')?.get('constructor')?.value).toBe(true)
  })

  test('is empty for an empty value', () => {
    expect(parseDictionary('')).toEqual(none)
  })

  test.each(['A=1', '1=a', 'a=', 'a =1', 'a= 1', 'a=1 b=2', 'a,', '"a"=1', '=1', 'a=1;'])('%j is none', (text) => {
    expect(parseDictionary(text)).toBeUndefined()
  })

  test('has at least 1,024 keys of 64 characters (§3)', () => {
    const text = Array.from({ length: 1024 }, (_, index) => `${'k'.repeat(60)}${String(index).padStart(4, '0')}`).join()
    expect(parseDictionary(text)?.size).toBe(1024)
  })
})

test('Strings of 1,024 characters and Tokens of 512 are read (RFC 9651 §3)', () => {
  expect(parseItem(`"${'x'.repeat(1024)}"`)?.value).toHaveLength(1024)
  expect(parseItem('x'.repeat(512))?.value).toHaveLength(512)
})

test.each([
  ['nearcache', 'nearcache'],
  ['stale-if-error', 'stale-if-error'],
  ['two words', '"two words"'],
  ['9lives', '"9lives"'],
  [String.raw`a"b\c`, String.raw`"a\"b\\c"`],
  ['', '""'],
  ['naïve\n', '"nave"'],
])('%j is written as %s (RFC 9651 §4.1.6, §4.1.7)', (text, expected) => {
  expect(serialiseName(text)).toBe(expected)
  expect(serialiseName(text)).toBe(expected) // and again: it keeps no place in the text
})

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
      expect(parseItem(serialiseName(text))?.value).toBe(text)
    }),
  )
})
