import { expect, test } from 'vitest'
import { shareBody } from '../../src/engine/shared-body.ts'

test('a body that is stopped is not whole: what had come is not taken for all of it (RFC 9111 §3.3, law 6)', async () => {
  const source = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(3)) })
  const wholes: number[] = []
  const shared = shareBody(source, 100, {
    onIdle() {},
    async onWhole(bytes) {
      wholes.push(bytes.byteLength)
      return bytes
    },
  })
  await new Promise((resolve) => setTimeout(resolve))
  shared.stop(new Error('gone'))
  await expect(shared.whole).rejects.toThrow('gone')
  await new Promise((resolve) => setTimeout(resolve))
  expect(wholes).toEqual([])
})
