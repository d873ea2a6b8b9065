import type { Random } from '../../../src/ports/random.ts'
import { seededRandom } from '../../../src/testing/seeded-random.ts'

/** Requests for keys, one after another, and how large what lies under each key is. */
export interface Trace {
  readonly name: string
  readonly requests: readonly number[]
  sizeOf(key: number): number
}

export interface TraceShape {
  readonly keys: number
  readonly requests: number
  readonly seed: number
}

/** Bytes of a body: most are small, few are large (log-uniform from 500 bytes to 60 kB), always the same for a key. */
const sizeOf = (key: number): number => Math.round(500 * 120 ** seededRandom(key + 1)())

/** Ranks by popularity: rank r is asked for in proportion to (r + 1)^−exponent. */
function zipf(keys: number, exponent: number, random: Random): () => number {
  let sum = 0
  const upTo = Array.from({ length: keys }, (_, rank) => {
    sum += (rank + 1) ** -exponent
    return sum
  })
  return () => {
    const draw = random() * sum
    let [low, high] = [0, keys - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] as number) > draw) high = middle
      else low = middle + 1
    }
    return low
  }
}

function shuffled(count: number, random: Random): number[] {
  const list = Array.from({ length: count }, (_, index) => index)
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    const [one, two] = [list[index] as number, list[other] as number]
    list[index] = two
    list[other] = one
  }
  return list
}

const memoized = (size: (key: number) => number) => {
  const known = new Map<number, number>()
  return (key: number) => {
    const bytes = known.get(key) ?? size(key)
    known.set(key, bytes)
    return bytes
  }
}

/** What an app asks for: a few things all the time, many now and then. */
export function zipfTrace({ keys, requests, seed }: TraceShape): Trace {
  const random = seededRandom(seed)
  const [next, keyOf] = [zipf(keys, 0.9, random), shuffled(keys, random)]
  return {
    name: 'zipf',
    sizeOf: memoized(sizeOf),
    requests: Array.from({ length: requests }, () => keyOf[next()] as number),
  }
}

/** The same, and between times somebody scrolls through a long list once: a third of the requests are for what is never asked for again. */
export function scanTrace({ keys, requests, seed }: TraceShape): Trace {
  const random = seededRandom(seed)
  const [next, keyOf] = [zipf(keys, 0.9, random), shuffled(keys, random)]
  const [stretch, scan] = [Math.ceil(keys / 5), Math.ceil(keys / 10)]
  let fresh = keys
  const list = Array.from({ length: requests }, (_, index) =>
    index % (stretch + scan) < stretch ? (keyOf[next()] as number) : fresh++,
  )
  return { name: 'scan', sizeOf: memoized(sizeOf), requests: list }
}

/** The same, but what is popular changes: every eighth of the trace a fifth of the keys change places. */
export function shiftTrace({ keys, requests, seed }: TraceShape): Trace {
  const random = seededRandom(seed)
  const [next, keyOf] = [zipf(keys, 0.9, random), shuffled(keys, random)]
  const list = Array.from({ length: requests }, (_, index) => {
    if (index > 0 && index % Math.ceil(requests / 8) === 0)
      for (let swap = 0; swap < keys / 10; swap++) {
        const [one, two] = [Math.floor(random() * keys), Math.floor((random() * keys) / 20)]
        ;[keyOf[one], keyOf[two]] = [keyOf[two] as number, keyOf[one] as number]
      }
    return keyOf[next()] as number
  })
  return { name: 'shift', sizeOf: memoized(sizeOf), requests: list }
}
