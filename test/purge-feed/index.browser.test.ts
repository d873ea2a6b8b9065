import { afterEach, expect, inject, test } from 'vitest'
import { createCache, type NearCache } from '../../src/index.ts'
import { followPurgeFeed, type PurgeFeed } from '../../src/purge-feed/index.ts'

const origin = inject('origin')
const caches: NearCache[] = []
const feeds: PurgeFeed[] = []
afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.close()
  for (const cache of caches.splice(0)) await cache.close()
})

let made = 0
/** A profile of its own: a name that nobody has had. */
const newName = () => `feed ${Date.now()} ${++made}`
/** A hub of its own. */
const newFeed = () => `${origin}/purge-feed?hub=${Date.now()}-${++made}`
const purge = async (feed: string, selector: object, mode = 'soft') => {
  const url = `${feed.replace('/purge-feed', '/purge-now')}&${new URLSearchParams({ mode, selector: JSON.stringify(selector) })}`
  return (await fetch(url)).json() as Promise<{ number: number }>
}

function open(name: string, url: string) {
  const cache = createCache({ name })
  caches.push(cache)
  const feed = followPurgeFeed(cache, url, { name, forgetSpreadMs: 0 })
  feeds.push(feed)
  const purged = () =>
    new Promise<void>((resolve) => {
      const end = cache.on(({ type }) => {
        if (type !== 'purged') return
        end()
        resolve()
      })
    })
  return { cache, feed, purged }
}

test('a purge reaches the page over EventSource, and is not applied again after a restart', async () => {
  const [name, url] = [newName(), newFeed()]
  const target = `${origin}/fresh?${name}`
  const first = open(name, url)
  await first.feed.caughtUp()
  await (await first.cache.fetch(target)).text()
  await first.cache.settled()
  const told = first.purged()
  await purge(url, { pattern: `/fresh?*` }, 'hard')
  await told
  expect((await first.cache.explain(target)).cause).toBe('purged')
  // Counted once it is on disk.
  await expect.poll(() => first.feed.number()).toBe(1)
  await (await first.cache.fetch(target)).text()
  await first.cache.settled()
  first.feed.close()
  await first.cache.close()

  const second = open(name, url)
  await second.feed.caughtUp()
  expect(second.feed.number()).toBe(1)
  expect((await second.cache.explain(target)).cause).toBe('fresh')
})

test('what was purged while nobody looked is caught up on', async () => {
  const [name, url] = [newName(), newFeed()]
  const target = `${origin}/fresh?${name}`
  const first = open(name, url)
  await first.feed.caughtUp()
  await (await first.cache.fetch(target)).text()
  await first.cache.settled()
  first.feed.close()
  await first.cache.close()
  await purge(url, { url: `/fresh?${encodeURI(name)}` })

  const second = open(name, url)
  await second.feed.caughtUp()
  expect(second.feed.number()).toBe(1)
  expect((await second.cache.explain(target)).cause).toBe('purged')
})

test('of two contexts of a profile one follows, and the other takes over', async () => {
  const [name, url] = [newName(), newFeed()]
  const first = open(name, url)
  await first.feed.caughtUp()
  const second = open(name, url)
  const connections = async () =>
    ((await (await fetch(url.replace('/purge-feed', '/purge-followers'))).json()) as { count: number }).count
  const told = first.purged()
  await purge(url, { tag: 'a' })
  await told
  await expect.poll(() => first.feed.number()).toBe(1)
  expect(await connections()).toBe(1)
  first.feed.close()
  const next = second.purged()
  await purge(url, { tag: 'b' })
  await next
  await expect.poll(() => second.feed.number()).toBe(2)
})
