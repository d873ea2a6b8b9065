import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matchesNominated, nominatedFields, varyOf } from '../../src/http/nominated-fields.ts'
import { fields, presentedWith, storedWith } from './builders.ts'

type Headers = Readonly<Record<string, string>>

/** Whether a response that nominates `vary`, stored for `before`, answers `after`. */
function matches(
  vary: string | undefined,
  before: Headers,
  after: Headers,
  more: Parameters<typeof matchesNominated>[2] & { type?: 'cors'; response?: Headers } = {},
) {
  const { implied = [], type = 'basic', response = {} } = more
  const stored = storedWith({ ...(vary !== undefined && { vary }), ...response }, { request: before, type, implied })
  return matchesNominated(stored, presentedWith(after), more)
}

describe('Vary (RFC 9111 §4.1, RFC 9110 §12.5.5)', () => {
  test.each(['*', '* ', '*,', ', *', '*, Foo', 'Foo, *', '*, *', 'foo,*,bar', '\t*', 'Foo bar', '"Foo', '"foo, *'])(
    '%j matches nothing: a member that is no field name could be anything',
    (vary) => {
      expect(varyOf([['vary', vary]], 'basic')).toBe('*')
      expect(matches(vary, { foo: '1' }, { foo: '1' })).toBe(false)
      expect(storedWith({ vary }, { request: { foo: '1' } }).nominated).toEqual([])
    },
  )

  test('a * on any line matches nothing', () => {
    const headers = fields([
      ['vary', 'foo'],
      ['vary', ''],
      ['vary', '*'],
    ])
    expect(varyOf(headers, 'basic')).toBe('*')
  })

  test('names are read in any case, each once', () => {
    expect(varyOf([['vary', 'Foo, foo,, BAR']], 'basic')).toEqual(['foo', 'bar'])
  })

  test('absent, it nominates nothing; where it may be hidden, it is unknown (Fetch, CORS filtered response)', () => {
    expect(varyOf([], 'basic')).toEqual([])
    expect(varyOf([], 'default')).toEqual([])
    expect(varyOf([], 'cors')).toBe('unknown')
    expect(varyOf([['vary', '']], 'cors')).toEqual([])
    expect(varyOf([['vary', 'foo']], 'cors')).toEqual(['foo'])
  })
})

