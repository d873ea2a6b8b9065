import { describe, expect, test } from 'vitest'
import { currentAge } from '../../src/http/current-age.ts'
import { conditionalFields, etagsMatch, freshen, freshenedBy, headUpdates } from '../../src/http/validation.ts'
import { fields, httpDate, presentedWith, seconds, start, storedWith } from './builders.ts'

const yesterday = httpDate(start - seconds(86_400))

describe('the conditions sent (RFC 9111 §4.3.1)', () => {
  test.each([
    ['the stored entity tag, byte for byte', { etag: 'W/"ä, \\"' }, [['if-none-match', 'W/"ä, \\"']]],
    ['a malformed entity tag as it is', { etag: 'abc' }, [['if-none-match', 'abc']]],
    ['the empty entity tag', { etag: '""' }, [['if-none-match', '""']]],
    [
      'Last-Modified in its own words',
      { 'last-modified': 'Sunday, 04-Jan-26 12:00:00 GMT' },
      [['if-modified-since', 'Sunday, 04-Jan-26 12:00:00 GMT']],
    ],
    [
      'both where there are both',
      { etag: '"1"', 'last-modified': yesterday },
      [
        ['if-none-match', '"1"'],
        ['if-modified-since', yesterday],
      ],
    ],
    ['nothing for an unreadable Last-Modified (RFC 9110 §13.1.3)', { 'last-modified': 'yesterday' }, []],
    ['nothing where there is no validator', {}, []],
  ])('are %s', (_sentence, headers, expected) => {
    expect(conditionalFields(storedWith(headers as Record<string, string>))).toEqual(expected)
  })
})

test.each([
  ['W/"1"', 'W/"1"', false, true],
  ['W/"1"', 'W/"2"', false, false],
  ['W/"1"', '"1"', false, true],
  ['"1"', 'W/"1"', false, true],
  ['"1"', '"1"', true, true],
  ['"1"', '"2"', false, false],
  ['""', '""', true, true],
  ['abc', 'abc', false, true],
  ['w/"1"', 'W/"1"', false, false],
  ['"a"b"', '"a"b"', false, true],
  ['"a b"', '"a b"', false, true],
  ['"a\tb"', '"a\tb"', false, true],
  ['"!#~\xe9"', '"!#~\xe9"', true, true],
  [undefined, undefined, false, false],
  ['"1"', undefined, false, false],
  [undefined, '"1"', false, false],
])('%j and %j match: strongly %j, weakly %j (RFC 9110 §8.8.3.2)', (a, b, strong, weak) => {
  expect(etagsMatch(a, b, 'strong')).toBe(strong)
  expect(etagsMatch(a, b, 'weak')).toBe(weak)
})

describe('a 304 freshens (RFC 9111 §4.3.4)', () => {
  const at = (age: number, headers: Readonly<Record<string, string>>) =>
    storedWith({ date: httpDate(start - seconds(age)), ...headers })
  const old = at(20, { etag: '"1"' })
  const recent = at(10, { etag: '"1"' })
  const other = at(5, { etag: '"2"' })
  const weakOld = at(20, { etag: 'W/"1"', 'last-modified': yesterday })
  const weak = at(10, { etag: 'W/"1"', 'last-modified': yesterday })
  const dated = at(15, { 'last-modified': yesterday })
  const bare = at(1, {})

  test.each([
    ['every response with its strong entity tag', [old, other, recent], { etag: '"1"' }, [old, recent]],
    ['nothing when none has its strong entity tag', [old, recent], { etag: '"3"' }, []],
    ['nothing that has the tag only weakly', [weak], { etag: '"1"' }, []],
    [
      'nothing by its date when its strong entity tag is another',
      [weak],
      { etag: '"3"', 'last-modified': yesterday },
      [],
    ],
    ['the most recent with its weak entity tag', [weakOld, weak, other], { etag: 'W/"1"' }, [weak]],
    ['the most recent with its weak entity tag, strong or weak', [weak, recent, other], { etag: 'W/"1"' }, [weak]],
    [
      'nothing when its weak entity tag is another, though the date is the same',
      [weak],
      { etag: 'W/"3"', 'last-modified': yesterday },
      [],
    ],
    ['what has its malformed entity tag', [at(1, { etag: 'abc' })], { etag: 'abc' }, [at(1, { etag: 'abc' })]],
    ['the most recent with its Last-Modified', [weakOld, dated, bare], { 'last-modified': yesterday }, [dated]],
    ['what has its Last-Modified and no entity tag', [dated], { etag: 'W/"1"', 'last-modified': yesterday }, [dated]],
    ['nothing with another Last-Modified', [dated], { 'last-modified': httpDate(start) }, []],
    ['nothing without a validator when the 304 has one', [bare], { etag: 'W/"1"' }, []],
    ['the only one, which has no validator, when the 304 has none either', [bare], {}, [bare]],
    ['the only one when the 304 leaves out the validator that was sent (against RFC 9110 §15.4.5)', [old], {}, [old]],
    ['nothing without a validator when there are several', [old, other], {}, []],
  ])('%s', (_sentence, candidates, headers, expected) => {
    expect(freshenedBy(candidates, fields(headers as Record<string, string>))).toEqual(expected)
  })

  test('without a validator, the one of several whose validators were sent', () => {
    expect(freshenedBy([old, other], [], old)).toEqual([old])
    expect(freshenedBy([old, other], fields({ etag: '"2"' }), old)).toEqual([other])
  })

  test('of two with the same Date the one that arrived last', () => {
    const late = { ...weak, responseTime: start + 1 }
    expect(freshenedBy([late, weak], fields({ etag: 'W/"1"' }))).toEqual([late])
  })

  test('without changing the order of what it was given', () => {
    const candidates = Object.freeze([weakOld, weak])
    expect(freshenedBy(candidates, fields({ etag: 'W/"1"' }))).toEqual([weak])
    expect(candidates).toEqual([weakOld, weak])
  })
})

