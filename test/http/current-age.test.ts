import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { currentAge, isAgeTrustworthy } from '../../src/http/current-age.ts'

const minimal = { requestTime: 0, responseTime: 0, dateValue: 0, ageValue: 0 }
const hour = 3_600_000
const maxAge = 2 ** 31 * 1000

describe('the current age (RFC 9111 §4.2.3)', () => {
  test.each([
    ['is the time since the response when nothing else is known', {}, 7000, 7000],
    ['a slow network adds to the age', { requestTime: 0, responseTime: 4000, dateValue: 4000 }, 10_000, 10_000],
    [
      'a response that took a minute is a minute old when it arrives',
      { responseTime: 60_000, dateValue: 60_000 },
      60_000,
      60_000,
    ],
    ['an upstream Age adds to the age', { ageValue: 30_000 }, 5000, 35_000],
    [
      'Age counts from the request on, not from the response',
      { ageValue: 30_000, responseTime: 4000, dateValue: 4000 },
      4000,
      34_000,
    ],
    ['a Date in the past counts as age', { requestTime: 90_000, responseTime: 90_000 }, 91_000, 91_000],
    [
      'of Date and Age the greater one counts',
      { requestTime: 90_000, responseTime: 90_000, ageValue: 10_000 },
      90_000,
      90_000,
    ],
    ['a Date in the future does not make it negative', { dateValue: 90_000 }, 1000, 1000],
    [
      'an origin whose clock is a day slow makes it a day',
      { requestTime: 24 * hour, responseTime: 24 * hour },
      24 * hour,
      24 * hour,
    ],
    [
      'a clock set back afterwards does not make it negative',
      { requestTime: 5000, responseTime: 5000, dateValue: 5000 },
      0,
      0,
    ],
    [
      'a clock set back during the exchange does not make it negative',
      { requestTime: 9000, responseTime: 5000, dateValue: 5000 },
      5000,
      0,
    ],
    ['is at most 2^31 seconds', { ageValue: maxAge }, 5000, maxAge],
    ['is that where an input is not a number', { dateValue: Number.NaN }, 5000, maxAge],
    ['is that where the clock gives no number', {}, Number.NaN, maxAge],
  ])('%s', (_sentence, stored, now, expected) => {
    expect(currentAge({ ...minimal, ...stored }, now)).toBe(expected)
  })

  test('is never negative, never NaN, and grows with the clock, whatever the inputs', () => {
    const moment = fc.double({ min: -1e15, max: 1e15 })
    fc.assert(
      fc.property(
        fc.record({ requestTime: moment, responseTime: moment, dateValue: moment, ageValue: fc.double() }),
        moment,
        (stored, now) => {
          const age = currentAge({ ...stored, ageValue: Math.abs(stored.ageValue) }, now)
          expect(age).toBeGreaterThanOrEqual(0)
          expect(currentAge({ ...stored, ageValue: Math.abs(stored.ageValue) }, now + hour)).toBeGreaterThanOrEqual(age)
        },
      ),
    )
  })
})

describe('the age is not believed (RFC 9111 §4: without a clock, validate)', () => {
  test.each([
    ['when the wall clock went back since the response', { requestTime: 5000, responseTime: 5000 }, 4999],
    ['when it went back to 1970', { requestTime: 5000, responseTime: 5000 }, 0],
    ['when it went back during the exchange', { requestTime: 5000, responseTime: 4000 }, 9000],
    ['when it shows 68 years', {}, maxAge],
    ['when an input is not a number', { ageValue: Number.NaN }, 1000],
    ['when there is no time at all', {}, Number.NaN],
  ])('%s', (_sentence, stored, now) => {
    expect(isAgeTrustworthy({ ...minimal, ...stored }, now)).toBe(false)
  })

  test.each([
    ['at the moment of the response', 0],
    ['an hour later', hour],
    ['ten years later', 10 * 365 * 24 * hour],
  ])('and it is believed %s', (_sentence, now) => {
    expect(isAgeTrustworthy(minimal, now)).toBe(true)
  })
})
