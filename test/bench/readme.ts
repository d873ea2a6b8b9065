import { ratio, type Table } from './table.ts'

const FETCH = 'nearcache, fetch().json()'
const JSON_ = 'nearcache, json()'

/** What README.md says of speed: what is read, beside what, and where that is measured. */
const lines: ReadonlyArray<readonly [what: string, beside: string, id: string, name: string, other: string]> = [
  [
    'a hit in memory, Chromium, `fetch().json()`',
    'a `Map` with `new Response().json()`',
    'page-hit-1',
    FETCH,
    'Map, new Response(bytes).json()',
  ],
  ['', 'the Cache API', 'page-hit-1', FETCH, 'Cache API, match(), json()'],
  ['', 'the browser’s HTTP cache', 'page-hit-1', FETCH, 'the browser’s HTTP cache, fetch().json()'],
  ['the first answer from 10,000 on disk', 'idb-keyval, one `get()`', 'start-1-10000', FETCH, 'idb-keyval, get()'],
  ['', 'TanStack’s whole-client persister', 'start-1-10000', FETCH, 'TanStack Query, persistQueryClient'],
  ['a hit in memory, Node, `json()`', 'TanStack Query, `fetchQuery()`', 'hit-1', JSON_, 'TanStack Query, fetchQuery()'],
  ['', 'cachified', 'hit-1', JSON_, 'cachified on a Map'],
  [
    'a hit in memory, Node, `fetch().json()`',
    'undici’s cache interceptor',
    'hit-1',
    FETCH,
    'undici, cache interceptor',
  ],
]

/** A ratio as one says it: 0.4, or 1/50. */
export const spoken = (value: number): string => {
  if (value >= 0.1) return String(Number(value.toPrecision(value < 1 ? 1 : 2)))
  return `1/${Number((1 / value).toPrecision(1))}`
}

/** The table of README.md by what was measured; `undefined` where a part of it was not. */
export function readmeTable(tables: readonly Table[]): string | undefined {
  try {
    const rows = lines.map(
      ([what, beside, id, name, other]) => `| ${what} | ${beside} | ${spoken(ratio(tables, id, name, other))} |`,
    )
    return ['| what nearcache takes | beside | ratio |', '|---|---|---:|', ...rows].join('\n')
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
