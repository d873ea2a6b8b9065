import { describe, expect, test } from 'vitest'
import type { Store, StoreNotice } from '../../src/ports/store.ts'
import { encryptedStore } from '../../src/stores/encrypted.ts'
import { createIndexedDbStore } from '../../src/stores/indexeddb.ts'
import { createKeyRing } from '../../src/stores/key-ring.ts'
import { seededRandom, virtualClock, virtualIndexedDB } from '../../src/testing/index.ts'
import {
  canary,
  dump,
  encryptedOn,
  failures,
  purgeAll,
  put,
  putOf,
  RELAXED,
  read,
  rows,
  textOf,
} from './encrypted-harness.ts'
import { realCrypto } from './key-rings.ts'

const no = () => Promise.reject(new Error('no'))

/** The real crypto, whose `name` fails. */
const failing = (name: 'encrypt' | 'decrypt') =>
  new Proxy(crypto.subtle, {
    get: (real, asked) => (asked === name ? no : (real[asked as keyof SubtleCrypto] as () => unknown).bind(real)),
  })

/** An encrypted store with its keys in a database, too. */
async function withKeysOnDisk() {
  const database = await virtualIndexedDB()
  const clock = virtualClock()
  const notices: StoreNotice[] = []
  const place = { ...database, clock, name: 'test' }
  const onNotice = (notice: StoreNotice) => notices.push(notice)
  const room = { maxBytes: 1_000_000, maxEntryBytes: 1_000_000 }
  const raw = createIndexedDbStore({ ...place, ...room, random: seededRandom(1), onNotice })
  const ring = () => createKeyRing({ ...place, subtle: crypto.subtle })
  const store: Store = encryptedStore(raw, ring(), { ...realCrypto, onNotice })
  return { store, ring, database, clock, notices }
}

describe('a failure of encryption costs the body, nothing else (law 6)', () => {
  test('no key to be had: what else is in the update is written, and one notice says so', async () => {
    const { store, keys, notices, database } = await encryptedOn()
    await put(store, 'anna', 'k', canary('old'))
    keys.keyFor = no
    const log = await store.update(
      [['record', 'anna', ['k']]],
      ({ record }) => [
        putOf('anna', 'k', ...(record('anna', ['k'])?.responses ?? []), canary('1'), canary('2', 5_000)),
        putOf('', 'k', canary('3')),
        purgeAll,
      ],
      RELAXED,
    )
    expect(log.last).toBe(1)
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('old'))])
    expect(await read(store, '', 'k')).toEqual([textOf(canary('3'))])
    expect(failures(notices)).toEqual(['encrypt'])
    const named = (await rows(database.factory)).filter(([key]) => dump(key).includes('anna'))
    expect(dump(named)).not.toContain('canary')
  })

  test('encrypt() fails', async () => {
    const { store, notices } = await encryptedOn({ subtle: failing('encrypt') })
    await put(store, 'anna', 'k', canary('1'), canary('2', 5_000))
    expect(await read(store, 'anna', 'k')).toEqual([])
    expect(failures(notices)).toEqual(['encrypt'])
  })

  test('what was to be replaced by a body that is not stored does not stay: it was not to be used again', async () => {
    const { store, keys } = await encryptedOn()
    await put(store, 'anna', 'k', canary('old'))
    keys.keyFor = no
    await put(store, 'anna', 'k', canary('new'))
    expect(await read(store, 'anna', 'k')).toEqual([])
  })

  test('no key can be looked for: everything is absent, and one notice says so', async () => {
    const { store, keys, notices } = await encryptedOn()
    await put(store, 'anna', 'k', canary('1'), canary('2'))
    await put(store, '', 'k', canary('3'))
    keys.find = no
    const { record } = await store.read([
      ['record', 'anna', ['k']],
      ['record', '', ['k']],
    ])
    expect([record('anna', ['k']), record('', ['k'])?.responses.length]).toEqual([undefined, 1])
    expect(failures(notices)).toEqual(['decrypt'])
  })

  test('decrypt() fails', async () => {
    const { store, notices } = await encryptedOn({ subtle: failing('decrypt') })
    await put(store, 'anna', 'k', canary('1'), canary('2', 5_000))
    expect(await read(store, 'anna', 'k')).toEqual([])
    expect(failures(notices)).toEqual(['decrypt', 'decrypt'])
  })

  test('a read that needs no key does not fail for want of one', async () => {
    const { store, keys, notices } = await encryptedOn()
    keys.find = no
    expect(await read(store, 'anna', 'k')).toEqual([])
    expect(notices).toEqual([])
  })

  test('a failure of the store beneath stays one', async () => {
    const { store, database } = await encryptedOn()
    await put(store, 'anna', 'k', canary('1'))
    for (const work of [() => read(store, 'anna', 'k'), () => put(store, 'anna', 'k', canary('2'))]) {
      database.inject({ at: 'request', fault: 'ConstraintError' })
      await expect(work()).rejects.toHaveProperty('name', 'ConstraintError')
    }
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('1'))])
  })
})

