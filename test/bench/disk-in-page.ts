// Bundled for a page of Chromium and called by `npm run bench`; see disk.ts.
import { createStore, get, getMany, set, setMany } from 'idb-keyval'
import { createCache, type NearCache } from 'nearcache'
import { bytes, headers } from './sample.ts'

/** What is stored, or asked for, of this origin. */
const urlOf = (index: number): string => `/stored/product/${index}`

/** An origin inside the page: what is measured with it is the cache alone. */
const near: typeof fetch = async () => new Response(bytes, { headers })

/** The usual cache of this page; where nothing may be asked, there is no origin. */
const cacheOf = (transport: typeof fetch = () => Promise.reject(new TypeError('Not stored'))) =>
  createCache({ fetch: transport })

const bare = () => createStore('bare', 'keyval')

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** Stores responses, and the same bytes for `get()`. */
export async function fill(count: number): Promise<void> {
  const cache = cacheOf(near)
  for (let first = 0; first < count; first += 500) {
    const indexes = Array.from({ length: Math.min(500, count - first) }, (_, index) => first + index)
    await Promise.all(indexes.map(async (index) => (await cache.fetch(urlOf(index))).arrayBuffer()))
    await cache.settled()
    await setMany(
      indexes.map((index) => [urlOf(index), bytes]),
      bare(),
    )
  }
  await cache.close()
}

/** The first thing that a page does with a database: the time in milliseconds, from before the cache is made, which begins to open it. Called once in each page. */
export const first = {
  get: (index: number) => timed(() => get(urlOf(index), bare())),
  answer: (index: number) => timed(() => cacheOf().fetch(urlOf(index))),
  gets: (index: number) => timed(() => getMany(hundred(index), bare())),
  /** The least that an answer is: what was read, as a response. */
  responses: (index: number) =>
    timed(async () => (await getMany(hundred(index), bare())).map((found) => new Response(found, { headers }))),
  answers: (index: number) =>
    timed(() => {
      const cache = cacheOf()
      return Promise.all(hundred(index).map((url) => cache.fetch(url)))
    }),
}

const hundred = (index: number): string[] => Array.from({ length: 100 }, (_, more) => urlOf(index + more))

/** The same once the database is open: milliseconds of each, turn by turn. */
export async function again(rounds: number): Promise<Record<'get' | 'answer' | 'gets' | 'answers', number[]>> {
  const cache = cacheOf()
  const store = bare()
  await Promise.all([cache.fetch(urlOf(0)), get(urlOf(0), store)])
  const times = { get: [] as number[], answer: [] as number[], gets: [] as number[], answers: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    const index = (round * 101) % 9_000
    times.get.push(await timed(() => get(urlOf(index + 100), store)))
    times.answer.push(await timed(() => cache.fetch(urlOf(index + 100))))
    times.gets.push(await timed(() => getMany(hundred(index), store)))
    times.answers.push(await timed(() => Promise.all(hundred(index).map((url) => cache.fetch(url)))))
  }
  return times
}

/** Asks the origin for as many URLs as nobody has asked for before, some at a time, and stores them. */
export async function misses(count: number, from: number, way: 'plain' | 'by hand' | 'cached'): Promise<number> {
  let cache: NearCache | undefined
  const time = await timed(async () => {
    if (way === 'cached') cache = createCache()
    const ask = cache?.fetch ?? fetch
    const store = way === 'by hand' ? bare() : undefined
    let next = from
    const worker = async () => {
      while (next < from + count) {
        const url = `/product/${next++}`
        const body = await (await ask(url)).arrayBuffer()
        if (store) await set(url, body, store)
      }
    }
    await Promise.all(Array.from({ length: 20 }, worker))
    await cache?.settled()
  })
  await cache?.close()
  return time
}

/** Does something with numbers from 0 on, some at once: a task that asks for 1,000 URLs is the page's own. */
async function inTurns(count: number, atOnce: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += atOnce)
    await Promise.all(Array.from({ length: atOnce }, (_, index) => work(from + index)))
}

/** How many records lie in the database, by hand. */
const records = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open('nearcache')
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const database = opening.result
      const objects = database.transaction('nearcache').objectStore('nearcache')
      const counting = objects.count(IDBKeyRange.bound(['record'], ['record', []]))
      counting.onsuccess = () => {
        database.close()
        resolve(counting.result)
      }
    }
  })

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export type TaskName = keyof typeof tasks

/** How long each takes; in a page of its own, in this order. */
export const tasks = {
  'nothing, for a second': () => timed(() => pause(1_000)),
  'start, and 1,000 answers, 100 at once': () =>
    timed(async () => {
      const cache = cacheOf()
      await inTurns(1_000, 100, async (index) => (await cache.fetch(urlOf(index))).json())
      await cache.settled()
    }),
  '1,000 responses stored, 100 at once': () =>
    timed(async () => {
      const cache = createCache()
      await inTurns(1_000, 100, async (index) => (await cache.fetch(`/product/more/${index}`)).arrayBuffer())
      await cache.settled()
    }),
  'more than half of the disk evicted': () =>
    timed(async () => {
      const cache = createCache({ fetch: near, disk: { maxBytes: 10 * 2 ** 20 } })
      await (await cache.fetch('/one/more')).arrayBuffer()
      await cache.settled()
      for (let before = -1, now = await records(); now !== before; now = await records()) {
        before = now
        await pause(300)
      }
      await cache.close()
    }),
  'everything purged, and swept': () =>
    timed(async () => {
      const cache = cacheOf()
      await cache.purge({ all: true }, { mode: 'hard' })
      while ((await records()) > 0) await pause(100)
      await cache.close()
    }),
}
