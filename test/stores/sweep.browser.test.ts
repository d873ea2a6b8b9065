import { expect, test, vi } from 'vitest'
import { platform } from '../../src/platform/platform.ts'
import { systemClock } from '../../src/platform/system-clock.ts'
import type { Store } from '../../src/ports/store.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { idsOf, recordOf, responseWith } from './builders.ts'

const RELAXED = { durability: 'relaxed' } as const

async function keep(store: Store, key: string, tag: string) {
  const { log } = await store.read([])
  const epoch = { incarnation: log.incarnation, number: log.last }
  const value = recordOf(responseWith('b', 2_000, { tags: [tag], epoch }))
  await store.update([], () => [{ kind: 'record', partition: '', key: [key], value }], RELAXED)
}

const count = (name: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open(name)
    opening.onerror = () => reject(opening.error)
    opening.onsuccess = () => {
      const database = opening.result
      const counting = database.transaction('nearcache').objectStore('nearcache').count()
      counting.onsuccess = () => {
        database.close()
        resolve(counting.result)
      }
    }
  })

test('in this browser what was hard-purged is gone from the disk when the page was idle, and the rest is there', async () => {
  const name = `swept ${crypto.randomUUID()}`
  const store = createIndexedDbStore({
    name,
    factory: indexedDB,
    keyRange: IDBKeyRange,
    clock: systemClock,
    random: Math.random,
    maxBytes: 1e7,
    maxEntryBytes: 1e6,
    inlineBytes: 1_000,
    deadlineMs: 60_000,
    // As in a page, save that nobody waits for ten seconds where the browser does not say.
    idle: platform().idle ?? (() => systemClock.sleep(10)),
    onNotice: () => {},
  })
  await Promise.all(Array.from({ length: 50 }, (_, index) => keep(store, `k${index}`, index % 2 ? 'old' : 'kept')))
  await store.update([], () => [{ kind: 'purge', purge: { selector: { tags: ['old'] }, mode: 'hard', at: 0 } }], {
    durability: 'strict',
  })
  // 25 records with their bodies, log, purges, account, and how far it has come.
  await vi.waitFor(async () => expect(await count(name)).toBe(54), { timeout: 50_000, interval: 100 })
  const snapshot = await store.read([
    ['record', '', ['k0']],
    ['body', '', ['k0'], 'b'],
    ['record', '', ['k1']],
  ])
  expect([idsOf(snapshot.record('', ['k0'])), snapshot.record('', ['k1'])]).toEqual([['b'], undefined])
  expect(snapshot.body('', ['k0'], 'b')?.byteLength).toBe(2_000)
})
