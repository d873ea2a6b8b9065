import { type Summary, summarise } from './statistics.ts'

/** One of the ways to do the same. */
interface Row extends Summary {
  readonly name: string
  /** All that was measured, for who wants to look closer. */
  readonly samples: readonly number[]
  /** What there is to say beside the figure, as how often the origin was asked. */
  readonly note?: string
}

/** Several ways to do the same, measured in turn. Plain data: it is what the report holds as JSON. */
export interface Table {
  /** By which a verdict finds it. */
  readonly id: string
  readonly title: string
  readonly unit: string
  /** The first one is what the others are compared with. */
  readonly rows: readonly Row[]
}

/** A table from samples, by name, in the order in which they are given. */
export const tableOf = (
  id: string,
  title: string,
  unit: string,
  samples: Readonly<Record<string, readonly number[]>>,
  notes: Readonly<Record<string, string>> = {},
): Table => ({
  id,
  title,
  unit,
  rows: Object.entries(samples).map(([name, values]) => ({
    name,
    ...summarise(values),
    samples: values,
    ...(notes[name] !== undefined && { note: notes[name] }),
  })),
})

/** How many times the second figure the first one is. @throws RangeError for a row that is not there: a verdict on nothing would pass */
export function ratio(tables: readonly Table[], id: string, name: string, other: string): number {
  return valueIn(tables, id, name) / valueIn(tables, id, other)
}

/** The median of a row. @throws RangeError where there is none */
export const valueIn = (tables: readonly Table[], id: string, name: string): number => rowIn(tables, id, name).median

function rowIn(tables: readonly Table[], id: string, name: string): Row {
  const row = tables.find((one) => one.id === id)?.rows.find((one) => one.name === name)
  if (!row) throw new RangeError(`Nothing was measured of "${name}" in ${id}`)
  return row
}

/** The greatest sample of a row: for what must never be more. @throws RangeError where there is none */
export const worstIn = (tables: readonly Table[], id: string, name: string): number =>
  Math.max(...rowIn(tables, id, name).samples)

/** Three digits, never in powers of ten. */
export const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 2 : 3)

/** Where the middle half of the samples lies; a single one has none, and is no median either. */
const spread = ({ low, high, samples }: Row): string =>
  samples.length > 1 ? `${figure(low)} to ${figure(high)}` : 'one sample'

/** The table in Markdown: each median with where the middle half lies, and how many times the first it is. */
export function asMarkdown({ title, unit, rows }: Table): string {
  const [baseline] = rows
  const hasNotes = rows.some(({ note }) => note !== undefined)
  const lines = rows.map((row) => {
    const { name, median, note = '' } = row
    return `| ${name} | ${figure(median)} | ${spread(row)} | ${figure(median / (baseline?.median ?? median))} |${hasNotes ? ` ${note} |` : ''}`
  })
  return [
    `| ${title} | ${unit} | middle half | ratio |${hasNotes ? ' |' : ''}`,
    `|---|---:|---:|---:|${hasNotes ? '---|' : ''}`,
    ...lines,
  ].join('\n')
}
