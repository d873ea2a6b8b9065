import { expect, test } from 'vitest'
import { shareBody } from '../../src/engine/shared-body.ts'

const ends = { onIdle() {}, onWhole: async (bytes: Uint8Array<ArrayBuffer>) => bytes }
const chunk = (text: string) => new TextEncoder().encode(text)
const text = (stream: ReadableStream<Uint8Array> | undefined) => new Response(stream).text()
const tick = () => new Promise((resolve) => setImmediate(resolve))

/** A stream that the test feeds by hand, and what was asked of it. */
function source() {
  let controller!: ReadableStreamDefaultController<Uint8Array>
  const asked = { pulls: 0, cancelled: undefined as unknown }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given
      },
      pull() {
        asked.pulls++
      },
      cancel(reason) {
        asked.cancelled = reason
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, asked, controller }
}

test('every reader gets the whole body, whenever it comes and however slowly it reads', async () => {
  const { stream, controller } = source()
  const shared = shareBody(stream, 100, ends)
  const early = shared.open()?.stream()
  controller.enqueue(chunk('one '))
  await tick()
  const late = shared.open()?.stream()
  controller.enqueue(chunk('two'))
  controller.close()
  expect(await text(late)).toBe('one two')
  expect(await text(early)).toBe('one two')
  expect(new TextDecoder().decode(await shared.whole)).toBe('one two')
})

test('the body is collected even when nobody reads', async () => {
  const { stream, controller } = source()
  const shared = shareBody(stream, 100, ends)
  shared.open()?.stream()
  controller.enqueue(chunk('unread'))
  controller.close()
  expect((await shared.whole)?.byteLength).toBe(6)
})

test('readers see the end only when what is done with the whole is done', async () => {
  const { stream, controller } = source()
  const order: string[] = []
  const shared = shareBody(stream, 100, {
    ...ends,
    async onWhole(bytes) {
      await tick()
      order.push('stored')
      return bytes
    },
  })
  const reading = text(shared.open()?.stream()).then(() => order.push('read'))
  controller.enqueue(chunk('x'))
  controller.close()
  await reading
  expect(order).toEqual(['stored', 'read'])
})

test('a mutated chunk reaches neither another reader nor the store', async () => {
  const { stream, controller } = source()
  const shared = shareBody(stream, 100, ends)
  const mine = shared.open()?.stream().getReader()
  const other = shared.open()?.stream()
  controller.enqueue(chunk('safe'))
  controller.close()
  const { value } = (await mine?.read()) ?? {}
  value?.fill(0)
  expect(await text(other)).toBe('safe')
  expect(new TextDecoder().decode(await shared.whole)).toBe('safe')
})

test('a failure in the middle reaches every reader, and nothing is whole', async () => {
  const { stream, controller } = source()
  const shared = shareBody(stream, 100, ends)
  const readers = [text(shared.open()?.stream()), text(shared.open()?.stream())]
  controller.enqueue(chunk('half'))
  await tick()
  controller.error(new TypeError('connection reset'))
  for (const reading of readers) await expect(reading).rejects.toThrow('connection reset')
  await expect(shared.whole).rejects.toThrow('connection reset')
})

test('one reader that cancels or aborts changes nothing for the others; the last one ends it', async () => {
  const { stream, controller } = source()
  let idle = 0
  const shared = shareBody(stream, 100, { ...ends, onIdle: () => idle++ })
  const leaving = new AbortController()
  const aborted = text(shared.open(leaving.signal)?.stream())
  const staying = shared.open()?.stream()
  controller.enqueue(chunk('a'))
  await tick()
  leaving.abort(new Error('gone'))
  await expect(aborted).rejects.toThrow('gone')
  expect(idle).toBe(0)
  await staying?.cancel()
  expect(idle).toBe(1)
})

test('beyond the limit nothing is kept, and the source is read only as fast as someone reads', async () => {
  const { stream, controller, asked } = source()
  const shared = shareBody(stream, 8, ends)
  const reader = shared.open()?.stream().getReader()
  controller.enqueue(chunk('12345678'))
  controller.enqueue(chunk('9'))
  await tick()
  expect(await shared.whole).toBeUndefined()
  const pulled = asked.pulls
  await tick()
  expect(asked.pulls).toBe(pulled)
  const seen: string[] = []
  const first = await reader?.read()
  seen.push(new TextDecoder().decode(first?.value))
  controller.enqueue(chunk('0'))
  controller.close()
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true }
    if (done || !value) break
    seen.push(new TextDecoder().decode(value))
  }
  expect(seen.join('')).toBe('1234567890')
  expect(shared.open()).toBeUndefined()
})

test('beyond the limit a reader that holds up another one is let go', async () => {
  const { stream, controller } = source()
  const shared = shareBody(stream, 4, ends)
  const slow = shared.open()?.stream().getReader()
  const fast = shared.open()?.stream().getReader()
  const fastReads = (async () => {
    let size = 0
    for (;;) {
      const { done, value } = (await fast?.read()) ?? { done: true }
      if (done || !value) return size
      size += value.byteLength
    }
  })()
  for (let i = 0; i < 20; i++) {
    controller.enqueue(chunk('12'))
    await tick()
  }
  controller.close()
  expect(await fastReads).toBe(40)
  await expect(
    (async () => {
      for (;;) if ((await slow?.read())?.done) return
    })(),
  ).rejects.toThrow('too far behind')
})

test('what came before a failure is never taken for the whole (RFC 9111 §3.3)', async () => {
  const wholes: number[] = []
  const counted = {
    ...ends,
    async onWhole(bytes: Uint8Array<ArrayBuffer>) {
      wholes.push(bytes.byteLength)
      return bytes
    },
  }
  const { stream, controller } = source()
  const shared = shareBody(stream, 100, counted)
  controller.enqueue(chunk('half'))
  await tick()
  controller.error(new TypeError('connection reset'))
  await expect(shared.whole).rejects.toThrow('connection reset')
  await tick()
  expect(wholes).toEqual([])
})
