import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** Past the soft deadline `/a` was answered stale, while the request behind hangs; then the origin is well again. */
async function hungBehind(deadlines = {}) {
  const world = harness({ deadlines })
  const { cache, origin, clock } = world
  origin.serves('/a', { cacheControl: 'max-age=0, stale-if-error=60', body: 'old' })
  await text(cache.fetch('/a'))
  origin.fails('/a', 'hang')
  const stale = text(cache.fetch('/a'))
  await clock.advance(2_000)
  expect(await stale).toBe('old')
  origin.recovers('/a')
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'new' })
  await clock.advance(600_000)
  return world
}

test.each([
  ['without a hard deadline', {}],
  ['with a hard deadline', { hardMs: 10_000 }],
])(
  'settled() comes to its end after a request behind the soft deadline that hangs, %s (RFC 5861 §4)',
  async (_, deadlines) => {
    const { cache, clock } = await hungBehind(deadlines)
    let isSettled = false
    cache.settled().then(() => {
      isSettled = true
    })
    await clock.advance(600_000)
    expect(isSettled).toBe(true)
  },
)

test.each([
  ['without a hard deadline', {}],
  ['with a hard deadline', { hardMs: 10_000 }],
])(
  'one request that hung behind the soft deadline does not keep its key from a healthy origin, %s',
  async (_, deadlines) => {
    const { cache, origin, clock } = await hungBehind(deadlines)
    let body: unknown = 'pending'
    text(cache.fetch('/a')).then(
      (got) => {
        body = got
      },
      (error: unknown) => {
        body = error
      },
    )
    await clock.advance(60_000)
    expect(body).toBe('new')
    expect(origin.requests).toHaveLength(3)
  },
)
