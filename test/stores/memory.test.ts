import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoreNotice } from '../../src/ports/store.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { idsOf, recordOf, responseWith } from './builders.ts'

function memoryOf(maxBytes: number, maxEntryBytes = maxBytes) {
  const notices: StoreNotice[] = []
  const onNotice = (notice: StoreNotice) => notices.push(notice)
  return { notices, memory: createMemoryStore({ maxBytes, maxEntryBytes, incarnation: 'one', onNotice }) }
}

describe('the memory store', () => {
  test('gives what was put, at once and by reference', () => {
    const { memory } = memoryOf(100_000)
    const record = recordOf(responseWith('a'))
    memory.put('', ['k'], record)
    expect(memory.peek('', ['k'])).toBe(record)
    expect(memory.records('')).toEqual([[['k'], record]])
    expect(memory.records('other')).toEqual([])
  })

  test('keeps within its budget, and tells what it gives up', () => {
    const { memory, notices } = memoryOf(10_000)
    for (const key of ['a', 'b', 'c']) memory.put('', [key], recordOf(responseWith(key, 3_000)))
    expect(memory.peek('', ['a'])).toBeUndefined()
    expect(memory.bytes()).toBeLessThanOrEqual(10_000)
    expect(notices).toEqual([expect.objectContaining({ type: 'evicted', key: ['a'], partition: '', tier: 'memory' })])
  })

  test('spares what was looked at', () => {
    const { memory } = memoryOf(10_000)
    memory.put('', ['a'], recordOf(responseWith('a', 3_000)))
    memory.put('', ['b'], recordOf(responseWith('b', 3_000)))
    memory.peek('', ['a'])
    memory.put('', ['c'], recordOf(responseWith('c', 3_000)))
    expect(['a', 'b', 'c'].filter((key) => memory.peek('', [key]))).toEqual(['a', 'c'])
  })

  test('keeps no response that is too large or has no body, and the others of its record', () => {
    const { memory } = memoryOf(100_000, 1_000)
    const { bytes: _, ...apart } = responseWith('apart').body
    const bodiless = { ...responseWith('apart'), body: apart }
    memory.put('', ['k'], recordOf(responseWith('large', 1_001), responseWith('fits', 1_000), bodiless))
    expect(idsOf(memory.peek('', ['k']))).toEqual(['fits'])
    memory.put('', ['k'], recordOf(responseWith('large', 1_001)))
    expect(memory.peek('', ['k'])).toBeUndefined()
    expect(memory.bytes()).toBe(0)
  })

  test('keeps nothing in no room', () => {
    const { memory } = memoryOf(0)
    memory.put('', ['k'], recordOf(responseWith('a', 0)))
    expect(memory.peek('', ['k'])).toBeUndefined()
  })

  test('clear() forgets the records and their bytes, not the purges', async () => {
    const { memory } = memoryOf(100_000)
    memory.put('', ['k'], recordOf(responseWith('a')))
    const purge = { selector: { all: true }, mode: 'hard', at: 0 } as const
    await memory.update([], () => [{ kind: 'purge', purge }], { durability: 'strict' })
    memory.clear()
    expect(memory.peek('', ['k'])).toBeUndefined()
    expect(memory.bytes()).toBe(0)
    expect((await memory.read([])).log.last).toBe(1)
  })

  test('counts what it holds, whatever is put, replaced and removed', () => {
    const puts = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.option(fc.nat(4_000))), { maxLength: 60 })
    fc.assert(
      fc.property(puts, (all) => {
        const { memory } = memoryOf(12_000)
        for (const [key, size] of all) {
          memory.put('', [`k${key}`], size === null ? undefined : recordOf(responseWith(`${size}`, size)))
          const held = memory.records('')
          const bodies = held.reduce((sum, [, { responses }]) => sum + (responses[0]?.body.size ?? 0), 0)
          expect(memory.bytes()).toBeLessThanOrEqual(12_000)
          expect(memory.bytes()).toBeGreaterThanOrEqual(bodies)
          expect(memory.bytes() === 0).toBe(held.length === 0)
        }
      }),
    )
  })
})
