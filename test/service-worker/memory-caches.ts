/** A Cache Storage in memory, as far as the worker uses it: by URL, and what is put is copied. */
export function memoryCaches(): CacheStorage {
  const all = new Map<string, Map<string, Response>>()
  const urlOf = (request: RequestInfo | URL) => (request instanceof Request ? request.url : String(request))
  const cacheOf = (held: Map<string, Response>) => ({
    match: async (request: RequestInfo | URL) => held.get(urlOf(request))?.clone(),
    async put(request: RequestInfo | URL, response: Response) {
      if (response.headers.get('vary')?.includes('*')) throw new TypeError('Vary: * (Service Workers, Cache.put)')
      // An opaque response's body is no one's to read; a test's stand-in is kept as it is.
      held.set(urlOf(request), response)
    },
    delete: async (request: RequestInfo | URL) => held.delete(urlOf(request)),
    keys: async () => [...held.keys()].map((url) => new Request(url)),
  })
  return {
    async open(name: string) {
      const held = all.get(name) ?? new Map<string, Response>()
      all.set(name, held)
      return cacheOf(held)
    },
    has: async (name: string) => all.has(name),
    delete: async (name: string) => all.delete(name),
    keys: async () => [...all.keys()],
  } as unknown as CacheStorage
}
