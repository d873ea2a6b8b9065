import { expect, test } from 'vitest'
import { harness } from './harness.ts'

test('json() aborted in the middle of the body rejects with the caller’s reason (Fetch, abort a fetch() call)', async () => {
  const { cache, origin, clock } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { some: 'data' } })
  const held = origin.hold('/a', 'body')
  const controller = new AbortController()
  const reading = cache.json('/a', { signal: controller.signal }).catch((error: unknown) => error)
  await clock.settle()
  const reason = new Error('The caller has gone')
  controller.abort(reason)
  expect(await reading).toBe(reason)
  held.release()
})
