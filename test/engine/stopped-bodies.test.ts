import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

/** A body in three parts, each when it is asked for, without a length (chunked). */
const parts = () => {
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve))
        controller.enqueue(new TextEncoder().encode(['one ', 'two ', 'three'][at++]))
        if (at === 3) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

test.each(['cancel', 'abort'] as const)(
  'what had come when the last reader went (%s) is not stored as if it were the whole (RFC 9111 §3.3, law 6)',
  async (how) => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', () => ({ cacheControl: 'max-age=600', body: parts() }))
    const controller = new AbortController()
    const response = await cache.fetch('/a', { signal: controller.signal })
    const reader = response.body?.getReader()
    await reader?.read()
    if (how === 'cancel') await reader?.cancel()
    else controller.abort()
    await clock.settle()
    await cache.settled()
    expect(await text(cache.fetch('/a'))).toBe('one two three')
  },
)

test('the same with a transport that knows nothing of signals', async () => {
  const { cache, clock } = harness({
    fetch: async () => new Response(parts(), { headers: { 'cache-control': 'max-age=600' } }),
  })
  const reader = (await cache.fetch('/a')).body?.getReader()
  await reader?.read()
  await reader?.cancel()
  await clock.settle()
  await cache.settled()
  expect(await text(cache.fetch('/a'))).toBe('one two three')
})

test.each([
  ['POST', { method: 'POST' }],
  ['no-store', { cache: 'no-store' }],
] as ReadonlyArray<readonly [string, RequestInit]>)(
  'on a signal that lives on no listener is left: %s',
  async (_, init) => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', { cacheControl: 'no-store', body: 'x' })
    const { signal } = new AbortController()
    const listening = new Set<unknown>()
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listening.add(args[1])
      return add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening.delete(args[1])
      return remove(...args)
    }
    for (let n = 0; n < 20; n++) await text(cache.fetch('/a', { signal, ...init }))
    await clock.settle()
    expect(listening.size).toBe(0)
  },
)

test('a body that cannot be stored, of a transport that knows nothing of signals, is cancelled when its reader cancels', async () => {
  let cancelled = false
  const { cache, clock } = harness({
    fetch: async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(10)),
          cancel() {
            cancelled = true
          },
        }),
        { headers: { 'cache-control': 'no-store' } },
      ),
  })
  const response = await cache.fetch('/a', { signal: new AbortController().signal })
  await response.body?.cancel()
  await clock.settle()
  expect(cancelled).toBe(true)
})

test('a body that does not fit its schema is its caller’s affair: nothing is reported as an error that nobody handles', async () => {
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
  const refuses: StandardSchemaV1<unknown, never> = {
    '~standard': { version: 1, vendor: 'test', validate: async () => ({ issues: [{ message: 'no' }] }) },
  }
  const unhandled: unknown[] = []
  const listener = (reason: unknown) => unhandled.push(reason)
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', listener)
  try {
    await expect(cache.json('/a', { schema: refuses })).rejects.toThrow('schema')
    await cache.settled()
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve))
  } finally {
    process.off('unhandledRejection', listener)
    for (const other of others) process.on('unhandledRejection', other)
  }
  expect(unhandled).toEqual([])
})
