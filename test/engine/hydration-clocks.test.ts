import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const minute = 60_000

test('what a server rendered whose clock is three seconds ahead of ours is as fresh as its headers say (RFC 9111 §4.2.3)', async () => {
  const server = harness()
  const { cache, origin, clock } = harness({ earlyExpiry: false })
  server.clock.set(clock.now() + 3_000)
  server.origin.serves('/a', { cacheControl: 'max-age=60', body: 'rendered' })
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'asked again' })
  await text(server.cache.fetch('/a'))
  cache.hydrate(JSON.parse(JSON.stringify(await server.cache.dehydrate())))
  await cache.settled()
  expect(await text(cache.fetch('/a'))).toBe('rendered')
})

test('nothing purged comes back with an old page, though the server’s clock is ahead of ours (law 3; DESIGN §6: membership needs no clock)', async () => {
  const server = harness()
  const { cache, origin, clock } = harness()
  server.clock.set(clock.now() + 2 * minute)
  server.origin.serves('/a', { cacheControl: 'max-age=600', body: 'purged' })
  origin.serves('/a', { cacheControl: 'max-age=600', body: 'new' })
  await text(server.cache.fetch('/a'))
  const state = JSON.parse(JSON.stringify(await server.cache.dehydrate()))
  await clock.advance(minute)
  await cache.purge({ url: '/a' }, { mode: 'hard' })
  cache.hydrate(state)
  await cache.settled()
  await clock.advance(2 * minute)
  expect(await text(cache.fetch('/a'))).toBe('new')
})
