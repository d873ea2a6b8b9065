import { expect, test } from 'vitest'
import { readmeTable, spoken } from './readme.ts'
import { tableOf } from './table.ts'

test.each([
  [1.43, '1.4'],
  [0.47, '0.5'],
  [0.1, '0.1'],
  [0.021, '1/50'],
  [0.0033, '1/300'],
])('%d is said as %s', (value, text) => expect(spoken(value)).toBe(text))

test('the table of the README is there only when all of it was measured', () => {
  const names = [
    'nearcache, fetch().json()',
    'nearcache, json()',
    'Map, new Response(bytes).json()',
    'Cache API, match(), json()',
    'the browser’s HTTP cache, fetch().json()',
    'idb-keyval, get()',
    'TanStack Query, persistQueryClient',
    'TanStack Query, fetchQuery()',
    'cachified on a Map',
    'undici, cache interceptor',
  ]
  const tables = ['page-hit-1', 'start-1-10000', 'hit-1'].map((id) =>
    tableOf(id, id, 'µs', Object.fromEntries(names.map((name, index) => [name, [index < 2 ? 1 : 10 * index]]))),
  )
  expect(readmeTable(tables.slice(1))).toBeUndefined()
  expect(readmeTable(tables)).toContain('| a hit in memory, Node, `json()` | TanStack Query, `fetchQuery()` | 1/70 |')
})
