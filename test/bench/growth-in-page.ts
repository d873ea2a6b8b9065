// Bundled for a page of Chromium and called by `npm run bench`; see in-chromium.ts.
import { createStore, setMany } from 'idb-keyval'
import { createCache } from 'nearcache'
import { measure, timed } from './measure.ts'
import { bytes } from './sample.ts'
import { fillNearcache } from './stored-in-page.ts'

const name = 'bench growth'
const urlOf = (index: number): string => new URL(`/stored/${index}`, location.href).href
/** The disk is what is measured: no page of a busy machine goes to the origin instead. */
const open = () => createCache({ name, disk: { maxBytes: 2 ** 31 }, deadlines: { diskMs: 10_000 } })

/** What no purge of the tag makes stale: it is a hit in each round. */
const untagged = new URL('/stored/untagged', location.href).href
/** What the origin gives again and again, and is stored with the tag that all carry. */
const tagged = new URL('/product/1/tagged', location.href).href

const bare = 'bench growth, bare'

/** Stores so many responses under one tag, one without it, and in a database beside them as many values, each about as large. */
export async function fill(count: number): Promise<void> {
  const urls = Array.from({ length: count }, (_, index) => urlOf(index))
  await fillNearcache(name, urls, { body: new Uint8Array(1), tags: ['all'] })
  await fillNearcache(name, [untagged], { body: new Uint8Array(1) })
  const store = createStore(bare, 'keyval')
  for (let from = 0; from < count; from += 2_000)
    await setMany(
      urls.slice(from, from + 2_000).map((url) => [url, bytes.slice(0, 1_000)]),
      store,
    )
}

const openBare = () =>
  new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(bare)
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })

/** One value put by hand, in a transaction of its own. */
const put = (database: IDBDatabase, key: string, durability: IDBTransactionDurability) =>
  new Promise<void>((resolve, reject) => {
    const transaction = database.transaction('keyval', 'readwrite', { durability })
    transaction.objectStore('keyval').put(bytes.slice(0, 1_000), key)
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
    transaction.commit()
  })

/** The first answer of a page that has asked for nothing yet, in milliseconds, the making of its cache included. */
export async function start(count: number): Promise<number> {
  const started = performance.now()
  const cache = open()
  await (await cache.fetch(urlOf(count - 1))).text()
  const took = performance.now() - started
  if (cache.stats().hits !== 1) throw new Error(`not stored: ${JSON.stringify(cache.stats())}`)
  await cache.close()
  return took
}

/** Hits from memory, and writes until they are on disk, in microseconds; purges of the tag that all carry, until they are on disk, in milliseconds; beside them a bare `put()`, relaxed and strict. */
export async function costs(rounds: number) {
  const cache = open()
  await (await cache.fetch(untagged)).text()
  const { hit = [] } = await measure([{ name: 'hit', run: () => cache.fetch(untagged) }], 5)
  const { requests, hits } = cache.stats()
  if (hits !== requests) throw new Error(`${requests - hits} were no hits`)
  const database = await openBare()
  const [write, relaxedPut, strictPut] = [[] as number[], [] as number[], [] as number[]]
  for (let round = 0; round < rounds; round++) {
    relaxedPut.push(await timed(() => put(database, `growth-${round % 5}`, 'relaxed')))
    write.push(
      await timed(async () => {
        await (await cache.fetch(`/product/1/growth-${round % 5}`, { cache: 'reload' })).text()
        await cache.settled()
      }),
    )
  }
  const purge: number[] = []
  for (let round = 0; round < rounds; round++) {
    strictPut.push(await timed(() => put(database, 'purge', 'strict')))
    // Fresh again: what was purged before says nothing of this purge.
    await (await cache.fetch(tagged, { cache: 'reload', nearcache: { tags: ['all'] } })).text()
    await cache.settled()
    if ((await cache.explain(tagged)).decision !== 'reuse') throw new Error('not fresh')
    purge.push(
      await timed(async () => {
        const { durable } = await cache.purge({ tag: 'all' })
        if (!durable) throw new Error('not on disk')
      }),
    )
    if (!(await cache.explain(tagged)).purge) throw new Error('not purged')
  }
  database.close()
  await cache.close()
  return { hit, write, relaxedPut, purge, strictPut }
}