describe('keys in a database', () => {
  test('neither a key nor a body is readable in any database; after a reload both are there', async () => {
    const { store, ring, database, notices } = await withKeysOnDisk()
    await put(store, 'anna', 'k', canary('1'))
    expect(dump([await rows(database.factory), await rows(database.factory, 'test-keys')])).not.toContain('canary')
    await store.close?.()
    await database.settled()
    expect(database.connections()).toBe(0)
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('1'))])
    await ring().drop('anna')
    expect(await read(store, 'anna', 'k')).toEqual([])
    expect(await rows(database.factory, 'test-keys')).toEqual([])
    expect(notices).toEqual([])
  })

  test('that hangs is given up after its deadline, and the next operation finds them', async () => {
    const { store, ring, database, clock, notices } = await withKeysOnDisk()
    await put(store, 'anna', 'k', canary('1'))
    const keys = ring()
    database.inject({ at: 'open', fault: 'hang' })
    const finding = keys.find('anna').catch((error: unknown) => (error as Error).name)
    await clock.advance(3_000)
    expect(await finding).toBe('TimeoutError')
    expect(await keys.find('anna')).toBeDefined()
    expect(await read(store, 'anna', 'k')).toHaveLength(1)
    expect(notices).toEqual([])
  })

  test.each(['find', 'keyFor', 'drop', 'keepOnly'] as const)(
    'when opening fails, %s() rejects, and then heals',
    async (name) => {
      const { ring, database } = await withKeysOnDisk()
      const keys = ring()
      database.inject({ at: 'open', fault: 'NotReadableError' })
      await expect(keys[name]('anna')).rejects.toHaveProperty('name', 'NotReadableError')
      await keys[name]('anna')
    },
  )

  test('what lies in the place of a key and is none is replaced', async () => {
    const { ring, database } = await withKeysOnDisk()
    const keys = ring()
    const open = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt'])
    for (const damaged of ['damaged', null, { type: 'secret' }, open]) {
      await keys.keyFor('anna')
      await new Promise((resolve) => {
        const opening = database.factory.open('test-keys')
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('nearcache', 'readwrite')
          transaction.objectStore('nearcache').put(damaged, 'anna')
          transaction.oncomplete = resolve
        }
      })
      expect(await keys.find('anna')).toBeUndefined()
      expect((await keys.keyFor('anna')).extractable).toBe(false)
      expect(await keys.find('anna')).toBeDefined()
    }
  })

  test('lost while the bodies stay: all absent, and new ones are stored under a new key', async () => {
    const { store, database, notices } = await withKeysOnDisk()
    await put(store, 'anna', 'k', canary('1'))
    await store.close?.()
    await new Promise((resolve) => {
      database.factory.deleteDatabase('test-keys').onsuccess = resolve
    })
    expect(await read(store, 'anna', 'k')).toEqual([])
    await put(store, 'anna', 'k', canary('2'))
    expect(await read(store, 'anna', 'k')).toEqual([textOf(canary('2'))])
    expect(notices).toEqual([])
  })
})
