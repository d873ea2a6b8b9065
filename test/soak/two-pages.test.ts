import { expect, test } from 'vitest'
import { soakPages } from './pages.ts'

test('two pages and a worker that use one cache at random break no law, and leave neither heap nor listeners behind (R9)', async () => {
  const { held, broken } = await soakPages({ seconds: 6, seed: 5 })
  expect(broken).toEqual([])
  expect(held).toBe(3)
})
