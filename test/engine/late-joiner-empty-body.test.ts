import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const KIB = 1_024
const piecesOf = (size: number) => {
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(new Uint8Array(100).fill(46))
        at += 100
        if (at >= size) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

test('who joins a body just before it grows too large to keep gets it whole or fails, never an empty one', async () => {
  for (let jobs = 0; jobs < 200; jobs++) {
    const { cache, origin } = harness({ memory: { maxBytes: 8 * KIB, maxEntryBytes: KIB } })
    origin.serves('/a', () => ({ cacheControl: 'max-age=60', body: piecesOf(3_000) }))
    const first = (async () => (await cache.fetch('/a')).text())()
    for (let job = 0; job < jobs; job++) await Promise.resolve()
    const second = (async () => (await cache.fetch('/a')).text())().catch((error: unknown) => error)
    await first
    const body = await second
    expect(body instanceof TypeError ? 3_000 : String(body).length, `after ${jobs} promise jobs`).toBe(3_000)
  }
})
