import { expect, onTestFinished, test } from 'vitest'
import { createCache, type NearCache } from '../../src/index.ts'

const COUNT = 200
/** Every twentieth is large enough to lie apart from its record. */
const isLarge = (index: number) => index % 20 === 0
const paths = Array.from({ length: COUNT }, (_, index) => `/of/anna/${index}`)

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

const latin = new TextDecoder('latin1')
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part instanceof Uint8Array ? latin.decode(part) : part instanceof CryptoKey ? 'a key' : part,
  ) ?? ''

/** The databases of this origin; those of this test, where a browser does not list them. */
const databases = async (own: string): Promise<string[]> =>
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

/** Whatever a script of this origin may have left behind. */
async function* cachedAndNoted(): AsyncGenerator<string> {
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const request of await cache.keys())
      yield `${name}: ${request.url} ${await (await cache.match(request))?.text()}`
  }
  for (const storage of [localStorage, sessionStorage]) yield textOf({ ...storage })
}

async function search(word: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const rows of [databaseRows(names), cachedAndNoted()])
    for await (const row of rows) if (row.includes(word)) found.push(row.slice(0, 200))
  return found
}

/** An origin that says to whom it gives what, and counts. */
function world(name: string, canary: string) {
  const asked: string[] = []
  let isHeld = false
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const { pathname } = new URL(new Request(input).url)
    asked.push(pathname)
    if (pathname === '/all') return Response.json('everyone', { headers: { 'cache-control': 'max-age=600' } })
    if (isHeld)
      await new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)))
    const pad = isLarge(Number(pathname.split('/').pop())) ? `${canary} `.repeat(5_000) : ''
    return Response.json(
      { of: canary, pad },
      { headers: { 'cache-control': 'private, max-age=600', etag: `"${canary}"` } },
    )
  }
  return {
    asked,
    hold() {
      isHeld = true
    },
    open(partition?: string): NearCache {
      const cache = createCache({ name, fetch, deadlines: { diskMs: 60_000 }, ...(partition && { partition }) })
      onTestFinished(() => cache.close())
      return cache
    },
  }
}

/** What a page can get of these without asking the origin. */
const readable = async (cache: NearCache): Promise<string[]> => {
  const init = { cache: 'only-if-cached', mode: 'same-origin' } as const
  const shown = paths.filter((path) => cache.peek(path))
  const answers = await Promise.allSettled(paths.map(async (path) => (await cache.fetch(path, init)).text()))
  return [...shown, ...answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))]
}

test('after sign-out nothing of the user is left in this browser, and at no moment is it answered (law 5, FAULTS F-62, F-66)', async () => {
  const id = crypto.randomUUID()
  const [name, canary] = [`sign-out ${id}`, `anna-${id}`]
  const before = await databases(name)
  const here = async () => (await databases(name)).filter((one) => one === name || !before.includes(one))
  const { open, asked, hold } = world(name, canary)
  const cache = open()
  await cache.json('/all')
  await cache.settled()
  await cache.setPartition(canary)
  await Promise.all(paths.map((path) => cache.json(path)))
  cache.update<object>(paths[0] as string, (data) => ({ ...data, nick: canary }))
  await cache.settled()
  expect(await readable(cache)).toHaveLength(2 * COUNT)
  expect(await search(canary, await here())).not.toEqual([])
  // Another tab of hers, which has not looked at the disk for a while.
  const other = open(canary)
  await other.json(paths[1] as string)
  hold()
  const flying = [cache.json('/of/anna/later'), cache.fetch(paths[0] as string, { cache: 'reload' })]
  const ends = Promise.allSettled(flying)

  const start = performance.now()
  const leaving = cache.setPartition(undefined)
  const [, ...atOnce] = [performance.now() - start, cache.stats().memoryBytes, paths.filter((path) => cache.peek(path))]
  const [meanwhile, dehydrated] = await Promise.all([readable(cache), cache.dehydrate(() => true)])
  const receipt = await leaving
  const leftMs = performance.now() - start

  expect(atOnce).toEqual([0, []])
  expect(meanwhile).toEqual([])
  expect(textOf(dehydrated)).not.toContain(canary)
  expect(dehydrated.responses.map(({ body }) => atob(body)).join()).not.toContain(canary)
  expect(receipt.memoryBytes).toBeGreaterThan(10 * 5_000 * canary.length)
  expect(receipt.disk).toMatchObject({ records: COUNT, bodies: COUNT / 20 })
  expect(receipt.disk?.bytes).toBeGreaterThan(10 * 5_000 * canary.length)

  expect(await search(canary, await here())).toEqual([])
  expect(await readable(cache)).toEqual([])
  for (const end of await ends)
    expect(end).toMatchObject({ status: 'rejected', reason: expect.objectContaining({ name: 'AbortError' }) })
  await cache.settled()
  expect(await search(canary, await here())).toEqual([])

  // The other tab finds out when it next looks at the disk, and leaves nothing there either.
  await other.explain('/elsewhere')
  expect(paths.filter((path) => other.peek(path))).toEqual([])
  await other.purge({ tag: 'shelf' })
  await other.settled()
  expect(await search(canary, await here())).toEqual([])

  const sent = asked.length
  expect(await cache.json('/all')).toBe('everyone')
  expect(asked).toHaveLength(sent)
  // Whoever signs in under the same name finds nothing either.
  expect(await readable(open(canary))).toEqual([])
  console.info(`Signed out of ${COUNT} responses: unreadable here at once, and on disk within ${Math.round(leftMs)} ms`)
})
