import type { EpochMs } from './message.ts'

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const weekday = '(?:mon|tue|wed|thu|fri|sat|sun)'
const time = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)'
const month = '(?<month>[a-z]{3})'

/** IMF-fixdate, RFC 850 and asctime, in this order. */
const formats = [
  `${weekday}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT`,
  `(?:mon|tues|wednes|thurs|fri|satur|sun)day, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT`,
  `${weekday} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})`,
].map((format) => new RegExp(`^${format}$`, 'i'))

/**
 * A date in one of the three formats of HTTP (RFC 9110 §5.6.7), in any letter case, in GMT and nothing else (RFC 9111 §4.2).
 *
 * The weekday need not be that of the date; a day that its month does not have is no date. Second 60 is accepted, for leap seconds.
 *
 * @param now - a two-digit year is the latest one that is not more than 50 years ahead of it
 * @returns `undefined` for any other text: never a guess
 */
export function parseHttpDate(text: string, now: EpochMs): EpochMs | undefined {
  const found = formats.map((format) => format.exec(text)?.groups).find(Boolean)
  if (!found) return undefined
  const monthIndex = months.indexOf(String(found.month).toLowerCase())
  const [day, hour, minute, second] = [found.day, found.hour, found.minute, found.second].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  // 400 years later by the same calendar, and back: Date.UTC takes the years 0 to 99 for others
  const at = (year: number): EpochMs =>
    Date.UTC(year + 400, monthIndex, day, hour, minute, second) - 146_097 * 86_400_000
  let year = Number(found.year)
  if (found.year?.length === 2) {
    const latest = 1970 + now / 31_556_952_000 + 51
    year += 100 * Math.floor((latest - year) / 100)
    if (at(year - 50) > now) year -= 100
  }
  const isReal = monthIndex >= 0 && day > 0 && Date.UTC(year, monthIndex, day) < Date.UTC(year, monthIndex + 1, 1)
  return isReal && hour < 24 && minute < 60 && second < 61 ? at(year) : undefined
}
