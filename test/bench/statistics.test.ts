import { describe, expect, test } from 'vitest'
import { summarise } from './statistics.ts'

describe('several samples of one thing', () => {
  test.each([
    ['one sample is all three', [7], { median: 7, low: 7, high: 7 }],
    ['an odd number has a middle', [9, 1, 5], { median: 5, low: 3, high: 7 }],
    ['an even number has the mean of its two middles', [4, 1, 3, 2], { median: 2.5, low: 1.75, high: 3.25 }],
    ['numbers are sorted as numbers', [10, 9, 100], { median: 10, low: 9.5, high: 55 }],
    ['one that hung does not count for more than one', [1, 1, 1, 1, 9_999], { median: 1, low: 1, high: 1 }],
  ])('%s', (_, samples, expected) => expect(summarise(samples)).toEqual(expected))

  test('the samples stay as they are', () => {
    const samples = [3, 1, 2]
    summarise(samples)
    expect(samples).toEqual([3, 1, 2])
  })

  test.each([[[]], [[1, Number.NaN]]])('%j is no figure', (samples) => {
    expect(() => summarise(samples)).toThrow(RangeError)
  })
})
