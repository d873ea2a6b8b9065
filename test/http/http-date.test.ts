import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseHttpDate } from '../../src/http/http-date.ts'
import { start } from './builders.ts'

const year2050 = Date.UTC(2050, 7, 18, 2, 1, 18)
const example = Date.UTC(1994, 10, 6, 8, 49, 37)

describe('an HTTP date (RFC 9110 §5.6.7)', () => {
  test.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', example],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', example],
    ['asctime', 'Sun Nov  6 08:49:37 1994', example],
    ['asctime with two digits of day', 'Wed Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['a weekday in the wrong case (RFC 9111 §4.2)', 'THU, 18 Aug 2050 02:01:18 GMT', year2050],
    ['a month in the wrong case (RFC 9111 §4.2)', 'Thu, 18 AUG 2050 02:01:18 GMT', year2050],
    ['a zone in the wrong case (RFC 9111 §4.2)', 'Thu, 18 Aug 2050 02:01:18 gMT', year2050],
    ['the RFC 850 form of a year to come', 'Thursday, 18-Aug-50 02:01:18 GMT', year2050],
    ['asctime of a year to come, whatever the weekday', 'Thu Aug  8 02:01:18 2050', Date.UTC(2050, 7, 8, 2, 1, 18)],
    ['a date beyond 32 bits', 'Sun, 21 Nov 2286 04:46:39 GMT', Date.UTC(2286, 10, 21, 4, 46, 39)],
    ['the last second of 32 bits', 'Tue, 19 Jan 2038 14:14:08 GMT', Date.UTC(2038, 0, 19, 14, 14, 8)],
    ['the year 2100, which has no leap day', 'Mon, 01 Mar 2100 00:00:00 GMT', Date.UTC(2100, 2, 1)],
    ['a leap second', 'Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['a leap day', 'Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    [
      'midnight at the change to summer time, which GMT does not know',
      'Sun, 29 Mar 2026 02:30:00 GMT',
      Date.UTC(2026, 2, 29, 2, 30),
    ],
  ])('%s', (_sentence, text, expected) => {
    expect(parseHttpDate(text, start)).toBe(expected)
  })

  test.each([
    ['zone UTC', 'Thu, 18 Aug 2050 02:01:18 UTC'],
    ['another zone', 'Thu, 18 Aug 2050 02:01:18 AEST'],
    ['a numeric zone', 'Thu, 18 Aug 2050 02:01:18 +0000'],
    ['no zone', 'Thu, 18 Aug 2050 02:01:18'],
    ['a two-digit year in the first form', 'Thu, 18 Aug 50 02:01:18 GMT'],
    ['a four-digit year in the second form', 'Thursday, 18-Aug-2050 02:01:18 GMT'],
    ['a short weekday in the second form', 'Thu, 18-Aug-50 02:01:18 GMT'],
    ['dashes in the first form', 'Thu, 18-Aug-2050 02:01:18 GMT'],
    ['no comma', 'Thu 18 Aug 2050 02:01:18 GMT'],
    ['no comma, in the past century', 'Tue 19 Jan 2038 14:14:08 GMT'],
    ['several spaces', 'Thu, 18  Aug  2050 02:01:18 GMT'],
    ['periods in the time', 'Thu, 18 Aug 2050 02.01.18 GMT'],
    ['an hour of one digit', 'Thu, 18 Aug 2050 2:01:18 GMT'],
    ['two dates joined', 'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT'],
    ['a zero', '0'],
    ['minus one', '-1'],
    ['nothing', ''],
    ['ISO 8601', '2050-08-18T02:01:18Z'],
    ['what Date.parse would take', 'Aug 18, 2050 02:01:18 GMT'],
    ['no weekday', '18 Aug 2050 02:01:18 GMT'],
    ['an unknown weekday', 'Xyz, 18 Aug 2050 02:01:18 GMT'],
    ['an unknown month', 'Thu, 18 Xyz 2050 02:01:18 GMT'],
    ['a month out of two', 'Thu, 18 anf 2050 02:01:18 GMT'],
    ['day 0', 'Thu, 00 Aug 2050 02:01:18 GMT'],
    ['day 32', 'Thu, 32 Aug 2050 02:01:18 GMT'],
    ['a day that the month has not', 'Thu, 31 Apr 2050 02:01:18 GMT'],
    ['a leap day without a leap year', 'Thu, 29 Feb 2100 02:01:18 GMT'],
    ['hour 24', 'Thu, 18 Aug 2050 24:00:00 GMT'],
    ['minute 60', 'Thu, 18 Aug 2050 02:60:00 GMT'],
    ['second 61', 'Thu, 18 Aug 2050 02:01:61 GMT'],
    ['space around it', ' Thu, 18 Aug 2050 02:01:18 GMT '],
    ['asctime with a zone', 'Thu Aug  8 02:01:18 2050 GMT'],
    ['a comment', 'Thu, 18 Aug 2050 02:01:18 GMT (x)'],
  ])('%s is not one', (_sentence, text) => {
    expect(parseHttpDate(text, start)).toBeUndefined()
  })

  test.each([
    ['76 is 50 years ahead at most', '05-Jan-76 12:00:00', Date.UTC(2076, 0, 5, 12)],
    ['a second more is the past century', '05-Jan-76 12:00:01', Date.UTC(1976, 0, 5, 12, 0, 1)],
    ['77 is the past century', '01-Jan-77 00:00:00', Date.UTC(1977, 0, 1)],
    ['26 is this year', '01-Jan-26 00:00:00', Date.UTC(2026, 0, 1)],
    ['00 is the turn of the century', '01-Jan-00 00:00:00', Date.UTC(2000, 0, 1)],
    ['99 is the past century', '31-Dec-99 23:59:59', Date.UTC(1999, 11, 31, 23, 59, 59)],
  ])('a two-digit year: %s', (_sentence, text, expected) => {
    expect(parseHttpDate(`Monday, ${text} GMT`, start)).toBe(expected)
  })

  test('a two-digit year is read by the century that it is read in', () => {
    const in2090 = Date.UTC(2090, 5, 1)
    expect(parseHttpDate('Monday, 01-Jan-10 00:00:00 GMT', in2090)).toBe(Date.UTC(2110, 0, 1))
    expect(parseHttpDate('Monday, 01-Jan-60 00:00:00 GMT', in2090)).toBe(Date.UTC(2060, 0, 1))
  })
})

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

