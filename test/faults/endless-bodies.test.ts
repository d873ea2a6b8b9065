import { expect, test } from 'vitest'
import { harness } from '../engine/harness.ts'

const MIB = 2 ** 20
const CHUNK = 64 * 1024

/** A body without an end, and how much of it has been made. */
function endless() {
  const made = { bytes: 0 }
  const body = () =>
    new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          made.bytes += CHUNK
          controller.enqueue(new Uint8Array(CHUNK))
        },
      },
      { highWaterMark: 0 },
    )
  return { made, body }
}

test('F-36: a body without an end passes through with no more held than one response may take, and is not stored', async () => {
  const { made, body } = endless()
  const { cache, origin } = harness({ memory: { maxBytes: 8 * MIB, maxEntryBytes: MIB } })
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', headers: { 'content-length': '1e12' }, body: body() }))
  const reader = (await cache.fetch('/a')).body?.getReader()
  let read = 0
  let held = 0
  while (read < 64 * MIB) {
    read += (await reader?.read())?.value?.byteLength ?? 0
    held = Math.max(held, made.bytes - read)
  }
  expect(held).toBeLessThanOrEqual(MIB + 4 * CHUNK)
  expect(cache.stats().memoryBytes).toBe(0)
  await reader?.cancel()
  await cache.settled()
  expect(origin.requests[0]?.aborted).toBe(true)
  expect((await cache.explain('/a')).candidates).toEqual([])
})

test('F-36: nobody reads: what is fetched ends at what one response may take', async () => {
  const { made, body } = endless()
  const { cache, origin, clock } = harness({ memory: { maxBytes: 8 * MIB, maxEntryBytes: MIB } })
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', body: body() }))
  const response = await cache.fetch('/a')
  for (let turn = 0; turn < 20; turn++) await clock.settle()
  expect(made.bytes).toBeGreaterThanOrEqual(MIB)
  expect(made.bytes).toBeLessThanOrEqual(MIB + 4 * CHUNK)
  await response.body?.cancel()
})

test('F-36: of two readers the one that lies too far behind fails, and the other goes on (no memory without bound)', async () => {
  const { made, body } = endless()
  const { cache, origin } = harness({ memory: { maxBytes: 8 * MIB, maxEntryBytes: MIB } })
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', body: body() }))
  const [fast, slow] = await Promise.all([cache.fetch('/a'), cache.fetch('/a')])
  const reader = fast?.body?.getReader()
  let read = 0
  while (read < 16 * MIB) read += (await reader?.read())?.value?.byteLength ?? 0
  expect(made.bytes - read).toBeLessThanOrEqual(MIB + 4 * CHUNK)
  await expect(slow?.text()).rejects.toThrow(TypeError)
  await reader?.cancel()
})

test('F-36: the good response stays while one without an end passes by', async () => {
  const { body } = endless()
  const { cache, origin, clock } = harness({ memory: { maxBytes: 8 * MIB, maxEntryBytes: MIB } })
  origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: 'good' })
  await (await cache.fetch('/a')).text()
  await clock.advance(60_000)
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', body: body() }))
  const reader = (await cache.fetch('/a')).body?.getReader()
  for (let turn = 0; turn < 40; turn++) await reader?.read()
  await reader?.cancel()
  await cache.settled()
  origin.serves('/a', { cacheControl: 'max-age=60', etag: '"v1"', body: 'good' })
  expect(await (await cache.fetch('/a')).text()).toBe('good')
  expect(origin.requests[2]?.ifNoneMatch).toBe('"v1"')
})

test('F-36: a gigabyte passes by, never more of it held than one response may take', async () => {
  const chunk = new Uint8Array(4 * MIB)
  let made = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        made += chunk.byteLength
        controller.enqueue(chunk)
        if (made === 1024 * MIB) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const { cache, origin } = harness({ memory: { maxBytes: 64 * MIB, maxEntryBytes: 8 * MIB } })
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', body }))
  const reader = (await cache.fetch('/a')).body?.getReader()
  let read = 0
  let held = 0
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    read += part.value.byteLength
    held = Math.max(held, made - read)
  }
  expect(read).toBe(1024 * MIB)
  expect(held).toBeLessThanOrEqual((8 + 4 * 4) * MIB)
  expect(cache.stats().memoryBytes).toBe(0)
}, 120_000)

test('F-79: a hundred megabytes of JSON are parsed for the caller who asks for data, and pass as bytes for whoever does not; no cache holds them', async () => {
  const piece = new TextEncoder().encode('x'.repeat(MIB))
  const json = () => {
    let pieces = 0
    return new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (pieces === 0) controller.enqueue(new TextEncoder().encode('["'))
          if (pieces < 100) controller.enqueue(piece)
          if (pieces++ < 100) return
          controller.enqueue(new TextEncoder().encode('"]'))
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
  }
  const { cache, origin } = harness({ memory: { maxBytes: 8 * MIB, maxEntryBytes: MIB } })
  const headers = { 'content-type': 'application/json' }
  origin.serves('/a', () => ({ cacheControl: 'max-age=60', headers, body: json() }))
  const data = await cache.json<[string]>('/a')
  expect([data.length, data[0].length, data[0].endsWith('x')]).toEqual([1, 100 * MIB, true])
  const response = await cache.fetch('/a')
  expect((await response.arrayBuffer()).byteLength).toBe(100 * MIB + 4)
  expect(cache.stats().memoryBytes).toBe(0)
  expect(origin.requests).toHaveLength(2)
}, 120_000)
