import { expect, test } from 'vitest'
import { harness } from './harness.ts'
import { pageHarness } from './page-harness.ts'

async function stored(make = harness) {
  const world = make()
  for (const url of ['/a', '/b', 'https://other.test/a']) {
    world.origin.serves(`GET ${url}`, { cacheControl: 'max-age=60, stale-if-error=600', etag: '"v1"', body: url })
    await (await world.cache.fetch(url)).text()
  }
  await world.cache.settled()
  return world
}
const kinds = async ({ cache }: ReturnType<typeof harness>) =>
  Promise.all(['/a', '/b', 'https://other.test/a'].map(async (url) => (await cache.explain(url)).cause))

test.each(['"cache"', '"storage"', '"*"', '"cookies", "cache"', '"unknown", "*"'])(
  'Clear-Site-Data: %s forgets what is stored of that origin, for good, and of no other (Clear Site Data §3.1)',
  async (value) => {
    const world = await stored()
    world.origin.serves('/logout', { headers: { 'clear-site-data': value } })
    await world.cache.fetch('/logout')
    expect(await kinds(world)).toEqual(['purged', 'purged', 'fresh'])
    world.origin.fails('/a', 503)
    expect((await world.cache.fetch('/a')).status).toBe(503)
  },
)

test.each(['cache', '"cookies"', '"Cache"', '"executionContexts"', '"cache'])(
  'Clear-Site-Data: %s forgets nothing (Clear Site Data §3.1)',
  async (value) => {
    const world = await stored()
    world.origin.serves('/logout', { headers: { 'clear-site-data': value } })
    await world.cache.fetch('/logout')
    expect(await kinds(world)).toEqual(['fresh', 'fresh', 'fresh'])
  },
)

test('a POST that logs out forgets before its response is handed over', async () => {
  const world = await stored()
  world.origin.serves('POST /logout', { headers: { 'clear-site-data': '"cache"' } })
  await world.cache.fetch('/logout', { method: 'POST' })
  expect(world.cache.peek('/a')).toBeUndefined()
  expect(await kinds(world)).toEqual(['purged', 'purged', 'fresh'])
})

test('another origin’s Clear-Site-Data is not ours to obey', async () => {
  const world = await stored(pageHarness)
  world.origin.serves('https://other.test/logout', {
    headers: { 'clear-site-data': '"*"', 'access-control-expose-headers': 'clear-site-data' },
  })
  await world.cache.fetch('https://other.test/logout')
  expect(await kinds(world)).toEqual(['fresh', 'fresh', 'fresh'])
})

test('a stored response that carries it clears once, when it comes over the network, and is not stored itself', async () => {
  const world = await stored()
  world.origin.serves('/logout', { cacheControl: 'max-age=60', headers: { 'clear-site-data': '"cache"' }, body: 'bye' })
  await (await world.cache.fetch('/logout')).text()
  await world.cache.settled()
  expect((await world.cache.explain('/logout')).candidates).toEqual([])
  await (await world.cache.fetch('/a')).text()
  await world.cache.settled()
  expect((await world.cache.explain('/a')).cause).toBe('fresh')
})

test('another user signs in by cookie alone, and the origin says so with it: nothing of the one before is served (FAULTS F-67)', async () => {
  const { cache, origin } = harness()
  let user = 'ada'
  origin.serves('/me', () => ({ cacheControl: 'max-age=600', json: user }))
  origin.serves('POST /login', () => {
    user = 'bob'
    return { headers: { 'clear-site-data': '"cache"' } }
  })
  expect(await cache.json('/me')).toBe('ada')
  await cache.fetch('/login', { method: 'POST' })
  expect(cache.peek('/me')).toBeUndefined()
  expect(await cache.json('/me')).toBe('bob')
})

test.each([harness, pageHarness])(
  'nor is it when a redirect of ours has led to that other origin (Clear Site Data §3.1)',
  async (make) => {
    const world = await stored(make)
    world.origin.serves('/out', { redirect: 'https://other.test/logout' })
    world.origin.serves('https://other.test/logout', {
      headers: { 'clear-site-data': '"*"', 'access-control-expose-headers': 'clear-site-data' },
    })
    await world.cache.fetch('/out')
    await world.cache.fetch('/out', { method: 'POST' })
    expect(await world.cache.explain('/b')).toMatchObject({ cause: 'fresh' })
    world.origin.serves('/out', { redirect: '/logout' })
    world.origin.serves('/logout', { headers: { 'clear-site-data': '"*"' } })
    await world.cache.fetch('/out')
    expect(await kinds(world)).toEqual(['purged', 'purged', 'fresh'])
  },
)
