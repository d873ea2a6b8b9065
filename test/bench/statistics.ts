/** What several samples of one thing say: the middle, and where the middle half of them lies. */
export interface Summary {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** The value below which this share of the sorted samples lies; between two samples, in proportion. */
function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share
  const [below = Number.NaN, above = below] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  return below + (above - below) * (place - Math.floor(place))
}

/** @throws RangeError where nothing was measured: a figure out of nothing would look like one */
export function summarise(samples: readonly number[]): Summary {
  if (samples.length === 0 || samples.some(Number.isNaN)) throw new RangeError('Nothing was measured')
  const sorted = samples.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}