const later = start + seconds(100)
const exchange = {
  requestTime: later - 2000,
  responseTime: later,
  epoch: { incarnation: 'one', number: 7 },
  context: 'other tab',
  sequence: 9,
  delta: 2000,
}

const freshened = (
  before: Readonly<Record<string, string>>,
  update: Readonly<Record<string, string>>,
  parts: Parameters<typeof storedWith>[1] = {},
  request: Readonly<Record<string, string>> = {},
) => freshen(storedWith(before, parts), { ...exchange, headers: fields(update) }, presentedWith(request))

describe('a freshened response (RFC 9111 §4.3.4)', () => {
  test('is of the validation: its times, its purge epoch, its place in the order of dispatch', () => {
    expect(freshened({ etag: '"1"' }, {})).toMatchObject(exchange)
  })

  test('keeps its body, its URL, its status and its tags', () => {
    const before = storedWith(
      { etag: '"1"', 'cache-tag': 'a' },
      { tags: ['a', 'rule'], part: { first: 0, last: 9, size: 10 }, memoryOnly: true },
    )
    const after = freshen(before, { ...exchange, headers: [] }, presentedWith())
    for (const key of ['body', 'url', 'status', 'type', 'etag', 'part', 'memoryOnly', 'v'] as const)
      expect(after[key]).toEqual(before[key])
    expect(after.tags).toEqual(['a', 'rule'])
  })

  test('does not keep a stored Age that the 304 does not repeat (§4.2.3)', () => {
    const after = freshened({ age: '500', 'cache-control': 'max-age=600', date: httpDate(start) }, {})
    expect(after.ageValue).toBe(0)
    expect(after.headers.map(([name]) => name)).not.toContain('age')
    expect(currentAge(after, later)).toBe(2000)
  })

  test('takes Age and Date of the 304 (§4.2.3)', () => {
    const after = freshened({ age: '500' }, { age: '3', date: httpDate(later - 9000) })
    expect(after).toMatchObject({ ageValue: 3000, dateValue: later - 9000 })
    expect(after.headers).toContainEqual(['age', '3'])
  })

  test('does not keep a stored Date that the 304 does not repeat: it is dated by its receipt (RFC 9110 §6.6.1)', () => {
    const after = freshened({ date: httpDate(start) }, {})
    expect(after.dateValue).toBe(later)
    expect(after.headers).toEqual(fields({ date: httpDate(later) }))
  })

  test('keeps the directives that came in a field which is not stored', () => {
    const after = freshened({ 'cache-control': 'max-age=5, no-cache="cache-control, expires"', expires: '0' }, {})
    expect(after).toMatchObject({ directives: { maxAge: 5000 }, expires: 'unreadable' })
  })

  test('has a new lifetime', () => {
    const after = freshened(
      { 'cache-control': 'max-age=1, must-revalidate', expires: '0', 'last-modified': yesterday, etag: 'W/"1"' },
      { 'cache-control': 'max-age=600', expires: httpDate(later), 'last-modified': httpDate(start), etag: '"1"' },
    )
    expect(after).toMatchObject({ directives: { maxAge: 600_000 }, expires: later, lastModified: start, etag: '"1"' })
    expect(after.directives).not.toHaveProperty('mustRevalidate')
  })

  test('keeps what the 304 does not mention', () => {
    const before = {
      'cache-control': 'max-age=1, must-revalidate',
      expires: '0',
      'last-modified': yesterday,
      etag: 'W/"1"',
      vary: 'foo',
    }
    const after = freshened(before, {}, { request: { foo: '1' } })
    expect(after).toMatchObject({
      directives: { maxAge: 1000, mustRevalidate: true },
      expires: 'unreadable',
      lastModified: start - 86_400_000,
      etag: 'W/"1"',
      vary: ['foo'],
      nominated: [['foo', '1']],
    })
    expect(after.headers).toEqual(fields({ ...before, date: httpDate(later) }))
  })

  test('loses a Last-Modified that the 304 makes unreadable', () => {
    expect(freshened({ 'last-modified': yesterday }, { 'last-modified': 'x' })).not.toHaveProperty('lastModified')
  })

  test('says no-store when the 304 does (§5.2.2.5)', () => {
    expect(freshened({ 'cache-control': 'max-age=1' }, { 'cache-control': 'no-store' }).directives.noStore).toBe(true)
  })

  test('has its fields replaced, unknown ones too, but never those of the stored bytes (§3.2)', () => {
    const bytes = { 'content-length': '10', 'content-encoding': 'gzip', 'content-type': 'text/plain' }
    const after = freshened(
      { ...bytes, 'x-a': '1' },
      { 'content-length': '0', 'content-encoding': 'br', 'content-type': 'text/html', 'x-a': '2' },
    )
    expect(after.headers).toEqual(fields({ ...bytes, 'x-a': '2', date: httpDate(later) }))
  })

  test('loses the fields of a no-cache that the 304 brings (§5.2.2.4)', () => {
    const after = freshened({ 'x-secret': '1' }, { 'cache-control': 'max-age=5, no-cache="x-secret"', 'x-secret': '2' })
    expect(after.headers.map(([name]) => name)).toEqual(['cache-control', 'date'])
  })

  test('nominates anew when the 304 brings another Vary', () => {
    const after = freshened({ vary: 'foo' }, { vary: 'bar' }, { request: { foo: '1' } }, { foo: '1', bar: '2' })
    expect(after).toMatchObject({ vary: ['bar'], nominated: [['bar', '2']] })
  })

  test('keeps a Vary that is not stored as a field', () => {
    const after = freshened({ 'cache-control': 'no-cache="vary"', vary: 'foo' }, {}, { request: { foo: '1' } })
    expect(after).toMatchObject({ vary: ['foo'], nominated: [['foo', '1']] })
  })

  test('has the tags of the 304 in place of its own, and keeps those of others', () => {
    const before = { 'cache-tag': 'a, b', 'surrogate-key': 's' }
    expect(freshened(before, { 'cache-tag': 'c' }, { tags: ['a', 'b', 's', 'rule'] }).tags).toEqual(['c', 's', 'rule'])
  })

  test('is no longer stale by HEAD (§4.3.5)', () => {
    const stale = { ...storedWith({ etag: '"1"' }), staleSince: start }
    expect(freshen(stale, { ...exchange, headers: [] }, presentedWith())).not.toHaveProperty('staleSince')
  })

  test('drops immutable where it does not bind (RFC 8246 §3)', () => {
    const update = { 'cache-control': 'max-age=60, immutable' }
    expect(freshened({}, update).directives.immutable).toBe(true)
    expect(freshened({}, update, { url: 'http://shop.example/' }).directives.immutable).toBeUndefined()
  })
})

