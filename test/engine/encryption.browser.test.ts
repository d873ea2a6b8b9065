import { expect, onTestFinished, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'

const CANARY = 'canary-of-anna'
const latin = new TextDecoder('latin1')

/** Everything that lies in a database, as text. */
async function contentOf(name: string): Promise<string> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(name)
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
  const rows = await Promise.all(
    [...database.objectStoreNames].map(
      (store) =>
        new Promise<unknown[]>((resolve, reject) => {
          const request = database.transaction(store).objectStore(store).getAll()
          request.onsuccess = () => resolve(request.result)
          request.onerror = () => reject(request.error)
        }),
    ),
  )
  database.close()
  return JSON.stringify(rows, (_, part: unknown) =>
    part instanceof Uint8Array ? latin.decode(part) : part instanceof CryptoKey ? 'a key' : part,
  )
}

function world() {
  const name = crypto.randomUUID()
  let requests = 0
  const fetch = async () => {
    requests++
    return new Response(`{"user":"${CANARY}"}`, { headers: { 'cache-control': 'private, max-age=600' } })
  }
  const open = (encrypt: boolean, partition?: string) => {
    const cache = createCache({
      name,
      fetch,
      base: 'https://shop.example/',
      disk: { encrypt },
      deadlines: { diskMs: 60_000 },
      ...(partition !== undefined && { partition }),
    })
    onTestFinished(() => cache.close())
    return cache
  }
  return { name, open, requests: () => requests }
}

test('what is encrypted lies on disk unreadable, and is there after a reload', async () => {
  const { name, open, requests } = world()
  const first = open(true, 'anna')
  expect(await first.json('/me')).toEqual({ user: CANARY })
  await first.close()
  const content = await contentOf(name)
  expect(content).toContain('https://shop.example/me')
  expect(content).not.toContain(CANARY)
  expect(await open(true, 'anna').json('/me')).toEqual({ user: CANARY })
  expect(requests()).toBe(1)
})

test('the same without encryption lies there as it is: the search does find what is there to be found', async () => {
  const { name, open } = world()
  const cache = open(false, 'anna')
  await cache.json('/me')
  await cache.close()
  expect(await contentOf(name)).toContain(CANARY)
})

test('signing out forgets the key', async () => {
  const { name, open } = world()
  const cache = open(true, 'anna')
  await cache.json('/me')
  await cache.settled()
  expect(await contentOf(`${name}-keys`)).toContain('a key')
  expect((await cache.setPartition(undefined)).disk).toMatchObject({ records: 1 })
  expect(await contentOf(`${name}-keys`)).not.toContain('a key')
})

test('who opens it without encryption neither reads nor breaks it', async () => {
  const { open, requests } = world()
  const first = open(true, 'anna')
  await first.json('/me')
  await first.close()
  expect(await open(false, 'anna').json('/me')).toEqual({ user: CANARY })
  expect(requests()).toBe(2)
})
