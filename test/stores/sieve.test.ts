import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createSieve } from '../../src/stores/sieve.ts'

/** Room for `capacity` keys of one byte; each call is one request for a key. Returns what each request evicts. */
function cacheOf(capacity: number) {
  const sieve = createSieve<string>()
  const held = new Set<string>()
  return {
    held,
    request(key: string): string[] {
      if (held.has(key)) {
        sieve.visit(key)
        return []
      }
      const evicted = sieve.set(key, 1, capacity)
      held.add(key)
      for (const one of evicted) held.delete(one)
      return evicted
    },
  }
}

/** Algorithm 1 of the paper, written as it stands there: `queue[0]` is the tail, the oldest; the hand is an object or nothing. */
function paperSieve(capacity: number) {
  const queue: { key: string; visited: boolean }[] = []
  let hand: (typeof queue)[number] | undefined
  return (key: string): string[] => {
    const hit = queue.find((one) => one.key === key)
    if (hit) {
      hit.visited = true
      return []
    }
    const evicted: string[] = []
    if (queue.length === capacity) {
      let object = hand ?? (queue[0] as (typeof queue)[number])
      while (object.visited) {
        object.visited = false
        object = queue[queue.indexOf(object) + 1] ?? (queue[0] as (typeof queue)[number])
      }
      hand = queue[queue.indexOf(object) + 1]
      queue.splice(queue.indexOf(object), 1)
      evicted.push(object.key)
    }
    queue.push({ key, visited: false })
    return evicted
  }
}

describe('SIEVE (Zhang and others, NSDI 2024)', () => {
  test('the hand takes bits on its way and stops at the first key without one: C goes for H, then E, then F', () => {
    const cache = cacheOf(7)
    for (const key of 'ABCDEFG') cache.request(key)
    for (const key of 'ABG') cache.request(key)
    expect(cache.request('H')).toEqual(['C'])
    cache.request('A')
    cache.request('D')
    // D is visited again just before the hand reaches it; E is next.
    expect(cache.request('I')).toEqual(['E'])
    cache.request('B')
    expect(cache.request('J')).toEqual(['F'])
  })

  test('admits new keys although all others are in constant use', () => {
    const cache = cacheOf(3)
    for (const key of 'ABCABC') cache.request(key)
    expect(cache.request('D')).toEqual(['A'])
    expect(cache.held).toEqual(new Set(['B', 'C', 'D']))
  })

  test('goes on at the oldest when the newest has been evicted, not at what comes next', () => {
    const cache = cacheOf(2)
    cache.request('A')
    cache.request('A')
    cache.request('B')
    expect(cache.request('C')).toEqual(['B'])
    expect(cache.request('D')).toEqual(['A'])
  })

  test('gives up the same keys as algorithm 1 of the paper, for any sequence of requests', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.constantFrom(...'ABCDEFGHIJ'), { maxLength: 200 }),
        (capacity, requests) => {
          const cache = cacheOf(capacity)
          const paper = paperSieve(capacity)
          for (const key of requests) expect(cache.request(key)).toEqual(paper(key))
        },
      ),
    )
  })

  test('never keeps more bytes than allowed, counts right, and spares what was used since the hand last passed', () => {
    const step = fc.oneof(
      fc.record({ set: fc.integer({ min: 0, max: 9 }), bytes: fc.integer({ min: 1, max: 120 }) }),
      fc.record({ visit: fc.integer({ min: 0, max: 9 }) }),
      fc.record({ drop: fc.integer({ min: 0, max: 9 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const sieve = createSieve<number>()
        const held = new Map<number, number>()
        let used = new Set<number>()
        for (const one of steps) {
          if ('visit' in one) {
            sieve.visit(one.visit)
            if (held.has(one.visit)) used.add(one.visit)
          } else if ('drop' in one) {
            sieve.delete(one.drop)
            held.delete(one.drop)
            used.delete(one.drop)
          } else {
            const isNew = !held.has(one.set)
            // A new size is a use.
            if (!isNew) used.add(one.set)
            const others = [...held.keys()].filter((key) => key !== one.set)
            const evicted = sieve.set(one.set, one.bytes, 100)
            held.set(one.set, one.bytes)
            for (const key of evicted) held.delete(key)
            // Nothing that was used goes while there is another one that was not.
            if (isNew && evicted.some((key) => used.has(key)))
              expect(others.every((key) => used.has(key) || evicted.includes(key))).toBe(true)
            if (evicted.length > 0) used = new Set()
          }
          const total = [...held.values()].reduce((sum, bytes) => sum + bytes, 0)
          expect(sieve.bytes()).toBe(total)
          expect(total).toBeLessThanOrEqual(100)
        }
      }),
    )
  })
})
