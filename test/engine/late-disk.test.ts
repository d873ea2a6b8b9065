import { describe, expect, test } from 'vitest'
import { gatedStore, hangingStore } from './gated-store.ts'
import { harness, nextPage } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** `/a` lies on a disk whose reads hang until `wake`. */
async function hanging(cacheControl: string) {
  const { store, hang, wake, calls } = hangingStore()
  const first = harness({ store, earlyExpiry: false })
  const { origin, clock } = first
  origin.serves('/a', { cacheControl, body: 'stored' })
  await text(first.cache.fetch('/a'))
  await first.cache.settled()
  hang()
  return { cache: nextPage(first, { store }).cache, origin, clock, wake, calls }
}

const ends = (response: Promise<Response>) => {
  const watched = { is: 'pending' }
  text(response).then(
    (body) => {
      watched.is = body
    },
    (error: Error) => {
      watched.is = error.name
    },
  )
  return watched
}

describe('while the disk hangs the network fails; then the disk answers (DESIGN §4.3)', () => {
  test('with a fresh response: it is served, no permission for errors is needed (RFC 9111 §4)', async () => {
    const { cache, origin, clock, wake } = await hanging('max-age=600')
    origin.serves('/a', { fault: 'network' })
    const read = ends(cache.fetch('/a'))
    await clock.advance(100)
    wake()
    await clock.settle()
    expect(read.is).toBe('stored')
  })

  test.each([500, 502, 503, 504])(
    'the network failed by a %i: stale within the window (RFC 5861 §4)',
    async (status) => {
      const { cache, origin, clock, wake } = await hanging('max-age=0, stale-if-error=600')
      origin.serves('/a', { status, body: 'ill' })
      const read = ends(cache.fetch('/a'))
      await clock.advance(100)
      wake()
      await clock.settle()
      expect(read.is).toBe('stored')
    },
  )

  test('only-if-cached waits for the disk: what it has there is what was asked for (RFC 9111 §5.2.1.7; Fetch, only-if-cached)', async () => {
    const { cache, clock, wake } = await hanging('max-age=600')
    const byDirective = ends(cache.fetch('/a', { headers: { 'cache-control': 'only-if-cached' } }))
    const byMode = ends(cache.fetch('/a', { cache: 'only-if-cached', mode: 'same-origin' }))
    await clock.advance(100)
    wake()
    await clock.settle()
    expect.soft(byMode.is).toBe('stored')
    expect(byDirective.is).toBe('stored')
  })

  test('the origin hangs: softMs is enough to wait for it, once the disk has answered (DESIGN §9)', async () => {
    const { cache, origin, clock, wake } = await hanging('max-age=0, stale-if-error=600')
    origin.serves('/a', { fault: 'hang' })
    const read = ends(cache.fetch('/a'))
    await clock.advance(100)
    wake()
    await clock.advance(60_000)
    expect(read.is).toBe('stored')
  })

  test.each([
    ['TimeoutError', 'stored'],
    ['AbortError', 'AbortError'],
  ])(
    'the origin hangs, and the caller ends it with a %s: a deadline is answered, a caller who has gone is not (DESIGN §9)',
    async (name, outcome) => {
      const { cache, origin, clock, wake } = await hanging('max-age=0, stale-if-error=600')
      origin.serves('/a', { fault: 'hang' })
      const controller = new AbortController()
      const read = ends(cache.fetch('/a', { signal: controller.signal }))
      await clock.advance(100)
      wake()
      await clock.advance(100)
      controller.abort(new DOMException('Over', name))
      await clock.settle()
      expect(read.is).toBe(outcome)
    },
  )
})

test('a request that waits for the disk when close() is called writes nothing after it (close gives back the database)', async () => {
  const { cache, origin, clock, wake, calls } = await hanging('max-age=0')
  origin.serves('/a', { cacheControl: 'max-age=60', body: 'new' })
  const read = ends(cache.fetch('/a'))
  await clock.settle()
  await cache.close()
  calls.length = 0
  wake()
  await clock.advance(1_000)
  expect(read.is).not.toBe('pending')
  expect(calls.filter((point) => point !== 'read')).toEqual([])
})

test('an abort while the disk is read ends what was asked for, whatever the disk has (Fetch, abort a fetch() call)', async () => {
  const { cache, clock, wake } = await hanging('max-age=600')
  const controller = new AbortController()
  const read = ends(cache.fetch('/a', { signal: controller.signal }))
  await clock.settle()
  controller.abort()
  wake()
  await clock.settle()
  expect(read.is).toBe('AbortError')
})

test('a purge on its way to a slow disk: readers of the same moment still share one request (law 4)', async () => {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let isSlow = false
  const store = gatedStore(async (point) => {
    if (isSlow && point === 'before') await gate
  })
  const { cache, origin, clock } = harness({ store })
  origin.serves('/a', { cacheControl: 'max-age=600', body: 'x' })
  await text(cache.fetch('/a'))
  await cache.settled()
  isSlow = true
  const purging = cache.purge({ url: '/a' }, { mode: 'hard' })
  const reads = Promise.all(Array.from({ length: 50 }, () => text(cache.fetch('/a'))))
  await clock.advance(1_000)
  const { length } = origin.requests
  release()
  await Promise.all([purging, reads])
  expect(length).toBe(2)
})

test('a POST is answered though the disk never takes its invalidation (law 6: no failure of storage breaks a page)', async () => {
  let hangs = false
  const store = gatedStore((point) => (hangs && point !== 'read' ? new Promise(() => {}) : Promise.resolve()))
  const { cache, origin, clock } = harness({ store })
  origin.serves('/a', { cacheControl: 'max-age=600', body: 'x' })
  await text(cache.fetch('/a'))
  await cache.settled()
  hangs = true
  const post = ends(cache.fetch('/a', { method: 'POST' }))
  await clock.advance(60_000)
  expect(post.is).toBe('x')
})
