import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ByteRange,
  canComplete,
  canSatisfyRange,
  contentRange,
  isIdentity,
  requestedRange,
  sliceOf,
} from '../../src/http/byte-range.ts'
import type { StoredPart } from '../../src/http/message.ts'
import { fields, storedWith } from './builders.ts'

test.each([
  ['bytes=0-4', { first: 0, last: 4 }],
  ['Bytes=5-', { first: 5 }],
  ['bytes=-5', { suffix: 5 }],
  ['bytes=7-7', { first: 7, last: 7 }],
  ['bytes=5-4', undefined],
  ['bytes=0-1,3-4', undefined],
  ['bytes=0-1,', undefined],
  ['bytes=-', undefined],
  ['bytes=', undefined],
  ['bytes=a-b', undefined],
  ['bytes=+1-2', undefined],
  ['items=0-4', undefined],
  ['bytes 0-4', undefined],
  ['', undefined],
])('Range %j asks for %j (RFC 9110 §14.1.2, §14.2)', (value, expected) => {
  expect(requestedRange(value)).toEqual(expected)
})

test.each([
  ['bytes 0-4/10', { first: 0, last: 4, size: 10 }],
  ['BYTES 0-4/*', { first: 0, last: 4 }],
  ['bytes 9-9/10', { first: 9, last: 9, size: 10 }],
  ['bytes 5-4/10', undefined],
  ['bytes 5-4/*', undefined],
  ['bytes 0-10/10', undefined],
  ['bytes */10', undefined],
  ['bytes 0-4', undefined],
  ['bytes=0-4/10', undefined],
  ['items 0-4/10', undefined],
  ['bytes 0-4/9999999999999999', undefined],
  ['', undefined],
])('Content-Range %j is %j (RFC 9110 §14.4)', (value, expected) => {
  expect(contentRange(value)).toEqual(expected)
})

describe('the stored bytes are those of the representation (RFC 9110 §14.1.2)', () => {
  test.each([
    ['when it was not encoded', {}, 'basic', true],
    ['not when it was', { 'content-encoding': 'gzip' }, 'basic', false],
    ['not where the encoding may be hidden', {}, 'cors', false],
    ['where it may be hidden and the length fits', { 'content-length': '10' }, 'cors', true],
    ['not where it may be hidden and the length does not fit', { 'content-length': '5' }, 'cors', false],
  ] as const)('%s', (_sentence, headers, type, expected) => {
    expect(isIdentity(storedWith(headers, { type }))).toBe(expected)
  })
})

const whole = storedWith({}, { body: { id: 'b', size: 11 } })
const partOf = (part: StoredPart, size: number) => storedWith({}, { status: 206, part, body: { id: 'b', size } })
/** The public suite's part: it claims six bytes and has five. */
const short = partOf({ first: 4, last: 9, size: 10 }, 5)
const middle = partOf({ first: 4, last: 7, size: 10 }, 4)
const unsized = partOf({ first: 0, last: 4 }, 5)

