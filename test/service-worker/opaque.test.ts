import { expect, test } from 'vitest'
import type { Route } from '../../src/service-worker/index.ts'
import { profile } from './worker-harness.ts'

const DAY = 86_400_000
const picture = { mode: 'no-cors', destination: 'image' } as const

/** Pictures of another origin, whose answers say nothing to script. */
async function gallery(route: Partial<Route> = {}, maxBytes?: number) {
  const made = await profile()
  made.origin.serves('https://cdn.test/*', { body: 'picture' })
  const start = () =>
    made.worker({
      routes: [{ match: 'https://cdn.test/*', opaque: true, ...route }],
      ...(maxBytes !== undefined && { opaque: { maxBytes } }),
    })
  const running = start()
  async function see(path: string, one = running): Promise<Response> {
    const { response, over } = one.ask(`https://cdn.test/${path}`, picture)
    const given = await (response as Promise<Response>)
    await over
    return given
  }
  return { ...made, running, start, see, asked: () => made.origin.requests.length }
}

test('an opaque picture is kept for the route’s time, across restarts of the worker, and given without a network', async () => {
  const { origin, clock, see, start, asked } = await gallery({ maxAgeMs: DAY, staleIfErrorMs: DAY })
  expect((await see('a')).type).toBe('opaque')
  await see('a')
  expect(asked()).toBe(1)
  await clock.advance(DAY)
  origin.fails('https://cdn.test/*', 'network')
  expect((await see('a', start())).type).toBe('opaque')
  await clock.advance(DAY)
  await expect(see('a')).rejects.toThrow(TypeError)
})

test('within the stale-while-revalidate time it is shown, and refreshed behind (RFC 5861 §3)', async () => {
  const { clock, see, asked } = await gallery({ maxAgeMs: 1_000, staleWhileRevalidateMs: DAY })
  await see('a')
  await clock.advance(2_000)
  await see('a')
  expect(asked()).toBe(2)
  await see('a')
  expect(asked()).toBe(2)
})

test('each counts 7 MiB: the one that was not used for longest goes (FAULTS B-8)', async () => {
  const { clock, see, asked, caches } = await gallery({}, 15 * 2 ** 20)
  for (const path of ['a', 'b']) await see(path)
  await clock.advance(120_000)
  await see('a')
  await see('c')
  expect((await (await caches.open('nearcache-opaque')).keys()).map(({ url }) => new URL(url).pathname).sort()).toEqual(
    ['/', '/a', '/c'],
  )
  expect(asked()).toBe(3)
})

test('a purge by URL, by pattern or of all is heeded', async () => {
  const { running, see, asked } = await gallery()
  await see('a')
  await running.cache.purge({ pattern: 'https://cdn.test/*' })
  await see('a')
  expect(asked()).toBe(2)
  await running.cache.purge({ url: 'https://cdn.test/b' })
  await see('a')
  expect(asked()).toBe(2)
})

test('what is kept comes from the origin, not from the browser’s own cache, whose copies may be old, or purged (Fetch, HTTP-network-or-cache fetch)', async () => {
  const { origin, running, see } = await gallery({ maxAgeMs: DAY })
  await see('a')
  await running.cache.purge({ url: 'https://cdn.test/a' }, { mode: 'hard' })
  await see('a')
  expect(origin.requests.map(({ cacheMode }) => cacheMode)).toEqual(['no-cache', 'reload'])
})

test('without a network the browser’s own copy is shown, and not kept, while nothing was purged and nobody signed in (laws 2 and 5)', async () => {
  const modes = async (before: (made: Awaited<ReturnType<typeof gallery>>) => Promise<unknown>) => {
    const made = await gallery()
    await before(made)
    made.origin.fails('https://cdn.test/*', 'network')
    await expect(made.see('a')).rejects.toThrow(TypeError)
    return made.origin.requests.map(({ cacheMode }) => cacheMode)
  }
  expect(await modes(async () => {})).toEqual(['no-cache', 'default'])
  expect(await modes(({ running }) => running.cache.purge({ tag: 'any' }))).toEqual(['no-cache'])
  expect(await modes(({ page }) => page().setPartition('anna'))).toEqual(['no-cache'])
})

test('what one user has seen is not there for the next (law 5)', async () => {
  const { page, see, asked, caches } = await gallery()
  const pages = page()
  await pages.setPartition('anna')
  await see('a')
  await see('a')
  expect(asked()).toBe(1)
  await pages.setPartition('ben')
  await see('b')
  expect((await (await caches.open('nearcache-opaque')).keys()).map(({ url }) => url)).not.toContain(
    'https://cdn.test/a',
  )
  await see('a')
  expect(asked()).toBe(3)
})

test('without room for one, pictures pass', async () => {
  const { see, asked } = await gallery({}, 2 ** 20)
  await see('a')
  await see('a')
  expect(asked()).toBe(2)
})
