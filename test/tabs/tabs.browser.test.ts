import { expect, inject, onTestFinished, test } from 'vitest'
import { createCache, type NearCache } from '../../src/index.ts'

// Two caches of one name in one page are two contexts to channel, locks and database: what Chromium, Firefox and WebKit make of them.

/** Two caches, and how often each path was asked for. */
function pair() {
  const name = `tabs-${crypto.randomUUID()}`
  const asked = new Map<string, number>()
  const fetch = async (input: RequestInfo | URL) => {
    const url = String(input)
    const count = (asked.get(url) ?? 0) + 1
    asked.set(url, count)
    await globalThis.fetch(`${inject('origin')}/echo?tabs`, { cache: 'no-store' })
    return new Response(JSON.stringify({ count }), {
      headers: { 'content-type': 'application/json', 'cache-control': 'max-age=60' },
    })
  }
  const deadlines = { lockMs: 60_000, diskMs: 60_000 }
  const caches = [1, 2].map(() => createCache({ name, fetch, deadlines })) as [NearCache, NearCache]
  onTestFinished(async () => {
    await Promise.all(caches.map((cache) => cache.close()))
    indexedDB.deleteDatabase(name)
  })
  return { caches, asked: (path: string) => asked.get(new URL(path, location.href).href) }
}

test('two contexts and a hundred callers of one key: one request', async () => {
  const { caches, asked } = pair()
  const answers = await Promise.all(
    caches.flatMap((cache) => Array.from({ length: 50 }, () => cache.json('/tabs/one'))),
  )
  expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set(['{"count":1}']))
  expect(asked('/tabs/one')).toBe(1)
})

test('what one stores or purges the other hears', async () => {
  const {
    caches: [one, other],
    asked,
  } = pair()
  const heard: string[] = []
  other.subscribe('/tabs/a', ({ type }) => heard.push(type))
  one.subscribe('/tabs/a', () => {})
  await one.json('/tabs/a')
  await expect.poll(() => heard).toEqual(['stored'])
  expect(other.peek('/tabs/a')?.data).toEqual({ count: 1 })
  await one.purge({ url: '/tabs/a' }, { mode: 'hard' })
  await expect.poll(() => heard).toEqual(['stored', 'purged'])
  expect(other.peek('/tabs/a')).toBeUndefined()
  expect(await other.json('/tabs/a')).toEqual({ count: 2 })
  await expect.poll(() => one.peek('/tabs/a')?.data).toEqual({ count: 2 })
  expect(asked('/tabs/a')).toBe(2)
})

test('signed out in one, the other one leaves at once', async () => {
  const {
    caches: [one, other],
  } = pair()
  await one.setPartition('anna')
  await other.setPartition('anna')
  await other.json('/tabs/me')
  const left = new Promise<void>((resolve) => other.on(({ type }) => type === 'partition-left' && resolve()))
  await one.setPartition(undefined)
  await left
  expect(other.peek('/tabs/me')).toBeUndefined()
})
