// Bundled for a page of Chromium and called by `npm run bench`; see run.ts.
import { createCache } from 'nearcache'
import { storedResponse } from '../../src/http/stored-response.ts'
import type { Write } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'

/** Stores so many responses under one tag, and measures purges of that tag until they are on disk, in milliseconds, sorted. */
export async function purgesOnDisk(count: number, rounds: number): Promise<readonly number[]> {
  const name = 'bench purges'
  const clock = {
    now: () => Date.now(),
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  }
  const room = { maxBytes: 2 ** 31, maxEntryBytes: 2 ** 20 }
  const store = createIndexedDbStore({
    ...room,
    name,
    factory: indexedDB,
    keyRange: IDBKeyRange,
    clock,
    random: Math.random,
    deadlineMs: 60_000,
    onNotice() {},
  })
  const { log } = await store.read([])
  const record = (url: string): Write => {
    const stored = storedResponse({
      url,
      status: 200,
      statusText: 'OK',
      type: 'basic',
      headers: [['cache-control', 'max-age=3600']],
      request: { headers: [] },
      requestTime: Date.now(),
      responseTime: Date.now(),
      epoch: { incarnation: log.incarnation, number: log.last },
      context: 'bench',
      sequence: 1,
      delta: 1,
      tags: ['all'],
      body: { id: '1', size: 1, bytes: new Uint8Array(1) },
    })
    return { kind: 'record', partition: '', key: [url], value: { v: 1, responses: [stored] } }
  }
  const urls = Array.from({ length: count }, (_, index) => new URL(`/stored/${index}`, location.href).href)
  for (let from = 0; from < count; from += 2_000) {
    await store.update([], () => urls.slice(from, from + 2_000).map(record), { durability: 'relaxed' })
  }
  await store.close?.()
  const cache = createCache({ name, disk: { maxBytes: room.maxBytes } })
  const last = urls.at(-1) as string
  if ((await cache.explain(last)).cause !== 'fresh') throw new Error('not stored')
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const { durable } = await cache.purge({ tag: 'all' })
    times.push(performance.now() - start)
    if (!durable || (await cache.explain(last)).cause !== 'purged') throw new Error('not purged')
  }
  await cache.close()
  return times.sort((a, b) => a - b)
}
