/** A product as an API would give it, with so many prices: 12 make about 1 KB of JSON. */
const productWith = (prices: number) => ({
  id: 42,
  name: 'A lamp',
  prices: Array.from({ length: prices }, (_, index) => ({ currency: `C${index}`, amount: 1999 + index, tax: 0.19 })),
  description: 'It gives light, and it stands. '.repeat(12),
})

export const product = productWith(12)

const encoded = (data: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(data))

export const bytes = encoded(product)

/** Bodies by their size in KB. */
const bodies = { 1: bytes, 20: encoded(productWith(455)), 200: encoded(productWith(4_400)) } as const

export type Size = keyof typeof bodies
export const sizes: readonly Size[] = [1, 20, 200]

/** Where an origin of the benchmark has a body of this size, under as many names as one likes. */
export const pathOf = (size: Size, name: number | string = 0): string => `/product/${size}/${name}`

/** Where an origin says how often it was asked for such paths: for a page that wants to know where its answers come from. */
export const ASKED = '/asked'

/** The body at a path of the origin. */
export const bodyAt = (path: string): Uint8Array<ArrayBuffer> => {
  const size = Number(/^\/product\/(\d+)\//.exec(path)?.[1] ?? 1)
  return bodies[size as Size] ?? bytes
}

/** The header fields of a good API. */
export const headersFor = (body: Uint8Array) => ({
  'content-type': 'application/json',
  'cache-control': 'max-age=3600, stale-while-revalidate=60',
  date: new Date().toUTCString(),
  etag: '"42-7"',
  vary: 'accept-language',
  'content-length': String(body.byteLength),
})

export const headers = headersFor(bytes)

/** The origin of the measured caches, where it is no server. */
export const transport: typeof fetch = async () => new Response(bytes, { headers })
