import { expect, test } from 'vitest'
import { historyLine, withHistoryLine } from './history.ts'

const log = (...rows: string[]) =>
  ['# Changelog', '', '| version | core |', '|---|---:|', ...rows, '', '## 0.1.0'].join('\n')

test('a line gives kB', () => expect(historyLine('0.2.0', [36_849, 2_900])).toBe('| 0.2.0 | 36.8 | 2.9 |'))

test('a new version goes on top', () => {
  expect(withHistoryLine(log('| 0.1.0 | 36.8 |'), '| 0.2.0 | 35.0 |')).toBe(log('| 0.2.0 | 35.0 |', '| 0.1.0 | 36.8 |'))
})

test('a version has one line, the last one', () => {
  expect(withHistoryLine(log('| 0.2.0 | 36.0 |', '| 0.1.0 | 36.8 |'), '| 0.2.0 | 35.0 |')).toBe(
    log('| 0.2.0 | 35.0 |', '| 0.1.0 | 36.8 |'),
  )
})

test('the first version goes into an empty table', () => {
  expect(withHistoryLine(log(), '| 0.1.0 | 36.8 |')).toBe(log('| 0.1.0 | 36.8 |'))
})

test('without a table there is nothing to keep it in', () => {
  expect(() => withHistoryLine('# Changelog', '| 0.1.0 | 1.0 |')).toThrow('CHANGELOG.md')
})
