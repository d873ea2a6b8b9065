import { expect, test } from 'vitest'
import { gatedStore } from './gated-store.ts'
import { harness } from './harness.ts'

test('an abort while the disk is read rejects at once, and the origin is not asked (F-42, R10; Fetch, abort a fetch() call)', async () => {
  const store = gatedStore((point) => (point === 'read' ? new Promise(() => {}) : Promise.resolve()))
  const { cache, origin, clock } = harness({ store })
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'x' })
  const controller = new AbortController()
  let end: unknown
  cache.fetch('/a', { signal: controller.signal }).catch((error: unknown) => {
    end = error
  })
  await clock.settle()
  const reason = new Error('gone')
  controller.abort(reason)
  await clock.settle()
  expect.soft(end).toBe(reason)
  await clock.advance(50)
  expect(end).toBe(reason)
  expect(origin.requests).toHaveLength(0)
})