describe('a 200 to HEAD (RFC 9111 §4.3.5)', () => {
  const stored = { etag: '"1"', 'last-modified': yesterday }

  test.each([
    [
      'freshens when all that it says is what is stored',
      stored,
      { etag: '"1"', 'last-modified': yesterday, 'content-length': '10' },
      'freshen',
    ],
    ['freshens when it says nothing of it', stored, {}, 'freshen'],
    ['makes stale with another entity tag', stored, { etag: '"2"' }, 'stale'],
    ['makes stale with another strength of entity tag', stored, { etag: 'W/"1"' }, 'stale'],
    ['makes stale with another Last-Modified', stored, { etag: '"1"', 'last-modified': httpDate(start) }, 'stale'],
    ['makes stale with a validator where none is stored', {}, { etag: '"1"' }, 'stale'],
    ['makes stale with another length', stored, { 'content-length': '11' }, 'stale'],
    [
      'does not compare lengths when it is encoded',
      stored,
      { 'content-length': '5', 'content-encoding': 'gzip' },
      'freshen',
    ],
    [
      'does not compare lengths when the stored response came encoded',
      { 'content-encoding': 'gzip' },
      { 'content-length': '5' },
      'freshen',
    ],
  ])('%s', (_sentence, before, headers, expected) => {
    expect(headUpdates(storedWith(before as Record<string, string>), fields(headers as Record<string, string>))).toBe(
      expected,
    )
  })

  test('compares its length with the whole of which a part is stored', () => {
    const part = { first: 0, last: 9, size: 20 }
    const parts = (more: object) => storedWith({}, { status: 206, part: { ...part, ...more } })
    expect(headUpdates(parts({}), fields({ 'content-length': '20' }))).toBe('freshen')
    expect(headUpdates(parts({}), fields({ 'content-length': '10' }))).toBe('stale')
    const { size: _, ...unknown } = part
    expect(headUpdates(storedWith({}, { status: 206, part: unknown }), fields({ 'content-length': '10' }))).toBe(
      'freshen',
    )
  })

  test('does not compare lengths where the encoding may be hidden (Fetch, CORS filtered response)', () => {
    expect(headUpdates(storedWith({}, { type: 'cors' }), fields({ 'content-length': '5' }))).toBe('freshen')
    expect(
      headUpdates(storedWith({ 'content-length': '10' }, { type: 'cors' }), fields({ 'content-length': '5' })),
    ).toBe('stale')
  })
})
