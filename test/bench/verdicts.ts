import type { TaskName } from './disk-in-page.ts'
import { sizes } from './sample.ts'
import { figure, ratio, type Table, valueIn, worstIn } from './table.ts'

/** What the project wants to show. */
export interface Budget {
  readonly what: string
  /** The most that the figure may be. */
  readonly most: number
  /** @throws RangeError where a part of it was not measured */
  figureIn(tables: readonly Table[]): number
}

export interface Verdict {
  readonly what: string
  readonly most: number
  /** `undefined`: not measured in this run. */
  readonly figure: number | undefined
  readonly isMet: boolean | undefined
}

const MAP = 'Map, new Response(bytes).json()'
const FETCH = 'nearcache, fetch().json()'
const JSON_ = 'nearcache, json()'
const UNDICI = 'undici, cache interceptor'
const HTTP_CACHE = 'the browser’s HTTP cache, fetch().json()'
const CACHE_API = 'Cache API, match(), json()'

/** What a page is traced for. */
const WORK: readonly TaskName[] = [
  'start, and 1,000 answers, 100 at once',
  '1,000 responses stored, 100 at once',
  'more than half of the disk evicted',
  'everything purged, and swept',
]

/** The first figure as a share of the second. */
const share = (what: string, most: number, id: string, name: string, other: string): Budget => ({
  what,
  most,
  figureIn: (tables) => ratio(tables, id, name, other),
})

/** How much a cost grows from 1,000 to 100,000 stored. Noise is a quarter. */
const flat = (what: string, id: string): Budget => share(what, 1.25, id, '100,000 stored', '1,000 stored')

/** What is shown of hits in Node, whatever is read. */
const hitsInNode = (what: string, id: string): readonly Budget[] => [
  share(`json() on ${what} in Node, of cachified`, 1, id, JSON_, 'cachified on a Map'),
  share(
    `json() on ${what} in Node, of TanStack Query’s fetchQuery()`,
    1 / 2,
    id,
    JSON_,
    'TanStack Query, fetchQuery()',
  ),
  share(`fetch().json() on ${what} in Node, of a Map with new Response().json()`, 1.3, id, FETCH, MAP),
  share(`fetch().json() on ${what} in Node, of undici’s cache interceptor`, 1 / 5, id, FETCH, UNDICI),
]

/** The same in Chromium, where the browser has caches of its own. */
const hitsInChromium = (what: string, id: string): readonly Budget[] => [
  share(`json() on ${what} in Chromium, of cachified`, 1, id, JSON_, 'cachified on a Map'),
  share(`json() on ${what} in Chromium, of TanStack Query’s`, 1 / 2, id, JSON_, 'TanStack Query, fetchQuery()'),
  share(`fetch().json() on ${what} in Chromium, of a Map with new Response().json()`, 1.3, id, FETCH, MAP),
  share(`fetch().json() on ${what} in Chromium, of the same, wanted`, 1, id, FETCH, MAP),
  share(`fetch().json() on ${what} in Chromium, of the browser’s HTTP cache`, 1 / 20, id, FETCH, HTTP_CACHE),
  share(`fetch().json() on ${what} in Chromium, of the Cache API`, 1 / 20, id, FETCH, CACHE_API),
]

