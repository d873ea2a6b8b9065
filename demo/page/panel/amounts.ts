const format = (maximumFractionDigits: number) => new Intl.NumberFormat('en', { maximumFractionDigits })
const whole = format(0)
const tenths = format(1)

const units = [
  [86_400_000 * 365, 'year'],
  [86_400_000, 'day'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const

/** A duration given in milliseconds, in a unit that keeps it short: `12 s`, `80 s`, `5 min`, `1 year`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unlimited'
  // A year less a second is a year to a reader; but 80 seconds say more than one minute.
  const [length, unit] = units.find(
    ([length, unit]) => ms >= length * (unit === 'year' || unit === 'day' ? 0.99 : 2),
  ) ?? [1_000, 's']
  if (unit === 's' || unit === 'min') return `${whole.format(Math.floor(ms / length))} ${unit}`
  const count = Math.round(ms / length)
  return `${whole.format(count)} ${unit}${unit === 'h' || count === 1 ? '' : 's'}`
}

/** How long something took or would have taken. */
export const shortDuration = (ms: number): string =>
  ms >= 1_000 ? `${tenths.format(ms / 1_000)} s` : `${whole.format(ms)} ms`

/** Bytes, in kB of 1,000. */
export function size(bytes: number): string {
  if (bytes >= 1_000_000) return `${tenths.format(bytes / 1_000_000)} MB`
  return bytes >= 1_000 ? `${tenths.format(bytes / 1_000)} kB` : `${whole.format(bytes)} B`
}
