/** Keys with their sizes, and which of them to give up next. */
export interface Sieve<K> {
  /** Says that the key was used. */
  visit(key: K): void
  /**
   * Makes room for `bytes` within `maxBytes`, then adds the key, or changes its size; returns the keys given up for it.
   *
   * @param pinned - given up only when nothing else is left
   */
  set(key: K, bytes: number, maxBytes: number, pinned?: boolean): K[]
  delete(key: K): void
  bytes(): number
}

interface Entry<K> {
  readonly key: K
  bytes: number
  visited: boolean
  pinned: boolean
}

/**
 * SIEVE eviction: keys stand in a queue in the order in which they came; a use only sets a bit. To evict, a hand moves from the oldest towards the newest: what was used since the
 * hand last passed stays where it is and loses its bit, the first one that was not used goes. Behind the newest the hand starts again at the oldest. Simpler than LRU, with fewer
 * misses on web traces.
 *
 * @see Zhang, Yang, Yue, Vigfusson, Rashmi: SIEVE is Simpler than LRU, NSDI 2024, algorithm 1
 */
export function createSieve<K>(): Sieve<K> {
  // A Map keeps the order in which keys came, and an iterator over it survives additions and deletions.
  const entries = new Map<K, Entry<K>>()
  let order = entries.values()
  let hand: Entry<K> | undefined
  let total = 0
  let pins = 0

  function advance(): void {
    let { value } = order.next()
    if (!value) {
      order = entries.values()
      value = order.next().value
    }
    hand = value
  }

  function remove(key: K): void {
    const entry = entries.get(key)
    total -= entry?.bytes ?? 0
    if (entry?.pinned) pins--
    entries.delete(key)
  }

  /** @param sparesPinned - stops when nothing else is left, instead of giving up what is pinned */
  function evict(goal: number, sparesPinned = false): K[] {
    const evicted: K[] = []
    while (total > goal && entries.size > (sparesPinned ? pins : 0)) {
      if (!hand || entries.get(hand.key) !== hand) {
        advance()
        continue
      }
      if (hand.visited) hand.visited = false
      else if (!hand.pinned || pins === entries.size) {
        remove(hand.key)
        evicted.push(hand.key)
      }
      // At once, before anything is added: who comes behind the newest is not next to go.
      advance()
    }
    return evicted
  }

  return {
    visit(key) {
      const entry = entries.get(key)
      if (entry) entry.visited = true
    },
    set(key, bytes, maxBytes, pinned = false) {
      const entry = entries.get(key)
      if (entry) {
        total += bytes - entry.bytes
        pins += Number(pinned) - Number(entry.pinned)
        Object.assign(entry, { bytes, visited: true, pinned })
        return evict(maxBytes)
      }
      const evicted = evict(Math.max(0, maxBytes - bytes), !pinned)
      entries.set(key, { key, bytes, visited: false, pinned })
      total += bytes
      if (pinned) pins++
      return total > maxBytes ? [...evicted, ...evict(maxBytes)] : evicted
    },
    delete: remove,
    bytes: () => total,
  }
}
