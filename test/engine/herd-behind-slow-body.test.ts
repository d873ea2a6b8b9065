import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('a hundred readers who come while a body is under way that has expired meanwhile share one more request (RFC 9111 §4, collapsed requests)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=5', body: 'a slow body' })
  const held = origin.hold('/a', 'body')
  const first = text(cache.fetch('/a'))
  await clock.advance(6_000)
  const rest = Array.from({ length: 100 }, () => text(cache.fetch('/a')))
  await clock.settle()
  const { length } = origin.requests
  held.release()
  await Promise.all([first, ...rest])
  expect(length).toBe(2)
})
