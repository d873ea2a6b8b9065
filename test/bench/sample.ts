/** A product as an API would give it: about 1 KB of JSON. */
export const product = {
  id: 42,
  name: 'A lamp',
  prices: Array.from({ length: 12 }, (_, index) => ({ currency: `C${index}`, amount: 1999 + index, tax: 0.19 })),
  description: 'It gives light, and it stands. '.repeat(12),
}

export const bytes = new TextEncoder().encode(JSON.stringify(product))

/** The header fields of a good API. */
export const headers = {
  'content-type': 'application/json',
  'cache-control': 'max-age=3600, stale-while-revalidate=60',
  date: new Date().toUTCString(),
  etag: '"42-7"',
  vary: 'accept-language',
  'content-length': String(bytes.byteLength),
}

/** The origin of the measured caches. */
export const transport: typeof fetch = async () => new Response(bytes, { headers })
