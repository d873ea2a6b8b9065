import { expect, test } from 'vitest'
import { tableOf } from './table.ts'
import { type Budget, budgets, judge, unmeasured, verdictsAsMarkdown } from './verdicts.ts'

const half: Budget = {
  what: 'half',
  most: 0.5,
  figureIn: (tables) => (tables[0]?.rows[0]?.median ?? Number.NaN) / 10,
}
const measured = (value: number) => [tableOf('a', 'A', 'ms', { a: [value] })]

test.each([
  ['below is met', 4, true],
  ['on the boundary is met', 5, true],
  ['above is not', 5.1, false],
])('a budget: %s', (_, value, isMet) => {
  expect(judge(half, measured(value))).toEqual({ what: 'half', most: 0.5, figure: value / 10, isMet })
})

test('what was not measured is neither met nor missed, each budget by its own name', () => {
  const verdicts = budgets.map((budget) => judge(budget, []))
  expect(verdicts.filter(({ isMet }) => isMet !== undefined)).toEqual([])
  expect(unmeasured(verdicts)).toEqual(budgets.map(({ what }) => what))
  expect(new Set(verdicts.map(({ what }) => what)).size).toBe(budgets.length)
})

test('what was measured is not open, met or missed', () =>
  expect(unmeasured([judge(half, measured(4)), judge(half, measured(6))])).toEqual([]))

test('a fault of the benchmark is no verdict', () => {
  const broken: Budget = { ...half, figureIn: () => JSON.parse('{') }
  expect(() => judge(broken, [])).toThrow(SyntaxError)
})

test('the verdicts in Markdown name what is missed and what is missing', () => {
  const lines = verdictsAsMarkdown([
    judge(half, measured(4)),
    judge(half, measured(6)),
    judge(budgets[0] as Budget, []),
  ])
  expect(lines.split('\n').slice(2)).toEqual([
    '| half | 0.500 | 0.400 | met |',
    '| half | 0.500 | 0.600 | **not met** |',
    '| json() on a hit of 1 KB in Node, of cachified | 1.00 |  | not measured |',
  ])
})
