/** A response that the soak stores: a path, and where its responses vary, one of their variants. */
export interface Item {
  readonly name: string
  readonly path: string
  readonly variant?: string
  /** The label by which it is purged. */
  readonly tag: string
}

const PATHS = 48
const TAGS = 6

/** Everything that is ever asked for. Every sixth path has two variants. */
export const items: readonly Item[] = Array.from({ length: PATHS }, (_, index) => {
  const path = `/r/${index}`
  const tag = `group-${index % TAGS}`
  return index % TAGS === 0
    ? ['a', 'b'].map((variant) => ({ name: `${path}#${variant}`, path, variant, tag }))
    : [{ name: path, path, tag }]
}).flat()

/** What a body says of itself. */
export interface BodyFacts {
  readonly name: string
  /** Another one for each representation that the origin makes. */
  readonly version: number
  /** When it was asked for: the page's count of requests and purges. */
  readonly asked: number
}

/** A body of about `size` bytes, from whose text alone can be told whose it is and whether it is whole. */
export function makeBody({ name, version, asked }: BodyFacts, size: number): string {
  const filler = fillerOf(version, size)
  return JSON.stringify({ name, version, asked, length: filler.length, sum: checksum(filler), filler })
}

/** What a body says of itself; `undefined` when it is not whole. */
export function readBody(bytes: Uint8Array): BodyFacts | undefined {
  try {
    const { name, version, asked, length, sum, filler } = JSON.parse(new TextDecoder().decode(bytes))
    return filler.length === length && checksum(filler) === sum ? { name, version, asked } : undefined
  } catch {
    return undefined
  }
}

/** Text that no compression makes small, and of which no two versions share a stretch at the same place. */
function fillerOf(version: number, size: number): string {
  const letters = new Uint8Array(size)
  let state = Math.imul(version, 0x9e3779b9) | 1
  for (let index = 0; index < size; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    letters[index] = 97 + ((state >>> 0) % 26)
  }
  return new TextDecoder().decode(letters)
}

/** FNV-1a, 32 bits. */
function checksum(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