describe('a presented request matches', () => {
  test.each([
    ['when the nominated field is the same', 'Foo', { foo: '1' }, { foo: '1' }, true],
    ['not when it differs', 'Foo', { foo: '1' }, { foo: '2' }, false],
    ['not when it differs in case', 'Foo', { foo: 'a' }, { foo: 'A' }, false],
    ['not when only the original request had it', 'Foo', { foo: '1' }, {}, false],
    ['not when only the presented request has it', 'Foo', {}, { foo: '1' }, false],
    ['when neither has it', 'Foo', {}, {}, true],
    ['not when one has it empty', 'Foo', { foo: '' }, {}, false],
    ['when other fields differ', 'Foo', { foo: '1', other: '2' }, { foo: '1', other: '3' }, true],
    ['when there is no Vary', undefined, { foo: '1' }, { foo: '2' }, true],
    ['when each of several is the same', 'Foo, Bar', { foo: '1', bar: 'a' }, { bar: 'a', foo: '1' }, true],
    [
      'not when one of several differs',
      'Foo, Bar, Baz',
      { foo: '1', bar: 'a4', baz: '7' },
      { foo: '1', bar: 'a', baz: '7' },
      false,
    ],
    ['when one of several is absent from both', 'Foo, Bar, Baz', { foo: '1', baz: '7' }, { foo: '1', baz: '7' }, true],
    ['whatever the whitespace around commas', 'Foo', { foo: '1,2' }, { foo: ' 1, 2 ' }, true],
    ['not when whitespace in a quoted string differs', 'Foo', { foo: '"a, b"' }, { foo: '"a,b"' }, false],
    ['not when whitespace between words differs', 'Foo', { foo: 'a b' }, { foo: 'a  b' }, false],
    ['not when there is an empty part more', 'Foo', { foo: '1,,2' }, { foo: '1,2' }, false],
    ['whatever the Accept-Encoding: bodies arrive decoded', 'Accept-Encoding', { 'accept-encoding': 'gzip' }, {}, true],
    [
      'whatever the Available-Dictionary (RFC 9842)',
      'Available-Dictionary',
      {},
      { 'available-dictionary': ':x:' },
      true,
    ],
    ['whatever the Origin: a store belongs to one', 'Origin', { origin: 'a' }, { origin: 'b' }, true],
  ] as ReadonlyArray<[string, string | undefined, Headers, Headers, boolean]>)(
    '%s (RFC 9111 §4.1)',
    (_sentence, vary, before, after, expected) => {
      expect(matches(vary, before, after)).toBe(expected)
    },
  )

  test('lines of one field that say the same as one line (RFC 9110 §5.3)', () => {
    const stored = storedWith({ vary: 'foo' }, { request: { foo: '1, 2' } })
    const lines = fields([
      ['foo', '1'],
      ['foo', '2'],
    ])
    expect(matchesNominated(stored, { headers: lines })).toBe(true)
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype', 'valueOf'])(
    'a field called %s like any other',
    (name) => {
      expect(matches(name, {}, {})).toBe(true)
      const [before, after] = [fields([[name.toLowerCase(), '1']]), fields([[name.toLowerCase(), '2']])]
      const stored = storedWith({ vary: name }, { request: before })
      expect(matchesNominated(stored, { headers: before })).toBe(true)
      expect(matchesNominated(stored, { headers: after })).toBe(false)
      expect(matchesNominated(stored, { headers: [] })).toBe(false)
    },
  )
})

describe('Accept-Language (RFC 9110 §12.5.4)', () => {
  const of = (before: string, after: string, response: Headers = {}) =>
    matches('Accept-Language', { 'accept-language': before }, { 'accept-language': after }, { response })

  test.each([
    ['in another order of equal weights', 'en, de', 'de, en', true],
    ['in another case', 'en, de', 'eN, De', true],
    ['with other whitespace', 'en, de', ' en ,   de', true],
    ['with an explicit weight of 1', 'en, de', 'en;q=1.0, de ; q=1', true],
    ['with weights in another order', 'en;q=0.5, de', 'de, en;q=0.50', true],
    ['not with another weight', 'en, de;q=0.5', 'en, de;q=0.4', false],
    ['not with another language', 'en, de', 'en, fr', false],
    ['not with a language less', 'en, de', 'en', false],
    ['not with a language excluded', 'en', 'en, de;q=0', false],
    ['not when it is something else that differs in case', 'a b', 'A b', false],
    ['when it is something else that is the same', 'en;q=2', 'en;q=2', true],
    ['when both are empty', '', '', true],
  ])('matches %s', (_sentence, before, after, expected) => {
    expect(of(before, after)).toBe(expected)
  })

  test.each([
    ['when the stored response is in the language preferred above all', 'fr;q=0.5, de;q=1.0', 'de', true],
    ['in any case', 'DE, fr;q=0.5', 'De', true],
    ['when it is the only one', 'de', 'de', true],
    ['not when another is preferred', 'fr, de;q=0.9', 'de', false],
    ['not when another is preferred as much', 'fr, de', 'de', false],
    ['not when it is in several languages', 'de', 'de, en', false],
    ['not when it does not say', 'de', undefined, false],
    ['not when the language is excluded', 'de;q=0', 'de', false],
    ['not when any language will do', '*', '*x', false],
    ['not when the preference is malformed', 'de;q=9', 'de', false],
    ['not when there is none', '', 'de', false],
  ])('a response in another request’s language matches %s', (_sentence, after, language, expected) => {
    expect(of('en, de', after, language === undefined ? {} : { 'content-language': language })).toBe(expected)
  })
})

describe('a field that the platform adds', () => {
  test.each(['cookie', 'referer', 'authorization'])(
    '%s, unseen, matches only where the partition stands for the user',
    (name) => {
      expect(matches(name, {}, {})).toBe(false)
      expect(matches(name, {}, {}, { partitioned: true })).toBe(true)
    },
  )

  test.each(['cookie', 'authorization'])('%s, seen, is a field like any other', (name) => {
    expect(matches(name, { [name]: 'a' }, { [name]: 'a' })).toBe(true)
    expect(matches(name, { [name]: 'a' }, { [name]: 'b' }, { partitioned: true })).toBe(false)
    expect(matches(name, { [name]: 'a' }, {}, { partitioned: true })).toBe(false)
    expect(matches(name, {}, { [name]: 'a' }, { partitioned: true })).toBe(false)
  })

  test('is the implied one where script has not set it', () => {
    const german = fields({ 'accept-language': 'de', 'user-agent': 'one' })
    const french = fields({ 'accept-language': 'fr', 'user-agent': 'one' })
    const stored = storedWith({ vary: 'accept-language, user-agent' }, { implied: german })
    expect(stored.nominated).toEqual(german)
    expect(matchesNominated(stored, presentedWith(), { implied: german })).toBe(true)
    expect(matchesNominated(stored, presentedWith({ 'accept-language': 'DE' }), { implied: french })).toBe(true)
    expect(matchesNominated(stored, presentedWith(), { implied: french })).toBe(false)
    expect(matchesNominated(stored, presentedWith())).toBe(false)
  })
})

describe('a hidden Vary (Fetch, CORS filtered response)', () => {
  const of = (before: Headers, after: Headers) => matches(undefined, before, after, { type: 'cors' })

  test('makes every field that script has set take part', () => {
    expect(of({ 'x-tenant': 'a', accept: 'b' }, { accept: 'b', 'x-tenant': 'a' })).toBe(true)
    expect(of({}, {})).toBe(true)
    expect(of({ 'x-tenant': 'a' }, { 'x-tenant': 'b' })).toBe(false)
    expect(of({ 'x-tenant': 'a' }, {})).toBe(false)
    expect(of({}, { 'x-tenant': 'a' })).toBe(false)
    expect(of({ authorization: 'a' }, { authorization: 'b' })).toBe(false)
  })

  test.each([
    'cache-control',
    'pragma',
    'range',
    'if-match',
    'if-none-match',
    'if-modified-since',
    'if-unmodified-since',
    'if-range',
    'accept-encoding',
  ])('but not %s, which is about the use, not about what is wanted', (name) => {
    expect(of({ [name]: 'a' }, { [name]: 'b' })).toBe(true)
    expect(of({}, { [name]: 'b' })).toBe(true)
  })

  test('makes the implied fields take part too', () => {
    const stored = storedWith({}, { type: 'cors', implied: fields({ 'accept-language': 'de' }) })
    expect(matchesNominated(stored, presentedWith(), { implied: fields({ 'accept-language': 'de' }) })).toBe(true)
    expect(matchesNominated(stored, presentedWith(), { implied: fields({ 'accept-language': 'fr' }) })).toBe(false)
  })
})

test('the nominated fields are those that the request had, under any name', () => {
  const headers = fields([
    ['__proto__', 'x'],
    ['foo', '1'],
    ['accept-encoding', 'gzip'],
  ])
  expect(nominatedFields(['foo', '__proto__', 'bar', 'accept-encoding'], headers)).toEqual([
    ['__proto__', 'x'],
    ['foo', '1'],
  ])
  expect(nominatedFields('*', headers)).toEqual([])
})

test('a request matches the response that it was answered with, unless something personal is unseen', () => {
  const name = fc.constantFrom('foo', 'accept-language', 'constructor', '__proto__', 'cookie', 'origin')
  const headers = fc.array(fc.tuple(name, fc.string({ unit: fc.constantFrom('a', ',', ' ', '"', ';', 'q', '=') })), {
    maxLength: 3,
  })
  fc.assert(
    fc.property(
      fc.array(name, { maxLength: 3 }),
      headers,
      fc.constantFrom('basic' as const, 'cors' as const),
      (names, request, type) => {
        const stored = storedWith(names.length > 0 ? { vary: names.join() } : {}, {
          request: request as [string, string][],
          type,
        })
        expect(matchesNominated(stored, { headers: request as [string, string][] }, { partitioned: true })).toBe(true)
      },
    ),
  )
})
