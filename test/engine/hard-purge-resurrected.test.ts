import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('what was hard purged while two readers waited for its validation is never served again, not even when the origin says 304', async () => {
  const { cache, origin, clock } = harness()
  let made = 0
  origin.serves('/a', ({ ifNoneMatch }) => ({
    cacheControl: 'max-age=5',
    etag: '"same"',
    body: `body ${ifNoneMatch === undefined ? ++made : made}`,
  }))
  expect(await text(cache.fetch('/a'))).toBe('body 1')
  await clock.advance(6_000)
  const held = origin.hold('/a')
  const before = [text(cache.fetch('/a')), text(cache.fetch('/a'))]
  await clock.settle()
  await cache.purge({ url: '/a' }, { mode: 'hard' })
  held.release()
  await Promise.all(before)
  const requests = origin.requests.slice(2).map(({ ifNoneMatch }) => ifNoneMatch)
  expect(requests).toEqual([undefined])
  expect(await text(cache.fetch('/a'))).toBe('body 2')
})
