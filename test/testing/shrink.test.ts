import { expect, test } from 'vitest'
import { shrink } from '../../src/testing/shrink.ts'

test('of many steps those are left that it takes', async () => {
  const needed = [3, 17, 88]
  const without = await shrink(100, async (left) => needed.every((step) => !left.has(step)))
  expect(Array.from({ length: 100 }, (_, step) => step).filter((step) => !without.has(step))).toEqual(needed)
})

test('where every step is needed, none is left out', async () => {
  expect((await shrink(5, async (left) => left.size === 0)).size).toBe(0)
})
