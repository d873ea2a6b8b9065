import type { EpochMs, Ms, StoredResponse } from './message.ts'

/** The greatest age there is: 2^31 seconds, about 68 years (RFC 9111 §1.2.2). */
export const MAX_AGE: Ms = 2 ** 31 * 1000

type AgeInputs = Pick<StoredResponse, 'ageValue' | 'dateValue' | 'requestTime' | 'responseTime'>

/**
 * How old `stored` is: the time since the origin generated or last validated it.
 *
 * Waiting for the network counts as age, so a slow response is older, never younger.
 *
 * @param now - read once per presented request, so that one request sees one moment
 * @returns milliseconds, never negative; 2^31 seconds where it is more, or where an input is not a number
 * @see RFC 9111 section 4.2.3, whose variable names are kept
 */
export function currentAge(stored: AgeInputs, now: EpochMs): Ms {
  const apparentAge = Math.max(0, stored.responseTime - stored.dateValue)
  const responseDelay = Math.max(0, stored.responseTime - stored.requestTime) // the clock may be set back meanwhile
  const correctedAgeValue = stored.ageValue + responseDelay
  const correctedInitialAge = Math.max(apparentAge, correctedAgeValue)
  const residentTime = Math.max(0, now - stored.responseTime)
  const age = correctedInitialAge + residentTime
  return age < MAX_AGE ? age : MAX_AGE
}

/**
 * Whether the clock that the age was measured with can be believed. It can not when it went back during the exchange or since, or
 * when it shows an age of 68 years: such a response is validated before use, as by a cache without a clock (RFC 9111 §4).
 */
export const isAgeTrustworthy = (stored: AgeInputs, now: EpochMs): boolean =>
  now >= stored.responseTime && stored.responseTime >= stored.requestTime && currentAge(stored, now) < MAX_AGE
