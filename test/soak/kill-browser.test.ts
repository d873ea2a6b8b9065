import { expect, test } from 'vitest'
import { soak } from './soak.ts'

test('a browser that is killed while it stores and purges leaves whole records, and every purge that has resolved (F-01, F-02)', async () => {
  const { held, broken, figures } = await soak({ rounds: 3, seed: 3 })
  expect(broken).toEqual([])
  expect(held).toBe(3)
  expect(figures.killed).toBe(4)
})
