/**
 * A number from 0 up to, not including, 1 that a text stands for: always the same for the same one, and evenly spread over many, however much they have in common. Not for secrets.
 */
export function fraction(text: string): number {
  // FNV-1a, and the last steps of MurmurHash3, by which each bit of the text reaches each bit of the number.
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
