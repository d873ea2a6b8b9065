import { expect, test } from 'vitest'
import { CacheError, createCache } from '../../src/index.ts'
import { gatedStore } from './gated-store.ts'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()

test('json(): a body that is not JSON over a stored one that is none either is a CacheError with code parse (DESIGN §11)', async () => {
  const { cache, origin, clock } = harness()
  const cacheControl = 'max-age=1, stale-if-error=600'
  origin.serves('/a', { cacheControl, body: 'hello' })
  await text(cache.fetch('/a'))
  await clock.advance(2_000)
  origin.serves('/a', { cacheControl, body: 'hello again' })
  const error = await cache.json('/a').catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(CacheError)
  expect((error as CacheError).code).toBe('parse')
})

test('while the disk is slow to take a response, what is asked for meanwhile is still shared (law 4)', async () => {
  let release = () => {}
  let gate = Promise.resolve()
  const store = gatedStore((point) => (point === 'before' ? gate : Promise.resolve()))
  const { cache, origin, clock } = harness({ store, earlyExpiry: false })
  origin.serves('/a', { cacheControl: 'max-age=1', etag: '"v1"', body: 'x' })
  gate = new Promise((resolve) => {
    release = resolve
  })
  await text(cache.fetch('/a'))
  await clock.advance(2_000)
  const held = origin.hold('/a')
  const reads = Promise.all(Array.from({ length: 50 }, () => text(cache.fetch('/a'))))
  await clock.advance(100)
  const { length } = origin.requests
  held.release()
  release()
  await reads
  expect(length).toBe(2)
})

test('what one user of a server reads with his cookie is not served to another one (wrong user; RFC 9111 §3.5, §7.3)', async () => {
  const { cache, origin } = harness()
  origin.serves('/me', ({ headers }) => ({ cacheControl: 'private, max-age=60', body: `for ${headers.cookie}` }))
  const as = (user: string) => text(cache.fetch('/me', { headers: { cookie: `session=${user}` } }))
  expect(await as('anna')).toBe('for session=anna')
  expect(await as('berta')).toBe('for session=berta')
})

test('subscribers hear of a purge when it is in force, not when the disk has it', async () => {
  let release = () => {}
  let gate = Promise.resolve()
  const store = gatedStore((point) => (point === 'before' ? gate : Promise.resolve()))
  const { cache, origin, clock } = harness({ store })
  origin.serves('/a', { cacheControl: 'max-age=60', json: { a: 1 } })
  await cache.json('/a')
  await cache.settled()
  gate = new Promise((resolve) => {
    release = resolve
  })
  const heard: string[] = []
  cache.subscribe('/a', ({ type }) => heard.push(type))
  const purging = cache.purge({ url: '/a' }, { mode: 'hard' })
  await clock.settle()
  expect.soft(cache.peek('/a')).toBeUndefined()
  expect.soft(heard).toEqual(['purged'])
  release()
  await purging
})

test('close() called twice is done when it is done', async () => {
  let closing = 0
  const inner = gatedStore(async () => {})
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  const { cache, clock } = harness({
    store: {
      ...inner,
      async close() {
        closing++
        await gate
      },
    },
  })
  let isClosed = false
  cache.close()
  cache.close().then(() => {
    isClosed = true
  })
  await clock.settle()
  expect.soft(closing).toBe(1)
  expect(isClosed).toBe(false)
  release()
})

test('after close() fetch is plain fetch: what only a cache understands does not reach it', async () => {
  const inits: unknown[] = []
  const { cache } = harness({
    fetch: async (_, init) => {
      inits.push(init)
      return new Response('x')
    },
  })
  await cache.close()
  await cache.fetch('https://origin.test/a', { nearcache: { tags: ['x'] } })
  expect(inits).toEqual([{}])
})

test('a body under way can be read into buffers of the caller, as fetch’s can (Fetch, body stream is a byte stream)', async () => {
  const { cache } = harness({
    fetch: async () => new Response(new TextEncoder().encode('bytes'), { headers: { 'cache-control': 'max-age=60' } }),
  })
  const read = async () => {
    const reader = (await cache.fetch('/a')).body?.getReader({ mode: 'byob' })
    const { value } = (await reader?.read(new Uint8Array(16))) ?? {}
    await reader?.cancel()
    return new TextDecoder().decode(value)
  }
  expect.soft(await read().catch((error: Error) => error.name)).toBe('bytes')
  await text(cache.fetch('/a'))
  expect(await read()).toBe('bytes')
})

test('a URL that is none is refused as by fetch, with a word on what would make it one', async () => {
  const { cache } = harness({ store: 'memory' })
  await expect(cache.fetch('http://')).rejects.toThrow(new TypeError('"http://" is no URL'))
  const server = createCache({ fetch: async () => new Response() })
  await expect(server.json('/a')).rejects.toThrow(
    new TypeError('"/a" is no URL of its own; where there is no document, createCache({ base }) says where it starts'),
  )
})
