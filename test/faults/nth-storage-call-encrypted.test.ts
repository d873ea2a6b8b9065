import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { failAt, failEach } from './fail-each.ts'
import { instantCrypto } from './instant-crypto.ts'
import { operations } from './public-operations.ts'

// Law 6 where bodies are encrypted (disk.encrypt): the keys lie in a database of their own, which can fail as that of the records can.

beforeAll(async () => {
  vi.stubGlobal('crypto', instantCrypto)
  // The cache loads it when it is needed, which takes no virtual time.
  await import('../../src/stores/encrypted.ts')
})
afterAll(() => {
  vi.unstubAllGlobals()
})

describe.each([
  ['open', 'SecurityError'],
  ['request', 'UnknownError'],
] as const)('disk.encrypt: at a %s of records or keys, %s', (at, fault) => {
  test.each(operations.map((one) => [one.name, one] as const))('%s', { timeout: 120_000 }, async (_, operation) => {
    const encrypted = () => ({ disk: { encrypt: true }, partition: 'ada' })
    const { failed, ...outcome } = await failEach(operation, failAt(operation, at, fault), encrypted)
    expect(outcome).toEqual({ broken: [], unhandled: [] })
    // What is made for a partition enters it, whatever is asked of it.
    expect(failed).toBeGreaterThan(0)
  })
})
