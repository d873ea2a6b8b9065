import type { Random } from '../ports/random.ts'

/** Draws that are thrown away at the start, until each bit of the seed has reached each bit of the state. */
const WARM_UP = 15

/**
 * A source of chance that gives the same numbers for the same seed, everywhere: sfc32 ("small fast counter", from PractRand), with 128 bits of state,
 * a period of at least 2^32 and about 2^127 on average, and 32 bits in each number. Not for secrets.
 *
 * @param seed - any number; only its integer part modulo 2^32 counts
 * @returns a number from 0 up to, not including, 1
 * @example const cache = createCache({ random: seededRandom(42) })
 */
export function seededRandom(seed: number): Random {
  // The first three words are the seed and two constants without pattern (the golden ratio and pi, 32 bits of each); the last one counts.
  let a = seed | 0
  let b = 0x9e3779b9 | 0
  let c = 0x243f6a88 | 0
  let counter = 1

  const draw = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  for (let turn = 0; turn < WARM_UP; turn++) draw()
  return draw
}
