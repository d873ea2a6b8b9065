import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { failures, profile, watched } from './database-harness.ts'
import { instantCrypto } from './instant-crypto.ts'
import { shop } from './shop.ts'

// Law 5 and "a sign-out that an ill disk has held up leaves alone who came after it", where bodies are encrypted (disk.encrypt): the keys of who came later are theirs, too.

beforeAll(async () => {
  vi.stubGlobal('crypto', instantCrypto)
  await import('../../src/stores/encrypted.ts')
})
afterAll(() => {
  vi.unstubAllGlobals()
})

const encrypted = { disk: { encrypt: true } }

async function encryptedShop() {
  const all = await shop()
  const { session, me } = all
  /** What Ben has stored can still be read: by his next page, with nobody signed in at the origin any more. */
  async function bensIsThere() {
    session.user = 'nobody'
    const next = all.open({ partition: 'ben', ...encrypted })
    expect(await me(next)).toEqual({ user: 'ben' })
    expect(failures(next.events)).toEqual([])
  }
  return { ...all, bensIsThere }
}

test('a page that was made for somebody before, and enters late, does not drop the key of who has the database', async () => {
  const { open, clock, session, me, database, bensIsThere } = await encryptedShop()
  for (let nth = 1; nth <= 6; nth++) database.inject({ at: 'transaction', nth, fault: 'UnknownError' })
  const annas = open({ partition: 'anna', ...encrypted })
  await annas.cache.settled()
  database.release()
  await clock.advance(60_000)
  session.user = 'ben'
  const bens = open({ partition: 'ben', ...encrypted })
  expect(await me(bens)).toEqual({ user: 'ben' })
  await me(annas)
  expect(annas.events.map(({ type }) => type)).toContain('partition-left')
  await bensIsThere()
})

test('nor does a sign-out that an ill disk has held up', async () => {
  const { open, clock, session, me, database, bensIsThere } = await encryptedShop()
  const annas = open({ partition: 'anna', ...encrypted })
  await me(annas)
  await database.lose()
  for (let nth = 1; nth <= 6; nth++) database.inject({ at: 'open', nth, fault: 'UnknownError' })
  await expect(annas.cache.setPartition(undefined)).rejects.toMatchObject({ code: 'storage' })
  database.release()
  await clock.advance(60_000)
  session.user = 'ben'
  const bens = open({ ...encrypted })
  await bens.cache.setPartition('ben')
  expect(await me(bens)).toEqual({ user: 'ben' })
  // What failed is tried again before the disk is used.
  await annas.cache.json('/public')
  await annas.cache.settled()
  await bensIsThere()
})

describe('code that encrypts, and that does not come (a stalled connection)', () => {
  async function stalled() {
    vi.resetModules()
    vi.doMock('../../src/stores/encrypted.ts', () => new Promise(() => {}))
    const { createCache } = await import('../../src/index.development.ts')
    const { database, clock, origin } = await profile()
    vi.stubGlobal('indexedDB', database.factory)
    vi.stubGlobal('IDBKeyRange', database.keyRange)
    const cache = createCache({ fetch: origin.fetch, base: origin.url, clock, partition: 'anna', ...encrypted })
    return { cache, clock }
  }
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'indexedDB')
    Reflect.deleteProperty(globalThis, 'IDBKeyRange')
    vi.doUnmock('../../src/stores/encrypted.ts')
    vi.resetModules()
  })

  test.each(['setPartition', 'close', 'settled', 'purge'] as const)(
    '%s() ends all the same (FAULTS R8)',
    async (method) => {
      const { cache, clock } = await stalled()
      const work = watched<unknown>(
        method === 'setPartition'
          ? cache.setPartition(undefined)
          : method === 'purge'
            ? cache.purge({ all: true })
            : cache[method](),
      )
      await clock.advance(60_000)
      expect(work.state).not.toBe('pending')
    },
  )

  test('a first answer from the network is not kept waiting', async () => {
    const { cache, clock } = await stalled()
    const work = watched<unknown>(cache.json('/public'))
    await clock.advance(100)
    expect(work.state).toBe('fulfilled')
  })
})
