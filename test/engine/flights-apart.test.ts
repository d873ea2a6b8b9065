import { describe, expect, test } from 'vitest'
import type { ReceivedRequest, ScriptedResponse } from '../../src/testing/index.ts'
import { harness } from './harness.ts'
import { pageHarness } from './page-harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** A body without an end. */
const endless = () =>
  new ReadableStream<Uint8Array>(
    { pull: (controller) => controller.enqueue(new Uint8Array(100)) },
    { highWaterMark: 0 },
  )

describe('errors are shared only by requests that are the same (DESIGN §7; Fetch)', () => {
  test('a Request that refuses redirects does not make one fail that follows them (Fetch, redirect mode)', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/old', { redirect: '/new' })
    origin.serves('/new', { cacheControl: 'max-age=60', body: 'new' })
    const held = origin.hold('/old')
    const strict = cache.fetch(new Request('https://origin.test/old', { redirect: 'error' })).catch(() => 'refused')
    const lax = text(cache.fetch('/old'))
    await clock.settle()
    held.release()
    expect(await strict).toBe('refused')
    expect(await lax).toBe('new')
  })

  test('mode same-origin fails alone (Fetch, main fetch, request mode)', async () => {
    const clock = harness().clock
    const world = pageHarness({
      clock,
      fetch: async (input, init) => {
        await clock.sleep(1)
        const request = new Request(input, init)
        if (request.mode === 'same-origin') throw new TypeError('not of this origin')
        return new Response('x', { headers: { 'cache-control': 'max-age=60' } })
      },
    })
    const strict = world.cache.fetch('https://other.test/a', { mode: 'same-origin' }).catch(() => 'refused')
    const lax = text(world.cache.fetch('https://other.test/a')).catch((error: Error) => error.message)
    await clock.advance(10)
    expect(await strict).toBe('refused')
    expect(await lax).toBe('x')
  })

  test('mode same-origin fails across origins whatever is stored (Fetch, main fetch)', async () => {
    const { cache, origin } = pageHarness()
    origin.serves('https://other.test/a', { cacheControl: 'max-age=60', body: 'x' })
    await text(cache.fetch('https://other.test/a'))
    let mode: string | undefined
    const bare = pageHarness({
      fetch: async (input, init) => {
        mode = new Request(input, init).mode
        if (mode === 'same-origin') throw new TypeError('not of this origin')
        return new Response('x', { headers: { 'cache-control': 'max-age=60' } })
      },
    })
    await text(bare.cache.fetch('https://other.test/a'))
    await expect(bare.cache.fetch('https://other.test/a', { mode: 'same-origin' })).rejects.toThrow(TypeError)
  })

  test('a 503 without a body is shared like one with a body: an ill origin is not asked a hundred times', async () => {
    let asked = 0
    const world = harness({
      fetch: async () => {
        asked++
        return new Response(null, { status: 503 })
      },
    })
    await Promise.all(Array.from({ length: 100 }, () => world.cache.fetch('/a')))
    expect(asked).toBe(1)
  })
})

describe('connections are given back (R9)', () => {
  test('the one who asked first goes, and the one who joined cannot use what comes: nobody reads it', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', () => ({ cacheControl: 'no-store', body: endless() }))
    const held = origin.hold('/a')
    const controller = new AbortController()
    const first = cache.fetch('/a', { signal: controller.signal }).catch(() => 'gone')
    const second = cache.fetch('/a')
    await clock.settle()
    controller.abort()
    expect(await first).toBe('gone')
    held.release()
    const response = await second
    await clock.settle()
    expect.soft(origin.requests).toHaveLength(2)
    expect(origin.requests[0]?.aborted).toBe(true)
    await response.body?.cancel()
  })

  test('a source that knows nothing of signals is cancelled when its last reader goes', async () => {
    let cancelled = false
    const { cache, clock } = harness({
      fetch: async () =>
        new Response(
          new ReadableStream({
            async pull(controller) {
              await clock.sleep(1)
              controller.enqueue(new Uint8Array(10))
            },
            cancel() {
              cancelled = true
            },
          }),
          { headers: { 'cache-control': 'max-age=60' } },
        ),
    })
    const response = await cache.fetch('/a')
    await response.body?.cancel()
    await clock.advance(10)
    expect(cancelled).toBe(true)
  })

  test('on a signal that lives on no listener is left (responses that cannot be stored)', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'no-store', body: 'x' })
    const { signal } = new AbortController()
    let listening = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    // What fetch itself adds is its own affair: the origin in memory gets a signal of its own.
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listening++
      return add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening--
      return remove(...args)
    }
    for (let n = 0; n < 20; n++) await text(cache.fetch('/a', { signal }))
    await clock.settle()
    expect(listening).toBe(0)
  })
})

describe('one flight (law 4)', () => {
  test('a response that can be stored ends hit-for-miss: what is asked for then is shared again (Varnish)', async () => {
    const { cache, origin, clock } = harness({ earlyExpiry: false })
    origin.serves('/a', { cacheControl: 'no-store', body: 'first' })
    await text(cache.fetch('/a'))
    origin.serves('/a', { cacheControl: 'max-age=1', body: 'shared' })
    await text(cache.fetch('/a'))
    await clock.advance(2_000)
    const asked = origin.requests.length
    const held = origin.hold('/a')
    const reads = Promise.all(Array.from({ length: 50 }, () => text(cache.fetch('/a'))))
    await clock.settle()
    held.release()
    await reads
    expect(origin.requests).toHaveLength(asked + 1)
  })

  test('the hard deadline is for the whole wait, also of one who waited for another in vain (DESIGN §9)', async () => {
    const { cache, origin, clock } = harness({ deadlines: { hardMs: 1_000 } })
    origin.serves(
      '/a',
      ({ seq }: ReceivedRequest): ScriptedResponse =>
        seq === 1 ? { cacheControl: 'no-store', body: 'x', delayMs: 900 } : { fault: 'hang' },
    )
    const first = text(cache.fetch('/a'))
    let end = 'pending'
    cache.fetch('/a').catch((error: Error) => {
      end = error.name
    })
    await clock.advance(1_100)
    await first
    expect(end).toBe('TimeoutError')
  })
})
