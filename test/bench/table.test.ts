import { expect, test } from 'vitest'
import { asMarkdown, figure, ratio, tableOf, valueIn, worstIn } from './table.ts'

const table = tableOf('hit', 'A hit', 'µs', { slow: [8, 10, 12], fast: [2, 2, 2] }, { fast: '1 request' })

test('a table in Markdown: medians, the middle half, and how many times the first line each is', () => {
  expect(asMarkdown(table).split('\n')).toEqual([
    '| A hit | µs | middle half | ratio | |',
    '|---|---:|---:|---:|---|',
    '| slow | 10.0 | 9.00 to 11.0 | 1.00 |  |',
    '| fast | 2.00 | 2.00 to 2.00 | 0.200 | 1 request |',
  ])
})

test('a table keeps its samples, and one that has a single one calls it no median', () => {
  const single = tableOf('task', 'A task', 'ms', { longest: [7] })
  expect(single.rows[0]?.samples).toEqual([7])
  expect(asMarkdown(single)).toContain('| longest | 7.00 | one sample | 1.00 |')
})

test('a ratio is that of the medians', () => expect(ratio([table], 'hit', 'fast', 'slow')).toBe(0.2))

test('the worst is the greatest sample', () => expect(worstIn([table], 'hit', 'slow')).toBe(12))

test.each([
  ['another table', 'miss', 'slow'],
  ['another row', 'hit', 'slower'],
])('a figure of %s is none', (_, id, name) => {
  expect(() => valueIn([table], id, name)).toThrow(RangeError)
  expect(() => worstIn([table], id, name)).toThrow(RangeError)
})

test.each([
  [1234.5, '1235'],
  [12.34, '12.3'],
  [1.234, '1.23'],
  [0.1234, '0.123'],
])('%d is written %s', (value, text) => expect(figure(value)).toBe(text))
