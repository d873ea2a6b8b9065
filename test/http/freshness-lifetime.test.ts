import { describe, expect, test } from 'vitest'
import { freshnessLifetime, isHeuristicallyCacheable } from '../../src/http/freshness-lifetime.ts'
import { httpDate, seconds, start, storedWith } from './builders.ts'

const hour = seconds(3600)
const later = (ms: number) => httpDate(start + ms)

describe('the freshness lifetime (RFC 9111 §4.2.1)', () => {
  test.each([
    ['is max-age', { 'cache-control': 'max-age=60' }, 60_000, 'max-age'],
    ['max-age beats a later Expires (§5.3)', { 'cache-control': 'max-age=0', expires: later(hour) }, 0, 'max-age'],
    [
      'max-age beats an Expires that has passed (§5.3)',
      { 'cache-control': 'max-age=60', expires: later(-hour) },
      60_000,
      'max-age',
    ],
    ['is Expires less Date', { expires: later(hour), date: later(-seconds(10)) }, hour + 10_000, 'expires'],
    ['is Expires less the response time where Date is missing', { expires: later(hour) }, hour, 'expires'],
    [
      'is Expires less the response time where Date is unreadable',
      { expires: later(hour), date: 'yesterday' },
      hour,
      'expires',
    ],
    ['is 0 when Expires has passed', { expires: later(-hour) }, 0, 'expires'],
    [
      'is 0, and not heuristic, when Expires is unreadable (§5.3)',
      { expires: '0', 'last-modified': later(-hour) },
      0,
      'expires',
    ],
    ['is 0 when Expires is empty', { expires: '' }, 0, 'expires'],
    ['is 0 when there are two Expires', { expires: `${later(hour)}, ${later(hour)}` }, 0, 'expires'],
    ['does not come from s-maxage (§5.2.2.10)', { 'cache-control': 's-maxage=600' }, 0, 'none'],
    ['does not come from immutable (RFC 8246 §2)', { 'cache-control': 'immutable' }, 0, 'none'],
    ['does not come from CDN-Cache-Control (RFC 9213 §3)', { 'cdn-cache-control': 'max-age=60' }, 0, 'none'],
    ['is none where nothing is said', {}, 0, 'none'],
  ])('%s', (_sentence, headers, ms, source) => {
    expect(freshnessLifetime(storedWith(headers as Record<string, string>))).toEqual({ ms, source })
  })
})

describe('the heuristic lifetime (RFC 9111 §4.2.2)', () => {
  test.each([
    ['is a tenth of the time since Last-Modified', { 'last-modified': later(-hour) }, 200, hour / 10],
    ['counts that time to Date', { 'last-modified': later(-hour), date: later(hour) }, 200, (2 * hour) / 10],
    ['is a day at most', { 'last-modified': later(-10_000 * hour) }, 200, 24 * hour],
    ['is 0 when Last-Modified is in the future', { 'last-modified': later(hour) }, 200, 0],
    ['is used for a 404', { 'last-modified': later(-hour) }, 404, hour / 10],
    [
      'is used for any status marked public',
      { 'last-modified': later(-hour), 'cache-control': 'public' },
      599,
      hour / 10,
    ],
  ])('%s', (_sentence, headers, status, ms) => {
    expect(freshnessLifetime(storedWith(headers as Record<string, string>, { status }))).toEqual({
      ms,
      source: 'heuristic',
    })
  })

  test.each([
    ['without Last-Modified', {}, 200],
    ['with an unreadable one', { 'last-modified': 'yesterday' }, 200],
    ['for another status', { 'last-modified': later(-hour) }, 201],
    ['for another status, though it is private', { 'last-modified': later(-hour), 'cache-control': 'private' }, 500],
  ])('is not there %s', (_sentence, headers, status) => {
    expect(freshnessLifetime(storedWith(headers as Record<string, string>, { status }))).toEqual({
      ms: 0,
      source: 'none',
    })
  })

  test('may be used for the statuses of RFC 9110 §15.1 and no others', () => {
    const statuses = Array.from({ length: 600 }, (_, status) => status).filter(isHeuristicallyCacheable)
    expect(statuses).toEqual([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])
  })
})

describe("a caller's rule", () => {
  const rule = { maxAgeMs: 5000 }

  test.each([
    ['gives a lifetime where the response says nothing', {}, rule, 5000, 'rule'],
    ['goes before the heuristic', { 'last-modified': later(-hour) }, rule, 5000, 'rule'],
    ['does not go before max-age', { 'cache-control': 'max-age=60' }, rule, 60_000, 'max-age'],
    ['does not go before Expires, readable or not', { expires: '0' }, rule, 0, 'expires'],
    [
      'goes before everything with override',
      { 'cache-control': 'max-age=60' },
      { ...rule, override: true },
      5000,
      'rule',
    ],
    [
      'says nothing about the lifetime without one',
      { 'cache-control': 'max-age=60' },
      { override: true },
      60_000,
      'max-age',
    ],
  ])('%s', (_sentence, headers, policy, ms, source) => {
    expect(freshnessLifetime(storedWith(headers as Record<string, string>), policy)).toEqual({ ms, source })
  })
})
