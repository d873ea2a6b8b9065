import { describe, expect, test } from 'vitest'
import { httpDate, seconds, start, storedWith } from './builders.ts'

const later = (count: number) => httpDate(start + seconds(count))

test('a stored response is plain data, and what is absent is not there', () => {
  const stored = storedWith({ etag: '"1"' })
  expect(structuredClone(stored)).toEqual(stored)
  expect(Object.keys(stored).sort()).toEqual(
    'ageValue body context dateValue delta directives epoch etag headers nominated requestTime responseTime sequence status statusText tags type url v vary'.split(
      ' ',
    ),
  )
})

test('every input of a decision is parsed once', () => {
  const stored = storedWith(
    {
      'cache-control': 'max-age=60, must-revalidate',
      expires: later(100),
      'last-modified': later(-1000),
      etag: 'W/"1"',
      date: later(-5),
      age: '7',
      vary: 'Accept-Language, X-Flavour',
    },
    {
      request: { 'accept-language': 'de', 'x-other': '1' },
      part: { first: 0, last: 9, size: 20 },
      memoryOnly: true,
      tags: ['a', 'b', 'a'],
      status: 206,
    },
  )
  expect(stored).toMatchObject({
    v: 1,
    directives: { maxAge: 60_000, mustRevalidate: true },
    expires: start + 100_000,
    lastModified: start - 1_000_000,
    etag: 'W/"1"',
    dateValue: start - 5000,
    ageValue: 7000,
    vary: ['accept-language', 'x-flavour'],
    nominated: [['accept-language', 'de']],
    part: { first: 0, last: 9, size: 20 },
    memoryOnly: true,
    tags: ['a', 'b'],
  })
})

describe('Date', () => {
  test.each([
    ['missing (RFC 9110 §6.6.1)', {}],
    ['unreadable', { date: 'now' }],
    ['of another zone (RFC 9111 §4.2)', { date: 'Mon, 05 Jan 2026 10:00:00 UTC' }],
  ])('%s: the response time is taken', (_sentence, headers) => {
    expect(
      storedWith(headers as Record<string, string>, { requestTime: start - 5, responseTime: start }).dateValue,
    ).toBe(start)
  })
})

test('a response without Date gets that of its receipt, as IMF-fixdate; not where the origin’s may be hidden (RFC 9110 §6.6.1, §5.6.7; Fetch, CORS-safelisted response-header name)', () => {
  const dates = (headers: Record<string, string>, type: 'basic' | 'cors' | 'default') =>
    storedWith(headers, { responseTime: start + 400, type }).headers
  for (const type of ['basic', 'default'] as const) {
    expect(dates({}, type)).toEqual([['date', 'Mon, 05 Jan 2026 12:00:00 GMT']])
    expect(dates({ date: 'now' }, type)).toEqual([['date', 'now']])
  }
  expect(dates({}, 'cors')).toEqual([])
})

describe('Age (RFC 9111 §5.1)', () => {
  test.each([
    ['5', 5000],
    ['5, 9', 5000],
    ['0, 7200', 0],
    ['7200,0', 7_200_000],
    ['2147483649', 2 ** 31 * 1000],
    ['-1', 0],
    ['1.5', 0],
    ['abc', 0],
    ['7200;foo=bar', 0],
    ['', 0],
    [' , 5', 5000],
  ])('%j is %d ms: the first member, digits only', (age, ageValue) => {
    expect(storedWith({ age }).ageValue).toBe(ageValue)
  })
})

test.each([
  ['0', 'unreadable'],
  ['', 'unreadable'],
  ['Thu, 18 Aug 2050 02:01:18 UTC', 'unreadable'],
  [`${later(1)}, ${later(1)}`, 'unreadable'],
  [later(1), start + 1000],
])('Expires %j is %j: unreadable is not absent (RFC 9111 §5.3)', (expires, expected) => {
  expect(storedWith({ expires }).expires).toBe(expected)
})

test('an unreadable Last-Modified and an empty ETag are no validators', () => {
  const stored = storedWith({ 'last-modified': 'yesterday', etag: '' })
  expect([stored.lastModified, stored.etag]).toEqual([undefined, undefined])
})

test('a two-digit year is read at the time of the response (RFC 9110 §5.6.7)', () => {
  expect(storedWith({ expires: 'Monday, 01-Jan-60 00:00:00 GMT' }).expires).toBe(Date.UTC(2060, 0, 1))
})

describe('immutable (RFC 8246 §3)', () => {
  const of = (url: string) => storedWith({ 'cache-control': 'max-age=60, immutable' }, { url }).directives.immutable

  test.each([
    'https://shop.example/',
    'http://localhost/',
    'http://localhost:8080/a',
    'http://127.0.0.1:1/',
    'http://127.1.2.3/',
    'http://[::1]/',
  ])('counts at %s', (url) => expect(of(url)).toBe(true))

  test.each([
    'http://shop.example/',
    'http://localhost.example/',
    'http://127.0.0.1.example/',
    'http://localhost:80@shop.example/',
    'http://shop.example/https://',
  ])('does not count at %s', (url) => expect(of(url)).toBeUndefined())
})

describe('no-store beside must-understand (RFC 9111 §5.2.2.3)', () => {
  const of = (status: number) =>
    storedWith({ 'cache-control': 'max-age=60, no-store, must-understand' }, { status }).directives

  test('does not bind for a status that is understood', () => {
    expect(of(200)).toEqual({ maxAge: 60_000, mustUnderstand: true })
  })

  test('binds for another', () => {
    expect(of(599)).toEqual({ maxAge: 60_000, mustUnderstand: true, noStore: true })
  })
})

test('a field that is not stored is read all the same (RFC 9111 §3.1)', () => {
  const stored = storedWith(
    { connection: 'age', age: '5', 'cache-control': 'no-cache="vary, etag"', vary: 'x-flavour', etag: '"1"' },
    { request: { 'x-flavour': 'sweet' } },
  )
  expect(stored).toMatchObject({
    ageValue: 5000,
    vary: ['x-flavour'],
    nominated: [['x-flavour', 'sweet']],
    etag: '"1"',
  })
  expect(stored.headers.map(([name]) => name)).toEqual(['cache-control', 'date'])
})