/** The budgets of DESIGN section 14 and issue 8, as shares: a tenth is ten times faster. */
export const budgets: readonly Budget[] = [
  ...sizes.flatMap((size) => hitsInNode(`a hit of ${size} KB`, `hit-${size}`)),
  ...[500, 2_000].flatMap((count) =>
    hitsInNode(`a hit of ${count.toLocaleString('en')} URLs in turn`, `hit-many-${count}`),
  ),
  ...sizes.flatMap((size) => hitsInChromium(`a hit of ${size} KB`, `page-hit-${size}`)),
  ...[
    ['decide', 'a hit'],
    ['decide-accept', 'a hit of a request with Accept'],
  ].map(([id = '', what]) =>
    share(
      `decide() on ${what}, of http-cache-semantics`,
      1 / 5,
      id,
      'nearcache, decide()',
      'http-cache-semantics, satisfiesWithoutRevalidation()',
    ),
  ),
  share('the first answer from 10,000 stored, of idb-keyval’s get()', 1.5, 'start-1-10000', FETCH, 'idb-keyval, get()'),
  share(
    'the first answer from 10,000 stored, of TanStack’s whole-client persister',
    1 / 10,
    'start-1-10000',
    FETCH,
    'TanStack Query, persistQueryClient',
  ),
  share('the first answer from 10,000 stored, of the Cache API', 1, 'start-1-10000', FETCH, CACHE_API),
  share(
    'the first 100 answers from 10,000 stored, of one transaction of 100 gets',
    1.5,
    'disk-first-100',
    'first 100 answers',
    'getMany() of 100',
  ),
  share(
    'the first answer from 10,000 stored in a new tab, of idb-keyval’s get()',
    1.5,
    'start-1-10000-tab',
    FETCH,
    'idb-keyval, get()',
  ),
  {
    what: 'longest task of the first 100 answers from 10,000 stored, in the worst round, ms',
    most: 50,
    figureIn: (tables) => worstIn(tables, 'task-100-10000', FETCH),
  },
  {
    what: 'longest task of 1,000 answers, 1,000 writes, an eviction and a sweep, ms',
    most: 50,
    figureIn: (tables) => Math.max(...WORK.map((name) => worstIn(tables, 'tasks', name))),
  },
  share('1,000 misses stored, of plain fetch', 1.15, 'misses', 'nearcache', 'plain fetch'),
  share(
    'through the worker, of a bare one',
    1.2,
    'worker',
    'nearcache, installCache()',
    'a bare worker, from its memory',
  ),
  ...[
    ['', JSON_],
    [' that are in use for a while', `${JSON_}, in use for a while`],
  ].map(
    ([which, name = '']): Budget => ({
      what: `requests for one cold key of 100 readers in each of 5 tabs${which}, in the worst round`,
      most: 1,
      figureIn: (tables) => worstIn(tables, 'tabs-requests', name),
    }),
  ),
  share(
    'a purge of what 100,000 carry, of TanStack Query’s invalidateQueries()',
    1,
    'purge-tag',
    'nearcache, purge({ tag })',
    'TanStack Query, invalidateQueries()',
  ),
  flat('a hit with 100,000 stored, of one with 1,000', 'growth-hit'),
  flat('a write, in memory, the same', 'growth-write'),
  flat('a write of what is new, in memory, the same', 'growth-write-new'),
  flat('a purge, in memory, the same', 'growth-purge'),
  flat('a hit in memory with 100,000 on disk, the same', 'growth-page-hit'),
  flat('the first answer from disk in a new tab, the same', 'growth-start'),
  flat('a write to disk, the same', 'growth-page-write'),
  flat('a purge on disk, the same', 'growth-page-purge'),
  {
    what: 'a purge of a tag that 100,000 carry, until it is on disk, ms',
    most: 5,
    figureIn: (tables) => valueIn(tables, 'growth-page-purge', '100,000 stored'),
  },
]

/** Whether a budget is met by what was measured; what was not measured is neither. */
export function judge(budget: Budget, tables: readonly Table[]): Verdict {
  const { what, most } = budget
  try {
    const measured = budget.figureIn(tables)
    return { what, most, figure: measured, isMet: measured <= most }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { what, most, figure: undefined, isMet: undefined }
  }
}

/** What no part measured though all of them ran, as after a row was renamed: such a run shows less than it says. */
export const unmeasured = (verdicts: readonly Verdict[]): readonly string[] =>
  verdicts.filter(({ isMet }) => isMet === undefined).map(({ what }) => what)

/** The verdicts in Markdown. What was not measured is named: silence would look like success. */
export function verdictsAsMarkdown(verdicts: readonly Verdict[]): string {
  const words = { true: 'met', false: '**not met**', undefined: 'not measured' }
  return [
    '| What is to be shown | at most | measured | |',
    '|---|---:|---:|---|',
    ...verdicts.map(
      ({ what, most, figure: measured, isMet }) =>
        `| ${what} | ${figure(most)} | ${measured === undefined ? '' : figure(measured)} | ${words[`${isMet}`]} |`,
    ),
  ].join('\n')
}
