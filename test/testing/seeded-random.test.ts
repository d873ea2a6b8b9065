import { expect, test } from 'vitest'
import { seededRandom } from '../../src/testing/seeded-random.ts'

const draws = (seed: number, count: number) => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => random())
}

test('the same seed gives the same numbers, another seed others', () => {
  expect(draws(42, 100)).toEqual(draws(42, 100))
  const sequences = Array.from({ length: 1_000 }, (_, seed) => draws(seed, 3).join())
  expect(new Set(sequences).size).toBe(1_000)
})

test('the numbers are sfc32: word for word as the generator is written in unsigned arithmetic', () => {
  const wrap = (value: bigint) => value & 0xffffffffn
  let [a, b, c, counter] = [7n, 0x9e3779b9n, 0x243f6a88n, 1n]
  const reference = () => {
    const sum = wrap(a + b + counter)
    counter = wrap(counter + 1n)
    a = b ^ (b >> 9n)
    b = wrap(c + (c << 3n))
    c = wrap(((c << 21n) | (c >> 11n)) + sum)
    return Number(sum) / 2 ** 32
  }
  for (let warmUp = 0; warmUp < 15; warmUp++) reference()
  expect(draws(7, 1_000)).toEqual(Array.from({ length: 1_000 }, reference))
})

test('numbers lie from 0 up to, not including, 1, and evenly (chi-square over 100 cells, 99.99 % bound)', () => {
  for (const seed of [0, 1, -1, 2 ** 31, 1.5]) {
    const cells = new Array<number>(100).fill(0)
    const values = draws(seed, 100_000)
    expect(values.filter((value) => !(value >= 0 && value < 1))).toEqual([])
    for (const value of values) {
      const cell = Math.floor(value * 100)
      cells[cell] = (cells[cell] ?? 0) + 1
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)
    expect(chiSquare, `seed ${seed}`).toBeLessThan(161.3)
  }
})

test('one that follows another says nothing of it, whatever the seeds have in common', () => {
  const firsts = Array.from({ length: 10_000 }, (_, seed) => seededRandom(seed)())
  const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length
  const between = firsts.slice(1).reduce((sum, value, index) => sum + (value - 0.5) * ((firsts[index] ?? 0) - 0.5), 0)
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.015)
  expect(Math.abs(between / firsts.length / (1 / 12))).toBeLessThan(0.05)
})
