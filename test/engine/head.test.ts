import { expect, test } from 'vitest'
import type { ScriptedResponse } from '../../src/testing/index.ts'
import { causeOf } from './cause-of.ts'
import { harness } from './harness.ts'

async function stored(response: ScriptedResponse = {}, age = 0) {
  const world = harness()
  world.origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: 'four', ...response })
  await (await world.cache.fetch('/a')).text()
  await world.clock.advance(age * 1_000)
  return world
}

test('HEAD is answered from a stored GET: its fields, no content (RFC 9110 §9.3.2, RFC 9111 §4)', async () => {
  const { cache, origin } = await stored({ headers: { 'x-note': 'yes' } }, 5)
  const response = await cache.fetch('/a', { method: 'HEAD' })
  expect(causeOf(response)).toBe('fresh')
  expect(await response.text()).toBe('')
  expect(response.body).toBeNull()
  expect(Object.fromEntries(response.headers)).toMatchObject({
    age: '5',
    etag: '"v1"',
    'x-note': 'yes',
    'content-length': '4',
  })
  expect(origin.requests).toHaveLength(1)
})

test('HEAD stores no body and answers no GET (RFC 9111 §3)', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'four' })
  await cache.fetch('/a', { method: 'HEAD' })
  await cache.settled()
  expect(await (await cache.fetch('/a')).text()).toBe('four')
  expect(origin.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
})

test('HEAD with the stored validators freshens (RFC 9111 §4.3.5)', async () => {
  const { cache, clock, events } = await stored({}, 60)
  await cache.fetch('/a', { method: 'HEAD' })
  await cache.settled()
  await clock.advance(59_000)
  expect((await cache.explain('/a')).cause).toBe('fresh')
  expect(events.filter(({ type }) => type === 'freshened')).toHaveLength(1)
  expect(await (await cache.fetch('/a')).text()).toBe('four')
})

test.each([
  ['another entity tag', { etag: '"v2"', body: 'four' }],
  ['another Last-Modified', { etag: '"v1"', lastModified: 0, body: 'four' }],
  ['another length', { etag: '"v1"', body: 'longer' }],
])('HEAD that shows %s makes what is stored stale (RFC 9111 §4.3.5)', async (_, response: ScriptedResponse) => {
  const { cache, origin } = await stored()
  origin.serves('/a', { cacheControl: 'max-age=60', ...response })
  await cache.fetch('/a', { method: 'HEAD', cache: 'no-cache' })
  await cache.settled()
  expect((await cache.explain('/a')).cause).toBe('expired')
})

test.each([404, 500])('HEAD answered %s says nothing of what is stored (RFC 9111 §4.3.5)', async (status) => {
  const { cache, origin } = await stored()
  origin.serves('HEAD /a', { status })
  await cache.fetch('/a', { method: 'HEAD', cache: 'no-cache' })
  await cache.settled()
  expect((await cache.explain('/a')).cause).toBe('fresh')
})

test('HEAD to a stale response asks without conditions of ours: it needs no content, and a 304 would be none of the caller’s', async () => {
  const { cache, origin } = await stored({}, 60)
  const response = await cache.fetch('/a', { method: 'HEAD' })
  expect(response.status).toBe(200)
  expect(origin.requests[1]?.ifNoneMatch).toBeUndefined()
})

test('lengths of coded content are not compared: what is stored is decoded (RFC 9111 §4.3.5)', async () => {
  const { cache, origin } = await stored({ headers: { 'content-encoding': 'gzip', 'content-length': '2' } })
  origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', headers: { 'content-length': '3' }, body: 'four' })
  await cache.fetch('/a', { method: 'HEAD', cache: 'no-cache' })
  await cache.settled()
  expect((await cache.explain('/a')).cause).toBe('fresh')
})

test('a HEAD that was sent before a purge confirms what was, not what is: purged stays purged (RFC 9111 §4.3.5, FAULTS F-57)', async () => {
  const { cache, origin, clock } = await stored()
  const held = origin.hold('HEAD /a')
  const asking = cache.fetch('/a', { method: 'HEAD', cache: 'no-cache' })
  await clock.settle()
  expect(held.waiting).toBe(1)
  await cache.purge({ url: '/a' })
  held.release()
  await asking
  await cache.settled()
  expect((await cache.explain('/a')).cause).toBe('purged')
})
