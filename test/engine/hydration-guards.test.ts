import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('nothing purged comes back with a page, also when the purge has been dropped from the log since (law 2; the floor)', async () => {
  const server = harness()
  server.origin.serves('/a', { cacheControl: 'max-age=86400', body: 'purged' })
  await text(server.cache.fetch('/a'))
  const state = await server.cache.dehydrate()
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=86400', body: 'new' })
  await clock.advance(1_000)
  await cache.purge({ url: '/a' }, { mode: 'hard' })
  for (let n = 0; n < 1_001; n++) await cache.purge({ url: `/other/${n}` }, { mode: 'hard' })
  cache.hydrate(state)
  await cache.settled()
  expect(await text(cache.fetch('/a'))).toBe('new')
})

test('hydrating what memory has byte for byte keeps the reference of json()', async () => {
  const server = harness()
  await server.clock.advance(10_000)
  const here = harness()
  for (const { origin, cache } of [server, here]) {
    origin.serves('/a', { cacheControl: 'max-age=600', json: { a: 1 } })
    await cache.json('/a')
  }
  const before = await here.cache.json('/a')
  here.cache.hydrate(await server.cache.dehydrate())
  await here.cache.settled()
  expect(await here.cache.json('/a')).toBe(before)
})

test('subscribers hear that a response was stored by hydrate()', async () => {
  const server = harness()
  const here = harness()
  server.origin.serves('/a', { cacheControl: 'max-age=600', json: { a: 1 } })
  await server.cache.json('/a')
  const heard: string[] = []
  here.cache.subscribe('/a', ({ type }) => heard.push(type))
  here.cache.hydrate(await server.cache.dehydrate())
  await here.cache.settled()
  expect(here.cache.peek('/a')?.data).toEqual({ a: 1 })
  expect(heard).toEqual(['stored'])
})

test.each([
  ['no-store', { 'cache-control': 'no-store, max-age=60' }],
  ['Vary: *', { 'cache-control': 'max-age=60', vary: '*' }],
])('a hydrated response that must not be stored is not: %s (RFC 9111 §3)', async (_, fields) => {
  const server = harness()
  server.origin.serves('/a', { cacheControl: 'max-age=600', json: { a: 1 } })
  await server.cache.json('/a')
  const state = JSON.parse(JSON.stringify(await server.cache.dehydrate()))
  state.responses[0].stored.headers = Object.entries(fields)
  const here = harness()
  here.cache.hydrate(state)
  await here.cache.settled()
  expect((await here.cache.explain('/a')).candidates).toEqual([])
})
