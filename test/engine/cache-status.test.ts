import { expect, test } from 'vitest'
import type { CacheOptions } from '../../src/index.ts'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { harness } from './harness.ts'

const FRESH = { cacheControl: 'max-age=60, stale-while-revalidate=60, stale-if-error=600', etag: '"v1"', body: 'x' }

async function stored(age = 0, response: ScriptedResponse = FRESH, options: CacheOptions = {}) {
  const world = harness(options)
  world.origin.serves('/a', response)
  await (await world.cache.fetch('/a')).text()
  await world.clock.advance(age * 1_000)
  return world
}
const statusOf = async (asked: Promise<Response>) => (await asked).headers.get('cache-status')

test('a fresh hit: hit, with the freshness left in seconds (RFC 9211 §2.1, §2.4)', async () => {
  const { cache } = await stored(18)
  expect(await statusOf(cache.fetch('/a'))).toBe('nearcache; hit; ttl=42; detail=fresh')
})

test('a stale hit: hit, with a negative ttl (RFC 9211 §2.4)', async () => {
  const { cache } = await stored(72)
  expect(await statusOf(cache.fetch('/a'))).toBe('nearcache; hit; ttl=-12; detail=stale-while-revalidate')
})

test('a miss says why it went forward, with what status, and that it is being stored (RFC 9211 §2.2 to §2.5)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', FRESH)
  expect(await statusOf(cache.fetch('/a'))).toBe('nearcache; fwd=uri-miss; fwd-status=200; stored; detail=miss')
})

test('what is not stored does not say so', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'no-store' })
  expect(await statusOf(cache.fetch('/a'))).toBe('nearcache; fwd=uri-miss; fwd-status=200; detail=miss')
})

test('another variant (RFC 9211 §2.2)', async () => {
  const { cache } = await stored(0, { ...FRESH, vary: 'accept' })
  expect(await statusOf(cache.fetch('/a', { headers: { accept: 'x/y' } }))).toBe(
    'nearcache; fwd=vary-miss; fwd-status=200; stored; detail=vary-miss',
  )
})

test('a validation is forwarded, and its status is the 304 (RFC 9211 §2.3)', async () => {
  const { cache } = await stored(121)
  expect(await statusOf(cache.fetch('/a'))).toBe('nearcache; fwd=stale; fwd-status=304; ttl=60; detail=validated')
})

test('stale on an error was forwarded, and is no hit (RFC 9211 §2.1)', async () => {
  const { cache, origin } = await stored(130)
  origin.serves('/a', { status: 503 })
  expect(await statusOf(cache.fetch('/a'))).toBe('nearcache; fwd=stale; fwd-status=503; ttl=-70; detail=stale-if-error')
})

test('what the request asked for (RFC 9211 §2.2)', async () => {
  const { cache, origin } = await stored(0, { ...FRESH, etag: '"v2"' })
  origin.serves('/a', { ...FRESH, etag: '"v3"' })
  expect(await statusOf(cache.fetch('/a', { cache: 'no-cache' }))).toBe(
    'nearcache; fwd=request; fwd-status=200; stored; detail=request-directive',
  )
})

test('methods and what the cache leaves alone (RFC 9211 §2.2)', async () => {
  const { cache } = await stored()
  expect(await statusOf(cache.fetch('/a', { method: 'POST' }))).toBe(
    'nearcache; fwd=method; fwd-status=200; detail=method',
  )
  expect(await statusOf(cache.fetch('/a', { cache: 'no-store' }))).toBe(
    'nearcache; fwd=bypass; fwd-status=200; detail=bypass',
  )
})

test('who joined another request says collapsed (RFC 9211 §2.6)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', FRESH)
  const [, second] = await Promise.all([cache.fetch('/a'), cache.fetch('/a')].map(statusOf))
  expect(second).toBe('nearcache; fwd=uri-miss; fwd-status=200; stored; collapsed; detail=collapsed')
})

test('who waited for another request in vain says collapsed=?0 (RFC 9211 §2.6)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'no-store', body: 'x' })
  const [, second] = await Promise.all([cache.fetch('/a'), cache.fetch('/a')].map(statusOf))
  expect(second).toBe('nearcache; fwd=uri-miss; fwd-status=200; collapsed=?0; detail=miss')
})

test('ours is the last member, behind those of caches nearer to the origin, each time only once (RFC 9211 §2)', async () => {
  const { cache } = await stored(0, { ...FRESH, headers: { 'cache-status': '"CDN A"; hit, b; fwd=miss' } })
  for (let read = 0; read < 2; read++)
    expect(await statusOf(cache.fetch('/a'))).toBe('"CDN A"; hit, b; fwd=miss, nearcache; hit; ttl=60; detail=fresh')
})

test('never with the key (RFC 9211 §6), and not at all when it is switched off', async () => {
  const { cache } = await stored(0, FRESH, { cacheStatus: false })
  for (const init of [{}, { cache: 'no-store' }, { method: 'POST' }] as const)
    expect(await statusOf(cache.fetch('/a', init))).toBeNull()
  const other = await stored()
  expect(await statusOf(other.cache.fetch('/a'))).not.toContain('key')
})

test('with it switched off, the members of caches before us stay as they are (RFC 9211 §2)', async () => {
  const { cache } = await stored(0, { ...FRESH, headers: { 'cache-status': 'cdn; hit' } }, { cacheStatus: false })
  expect(await statusOf(cache.fetch('/a'))).toBe('cdn; hit')
})
