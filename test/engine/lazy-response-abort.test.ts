import { afterEach, expect, test } from 'vitest'
import { CachedResponse } from '../../src/engine/cached-response.ts'
import { LazyResponse } from '../../src/engine/lazy-response.ts'
import { harness } from './harness.ts'

// In Node, whoever looks at the fields of a response whose data was read before, and whose caller has gone since (as the cleanup of a component or `req.on('close')` does), must not end the process.

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
afterEach(() => {
  process.off('unhandledRejection', note)
  unhandled.length = 0
})
/** Node tells of a rejection that nobody handles when the microtasks are done. */
const turn = () => new Promise(setImmediate)

const bytes = new TextEncoder().encode('{"a":1}')
const init = { status: 200, statusText: '' }
const facts = { url: 'https://origin.test/a', type: 'basic' } as const

test.each([
  [
    'whole at once',
    (signal: AbortSignal) => new CachedResponse(bytes, { ...init, headers: [['x', '1']] }, facts, signal),
  ],
  [
    'made when somebody looks',
    (signal: AbortSignal) => new LazyResponse(bytes, init, () => [['x', '1']], facts, signal),
  ],
])('an abort after the data was read breaks nothing: %s', async (_, make) => {
  process.on('unhandledRejection', note)
  const caller = new AbortController()
  const response = make(caller.signal)
  expect(await response.json()).toEqual({ a: 1 })
  caller.abort()
  expect(response.headers.get('x')).toBe('1')
  expect(response.bodyUsed).toBe(true)
  await turn()
  expect(unhandled).toEqual([])
})

test('nor by way of cache.fetch()', async () => {
  process.on('unhandledRejection', note)
  const { cache, origin } = harness()
  origin.serves('/a', { cacheControl: 'max-age=60', body: '{"a":1}' })
  await cache.json('/a')
  const caller = new AbortController()
  const response = await cache.fetch('/a', { signal: caller.signal })
  expect(await response.json()).toEqual({ a: 1 })
  caller.abort()
  expect(response.headers.get('age')).toBe('0')
  await turn()
  expect(unhandled).toEqual([])
})
