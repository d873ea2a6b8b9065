import { storedResponse } from '../../src/http/stored-response.ts'
import type { Write } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { bytes, headers } from './sample.ts'

const clock = {
  now: () => Date.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
}

/** Puts responses to these URLs into a database of nearcache, many in one transaction: how they came there is not measured. */
export async function fillNearcache(
  name: string,
  urls: readonly string[],
  { body = bytes, tags = [] as readonly string[] } = {},
): Promise<void> {
  const store = createIndexedDbStore({
    maxBytes: 2 ** 31,
    maxEntryBytes: 2 ** 20,
    name,
    factory: indexedDB,
    keyRange: IDBKeyRange,
    clock,
    random: Math.random,
    deadlineMs: 60_000,
    onNotice() {},
  })
  const { log } = await store.read([])
  const record = (path: string): Write => {
    const url = new URL(path, location.href).href
    const stored = storedResponse({
      url,
      status: 200,
      statusText: 'OK',
      type: 'basic',
      headers: Object.entries(headers),
      // Fields that a browser adds: what is stored is what it would be.
      request: { headers: [['accept-language', navigator.languages.join()]] },
      requestTime: Date.now(),
      responseTime: Date.now(),
      epoch: { incarnation: log.incarnation, number: log.last },
      context: 'bench',
      sequence: 1,
      delta: 1,
      tags: [...tags],
      body: { id: '1', size: body.byteLength, bytes: body },
    })
    return { kind: 'record', partition: '', key: [url], value: { v: 1, responses: [stored] } }
  }
  for (let from = 0; from < urls.length; from += 2_000)
    await store.update([], () => urls.slice(from, from + 2_000).map(record), { durability: 'relaxed' })
  await store.close?.()
}
