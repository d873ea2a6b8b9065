import { describe, expect, test } from 'vitest'
import { harness } from './harness.ts'

const text = async (response: Promise<Response>) => (await response).text()
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

/** A body that the test feeds by hand, and how much of it was asked for. */
function fed() {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
  })
  return {
    body,
    send: (part: string) => controller.enqueue(new TextEncoder().encode(part)),
    end: () => controller.close(),
  }
}

/** A body of `count` chunks of a hundred bytes, made when they are asked for. */
function counted(count: number) {
  const asked = { chunks: 0 }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (asked.chunks === count) return controller.close()
        asked.chunks++
        controller.enqueue(new Uint8Array(100).fill(asked.chunks))
      },
    },
    { highWaterMark: 0 },
  )
  return { body, asked }
}

describe('a body is handed on while it comes (RFC 9111 §3.3)', () => {
  test('the caller reads its beginning before its end has been sent', async () => {
    const { cache, origin } = harness()
    const { body, send, end } = fed()
    origin.serves('/a', { cacheControl: 'max-age=60', body })
    const response = await cache.fetch('/a')
    const reader = response.body?.getReader()
    send('one ')
    expect(decode((await reader?.read())?.value)).toBe('one ')
    send('two')
    expect(decode((await reader?.read())?.value)).toBe('two')
    end()
    expect((await reader?.read())?.done).toBe(true)
  })

  test('nothing is stored before its end: not a byte less is ever served', async () => {
    const { cache, origin, clock, events } = harness()
    const { body, send, end } = fed()
    origin.serves('/a', { cacheControl: 'max-age=60', body })
    const reading = text(cache.fetch('/a'))
    send('{"half":')
    await clock.settle()
    expect(cache.peek('/a')).toBeUndefined()
    expect(events.some(({ type }) => type === 'stored')).toBe(false)
    send('true}')
    end()
    expect(await reading).toBe('{"half":true}')
    expect(cache.peek('/a')?.data).toEqual({ half: true })
  })

  test('when the caller has seen the end, it is stored: a read that follows needs no origin', async () => {
    const { cache, origin } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', body: `v${seq}` }))
    expect(await text(cache.fetch('/a'))).toBe('v1')
    expect(await text(cache.fetch('/a'))).toBe('v1')
  })

  test('a slow reader and a quick one get the same, and neither waits for the other', async () => {
    const { cache, origin } = harness()
    const { body } = counted(50)
    origin.serves('/a', { cacheControl: 'max-age=60', body })
    const slow = await cache.fetch('/a')
    const quick = await cache.fetch('/a')
    const reader = slow.body?.getReader()
    await reader?.read()
    expect((await quick.arrayBuffer()).byteLength).toBe(5_000)
    let size = 100
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) size += part.value.byteLength
    expect(size).toBe(5_000)
  })

  test('a caller that never reads does not keep the response from being stored', async () => {
    const { cache, origin, clock } = harness()
    origin.serves('/a', ({ seq }) => ({ cacheControl: 'max-age=60', body: `v${seq}` }))
    await cache.fetch('/a')
    await clock.settle()
    expect(await text(cache.fetch('/a'))).toBe('v1')
  })
})

describe('memory is bounded, whoever reads or does not (Response.clone() would keep all of an unread branch)', () => {
  const memory = { maxBytes: 100_000, maxEntryBytes: 1_000 }

  test('a hundred responses that nobody reads: each is fetched as far as one may be kept, and no further', async () => {
    const { cache, origin, clock } = harness({ memory })
    const bodies = Array.from({ length: 100 }, () => counted(1_000))
    origin.serves('/*', ({ path }) => ({ cacheControl: 'max-age=60', body: bodies[Number(path.slice(1))]?.body ?? '' }))
    const responses = await Promise.all(bodies.map((_, index) => cache.fetch(`/${index}`)))
    await clock.settle()
    for (const { asked } of bodies) expect(asked.chunks).toBeLessThanOrEqual(11)
    expect(cache.stats().memoryBytes).toBe(0)
    await Promise.all(responses.map(({ body }) => body?.cancel()))
    await clock.settle()
    expect(origin.requests.every(({ aborted }) => aborted)).toBe(true)
  })

  test('a body too large to keep is read as fast as its reader asks, whole, and not stored', async () => {
    const { cache, origin, clock } = harness({ memory })
    const { body, asked } = counted(1_000)
    origin.serves('/a', { cacheControl: 'max-age=60', body })
    const response = await cache.fetch('/a')
    const reader = response.body?.getReader()
    let size = 0
    for (let parts = 0; parts < 100; parts++) size += (await reader?.read())?.value?.byteLength ?? 0
    await clock.settle()
    expect(asked.chunks).toBeLessThanOrEqual(111)
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) size += part.value.byteLength
    expect(size).toBe(100_000)
    await cache.settled()
    origin.serves('/a', { body: 'anew' })
    expect(await text(cache.fetch('/a'))).toBe('anew')
  })
})

describe('what one caller does to its Response is its own affair (Fetch Standard, Response)', () => {
  const stored = async () => {
    const world = harness()
    world.origin.serves('/a', { cacheControl: 'max-age=60', headers: { 'x-kind': 'good' }, body: 'the body' })
    return world
  }

  test.each(['fetched', 'joined', 'from the store'])('%s: bytes that are overwritten', async (how) => {
    const { cache } = await stored()
    if (how === 'from the store') await text(cache.fetch('/a'))
    const [mine, other] = await Promise.all([cache.fetch('/a'), cache.fetch('/a')])
    const victim = how === 'joined' ? other : mine
    const reader = victim.body?.getReader()
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) part.value.fill(0)
    expect(await (victim === mine ? other : mine).text()).toBe('the body')
    expect(await text(cache.fetch('/a'))).toBe('the body')
  })

  test('an ArrayBuffer that is overwritten or transferred', async () => {
    const { cache } = await stored()
    for (let turn = 0; turn < 3; turn++) {
      const bytes = await (await cache.fetch('/a')).arrayBuffer()
      expect(decode(new Uint8Array(bytes))).toBe('the body')
      new Uint8Array(bytes).fill(0)
      structuredClone(bytes, { transfer: [bytes] })
    }
  })

  test('fields that are set and deleted', async () => {
    const { cache } = await stored()
    const [first, second] = await Promise.all([cache.fetch('/a'), cache.fetch('/a')])
    first.headers.set('x-kind', 'bad')
    first.headers.delete('cache-control')
    expect(second.headers.get('x-kind')).toBe('good')
    await Promise.all([first.text(), second.text()])
    const later = await cache.fetch('/a')
    expect(later.headers.get('x-kind')).toBe('good')
    expect(later.headers.get('cache-control')).toBe('max-age=60')
  })

  test('a body that is read twice fails as with fetch, and a used one cannot be cloned', async () => {
    const { cache } = await stored()
    for (let turn = 0; turn < 2; turn++) {
      const response = await cache.fetch('/a')
      await response.text()
      await expect(response.text()).rejects.toThrow(TypeError)
      expect(() => response.clone()).toThrow(TypeError)
    }
  })

  test('a clone is a response of its own, before and after it was stored', async () => {
    const { cache } = await stored()
    for (let turn = 0; turn < 2; turn++) {
      const response = await cache.fetch('/a')
      const clone = response.clone()
      expect(await response.text()).toBe('the body')
      expect(await clone.text()).toBe('the body')
      expect(clone.url).toBe('https://origin.test/a')
    }
  })
})
