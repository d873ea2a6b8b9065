import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCache } from '../../src/index.development.ts'
import { type RawOrigin, rawHead, rawOrigin } from '../support/raw-origin.ts'

// Node's own fetch, and its garbage collector: it ends the body of a response that nobody holds any more, and lets go of its connection.

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** Collects, and lets what is told of it happen. */
async function collected(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

let origin: RawOrigin
beforeEach(async () => {
  origin = await rawOrigin()
})
afterEach(() => origin.close())

/** Has the origin send half of a body, and the other half when it is told to. */
function playHalf(cacheControl: string): () => void {
  let finish = () => {}
  const isTime = new Promise<void>((resolve) => {
    finish = resolve
  })
  origin.plays('/a', async ({ send, end }) => {
    await send(rawHead(200, { 'cache-control': cacheControl, 'content-length': '8' }), 'half')
    await isTime
    await send('half')
    end()
  })
  return () => finish()
}

test.each<[string, RequestInit]>([
  ['no-store', {}],
  ['no-store of its request', { cache: 'no-store' }],
  ['an unsafe method', { method: 'POST' }],
  ['a caller with a signal', { signal: new AbortController().signal }],
])('a response that is passed on keeps its body for as long as its caller holds it: %s', async (_sentence, init) => {
  const cache = createCache({ store: 'memory', base: origin.url })
  const finish = playHalf('no-store')
  const response = await cache.fetch('/a', init)
  await collected()
  finish()
  expect(await response.text()).toBe('halfhalf')
})

test('and so does its clone, when the first one is dropped', async () => {
  const cache = createCache({ store: 'memory', base: origin.url })
  const finish = playHalf('no-store')
  const clone = await (async () => (await cache.fetch('/a')).clone())()
  await collected()
  finish()
  expect(await clone.text()).toBe('halfhalf')
})

test('F-40: a response too large to keep that nobody has read, or has begun to, gives its connection back when it is dropped', async () => {
  const cache = createCache({ store: 'memory', base: origin.url, memory: { maxBytes: 80_000, maxEntryBytes: 10_000 } })
  origin.plays('/a', async ({ send, closed }) => {
    await send(rawHead(200, { 'cache-control': 'max-age=60' }), 'x'.repeat(100_000))
    await closed
  })
  const drop = async () => {
    await cache.fetch('/a')
    await (await cache.fetch('/a', { cache: 'reload' })).body?.getReader().read()
  }
  await drop()
  let closed = 0
  for (const exchange of origin.requests) exchange.closed.then(() => closed++)
  for (let turn = 0; turn < 50 && closed < 2; turn++) await collected()
  expect([origin.requests.length, closed]).toEqual([2, 2])
})

test('F-40: one that is small enough is kept all the same, though it was dropped before its end', async () => {
  const cache = createCache({ store: 'memory', base: origin.url })
  const finish = playHalf('max-age=60')
  await cache.fetch('/a')
  await collected()
  finish()
  await cache.settled()
  expect(await (await cache.fetch('/a')).text()).toBe('halfhalf')
  expect(origin.requests).toHaveLength(1)
})