test('every second of two hundred years is read back from each of the three formats', () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(1900, 0, 1) / 1000, max: Date.UTC(2100, 0, 1) / 1000 }), (second) => {
      const moment = second * 1000
      const date = new Date(moment)
      const imf = date.toUTCString()
      const [, day, month, year, time] = imf.split(' ') as [string, string, string, string, string]
      expect(parseHttpDate(imf, start)).toBe(moment)
      expect(parseHttpDate(`${imf.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`, start)).toBe(moment)
      // as soon as its two digits are unambiguous
      expect(parseHttpDate(`${days[date.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`, moment)).toBe(
        moment,
      )
    }),
  )
})

test('a character more, less or other makes it the date that it then says, or none', () => {
  const date = 'Thu, 18 Aug 2050 02:01:18 GMT'
  const characters = ['', ' ', '0', '9', ':', 'x', ',', '-', 'G', 'a', 'A']
  for (const [at] of [...date].entries())
    for (const character of characters)
      for (const rest of [date.slice(at), date.slice(at + 1)]) {
        const changed = date.slice(0, at) + character + rest
        const read = parseHttpDate(changed, start)
        // a cache matches names in any case (RFC 9111 section 4.2)
        if (read !== undefined)
          expect(new Date(read).toUTCString().slice(4).toLowerCase()).toBe(changed.slice(4).toLowerCase())
      }
})
