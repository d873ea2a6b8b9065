// What a script of this origin may have left in a real browser.

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const latin = new TextDecoder('latin1')
export const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part instanceof Uint8Array ? latin.decode(part) : part instanceof CryptoKey ? 'a key' : part,
  ) ?? ''

/** The databases of this origin; those of this test, where a browser does not list them. */
export const databases = async (own: string): Promise<string[]> =>
  indexedDB.databases ? (await indexedDB.databases()).flatMap(({ name = '' }) => name) : [own]

/** Keys and values of all databases but those that were there before. */
async function* databaseRows(names: readonly string[]): AsyncGenerator<string> {
  for (const name of names) {
    const database = await done(indexedDB.open(name))
    for (const store of database.objectStoreNames) {
      const objects = database.transaction(store).objectStore(store)
      const [keys, values] = await Promise.all([done(objects.getAllKeys()), done(objects.getAll())])
      for (const [index, key] of keys.entries()) yield `${name}: ${textOf([key, values[index]])}`
    }
    database.close()
  }
}

/** Whatever else it may have left behind. */
async function* cachedAndNoted(): AsyncGenerator<string> {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const request of await cache.keys())
      yield `${name}: ${request.url} ${await (await cache.match(request))?.text()}`
  }
  for (const storage of [localStorage, sessionStorage]) yield textOf({ ...storage })
}

/** Where a word lies in these databases, and in whatever else a script may keep. */
export async function search(word: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const rows of [databaseRows(names), cachedAndNoted()])
    for await (const row of rows) if (row.includes(word)) found.push(row.slice(0, 200))
  return found
}
