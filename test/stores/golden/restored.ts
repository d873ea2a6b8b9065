import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { StoredRecord } from '../../../src/ports/store.ts'
import { unsealedRecord } from '../../../src/stores/seal.ts'
import { type Profile, profile } from '../../faults/database-harness.ts'
import { decodeGolden, type Golden, type Row } from './encoding.ts'
import { covered, SERVED } from './scene.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** The golden records of all versions there are, by version. */
export const goldens: ReadonlyArray<readonly [version: string, golden: Golden]> = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .map((name) => decodeGolden(readFileSync(`${folder}${name}`, 'utf8')))
  .map((golden) => [golden.version, golden])

/** A profile in which these rows lie on disk, ten seconds later. Its origin serves what the scene's did, but whoever has to fetch a body sees that it is another. */
export async function restored({ at, databases }: Golden): Promise<Profile> {
  const world = await profile()
  world.clock.set(at + 10_000)
  for (const [path, response] of Object.entries(SERVED)) world.origin.serves(path, { ...response, body: 'anew' })
  world.origin.serves('/purged/*', ({ path }) => ({ ...covered(path), body: 'anew' }))
  for (const [name, rows] of Object.entries(databases)) await lay(world.database.factory, name, rows)
  return world
}

function lay(factory: IDBFactory, name: string, rows: readonly Row[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = factory.open(name, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('nearcache')
    opening.onsuccess = () => {
      const transaction = opening.result.transaction('nearcache', 'readwrite')
      const objects = transaction.objectStore('nearcache')
      for (const [key, value] of rows) objects.put(value, key)
      transaction.onabort = () => reject(transaction.error)
      transaction.oncomplete = () => {
        opening.result.close()
        resolve()
      }
    }
  })
}

/** The rows of one kind: `record`, `body`, `visited`, `meta`. */
export const rowsOfKind = (rows: readonly Row[] | undefined, kind: string): Row[] =>
  (rows ?? []).filter(([key]) => Array.isArray(key) && key[0] === kind)

/** The record in a row, whatever version wrote it. */
export const recordIn = ([key, value]: Row): StoredRecord | undefined => unsealedRecord(value, JSON.stringify(key))

/** What lies under a key. */
export const valueUnder = (rows: readonly Row[] | undefined, key: IDBValidKey): unknown =>
  rows?.find(([one]) => JSON.stringify(one) === JSON.stringify(key))?.[1]
