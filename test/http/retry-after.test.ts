import { expect, test } from 'vitest'
import { retryAfter } from '../../src/http/retry-after.ts'

const now = Date.UTC(2026, 0, 5, 12)

test.each([
  ['120', 120_000],
  ['0', 0],
  [' 7 ', 7_000],
  ['Mon, 05 Jan 2026 12:02:00 GMT', 120_000],
  ['Monday, 05-Jan-26 12:00:30 GMT', 30_000],
  ['Mon, 05 Jan 2026 11:00:00 GMT', 0],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['2026-01-05T12:02:00Z', undefined],
  ['', undefined],
  [null, undefined],
])('Retry-After: %s (RFC 9110 §10.2.3)', (value, expected) => {
  expect(retryAfter(value, now)).toBe(expected)
})