describe('a range of what is stored (RFC 9110 §14.2, §15.3.7; RFC 9111 §3.3)', () => {
  test.each([
    ['the beginning of a whole', whole, { first: 0, last: 1 }, [0, 2, 'bytes 0-1/11']],
    ['the rest of a whole', whole, { first: 1 }, [1, 11, 'bytes 1-10/11']],
    ['the last bytes of a whole', whole, { suffix: 1 }, [10, 11, 'bytes 10-10/11']],
    ['more last bytes than there are', whole, { suffix: 99 }, [0, 11, 'bytes 0-10/11']],
    ['an end beyond the whole', whole, { first: 5, last: 99 }, [5, 11, 'bytes 5-10/11']],
    ['the last byte by its place', whole, { first: 10, last: 10 }, [10, 11, 'bytes 10-10/11']],
    ['a part, whole', middle, { first: 4, last: 7 }, [0, 4, 'bytes 4-7/10']],
    ['inside a part', middle, { first: 5, last: 6 }, [1, 3, 'bytes 5-6/10']],
    ['inside a part of what has no known size', unsized, { first: 1, last: 4 }, [1, 5, 'bytes 1-4/*']],
    ['inside a part that claims too much', short, { first: 6, last: 8 }, [2, 5, 'bytes 6-8/10']],
    ['the rest of a part that claims too much', short, { first: 6 }, [2, 5, 'bytes 6-8/10']],
    ['the last bytes of a part that claims too much', short, { suffix: 5 }, [0, 5, 'bytes 4-8/10']],
    ['the last byte of a part that claims too much', short, { suffix: 1 }, [4, 5, 'bytes 8-8/10']],
  ] as ReadonlyArray<[string, typeof whole, ByteRange, [number, number, string]]>)(
    '%s',
    (_sentence, stored, range, [from, to, text]) => {
      expect(sliceOf(stored, range)).toEqual({ from, to, contentRange: text })
      expect(canSatisfyRange(stored, range)).toBe(true)
    },
  )

  test.each([
    ['beyond the end', whole, { first: 11 }],
    ['no last bytes', whole, { suffix: 0 }],
    ['before a part', middle, { first: 3, last: 5 }],
    ['beyond a part', middle, { first: 5, last: 8 }],
    ['the rest of a part that does not reach the end', middle, { first: 5 }],
    ['an end beyond the whole of such a part', middle, { first: 5, last: 99 }],
    ['the last bytes of such a part', middle, { suffix: 1 }],
    ['the rest of what has no known size', unsized, { first: 1 }],
    ['the last bytes of what has no known size', unsized, { suffix: 1 }],
    ['more last bytes than the part has', short, { suffix: 6 }],
    ['a byte that the part claims and has not', short, { first: 9 }],
    ['anything of an empty body', storedWith({}, { body: { id: 'b', size: 0 } }), { first: 0 }],
    ['the last bytes of an empty body', storedWith({}, { body: { id: 'b', size: 0 } }), { suffix: 1 }],
    ['anything of a 404', storedWith({}, { status: 404 }), { first: 0 }],
    ['anything that was encoded', storedWith({ 'content-encoding': 'br' }), { first: 0 }],
    ['anything whose encoding may be hidden', storedWith({}, { type: 'cors' }), { first: 0 }],
    ['an endless number', whole, { first: Number('9'.repeat(400)) }],
  ] as ReadonlyArray<[string, typeof whole, ByteRange]>)('cannot be %s', (_sentence, stored, range) => {
    expect(sliceOf(stored, range)).toBeUndefined()
    expect(canSatisfyRange(stored, range)).toBe(false)
  })

  test('is what a slice of the whole would be, from the whole and from any part that holds it', () => {
    const range = fc.oneof(
      fc.record({ suffix: fc.nat(25) }),
      fc.record({ first: fc.nat(25) }),
      fc.tuple(fc.nat(25), fc.nat(25)).map(([first, more]) => ({ first, last: first + more })),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(19), fc.nat(19), range, (size, a, b, wanted) => {
        const [first, last] = [Math.min(a, b, size - 1), Math.min(Math.max(a, b), size - 1)]
        const bytes = Array.from({ length: size }, (_, index) => index)
        const expected =
          'suffix' in wanted
            ? bytes.slice(Math.max(0, size - wanted.suffix), wanted.suffix === 0 ? 0 : size)
            : bytes.slice(wanted.first, ('last' in wanted ? wanted.last : size) + 1)
        const ofWhole = sliceOf(storedWith({}, { body: { id: 'b', size } }), wanted)
        expect(ofWhole ? bytes.slice(ofWhole.from, ofWhole.to) : []).toEqual(expected)
        const part = bytes.slice(first, last + 1)
        const ofPart = sliceOf(partOf({ first, last, size }, part.length), wanted)
        if (ofPart) expect(part.slice(ofPart.from, ofPart.to)).toEqual(expected)
        else expect(expected.length > 0 && expected.every((byte) => part.includes(byte))).toBe(false)
        for (const slice of [ofWhole, ofPart]) {
          if (slice)
            expect(contentRange(slice.contentRange)).toEqual({ first: expected[0], last: expected.at(-1), size })
        }
      }),
      { numRuns: 2000 },
    )
  }, 60_000)
})

describe('a stored beginning is completed (RFC 9110 §15.3.7.3, RFC 9111 §3.4)', () => {
  const beginning = (
    part: StoredPart = { first: 0, last: 4, size: 10 },
    headers: Readonly<Record<string, string>> = { etag: '"1"' },
    size = 5,
  ) => storedWith(headers, { status: 206, part, body: { id: 'b', size } })
  const rest = { 'content-range': 'bytes 5-9/10', etag: '"1"' }

  test('by the rest with the same strong entity tag', () => {
    expect(canComplete(beginning(), fields(rest))).toBe(true)
    expect(canComplete(beginning({ first: 0, last: 4 }), fields(rest))).toBe(true)
  })

  test.each([
    ['another entity tag', beginning(), { ...rest, etag: '"2"' }],
    ['a weak entity tag', beginning(undefined, { etag: 'W/"1"' }), { ...rest, etag: 'W/"1"' }],
    ['no entity tag', beginning(undefined, {}), { 'content-range': rest['content-range'] }],
    ['no entity tag in the rest', beginning(), { 'content-range': rest['content-range'] }],
    ['no Content-Range', beginning(), { etag: '"1"' }],
    ['a gap', beginning(), { ...rest, 'content-range': 'bytes 6-9/10' }],
    ['an overlap', beginning(), { ...rest, 'content-range': 'bytes 4-9/10' }],
    ['only a part of the rest', beginning(), { ...rest, 'content-range': 'bytes 5-8/10' }],
    ['a rest of unknown size', beginning(), { ...rest, 'content-range': 'bytes 5-9/*' }],
    ['a whole of another size', beginning(), { ...rest, 'content-range': 'bytes 5-10/11' }],
    ['an invalid Content-Range (RFC 9110 §14.4)', beginning(), { ...rest, 'content-range': 'bytes 5-4/10' }],
    ['an encoded rest', beginning(), { ...rest, 'content-encoding': 'gzip' }],
    ['an encoded beginning', beginning(undefined, { etag: '"1"', 'content-encoding': 'gzip' }), rest],
    ['a beginning with fewer bytes than it claims', beginning(undefined, undefined, 4), rest],
    ['a beginning that claims fewer bytes than it has', beginning({ first: 0, last: 3, size: 10 }), rest],
    ['a beginning that is a middle', beginning({ first: 1, last: 4, size: 10 }), rest],
    ['a whole', storedWith({ etag: '"1"' }, { body: { id: 'b', size: 5 } }), rest],
  ] as ReadonlyArray<[string, typeof whole, Readonly<Record<string, string>>]>)(
    'not with %s',
    (_sentence, stored, headers) => {
      expect(canComplete(stored, fields(headers))).toBe(false)
    },
  )
})
