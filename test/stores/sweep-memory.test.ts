import { expect, test } from 'vitest'
import type { PurgeMode, StoredResponse } from '../../src/http/message.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Store } from '../../src/ports/store.ts'
import { createLayeredStore } from '../../src/stores/layered.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { virtualClock } from '../../src/testing/index.ts'
// Loaded when it is first needed; here at once, so that no test waits for a file.
import '../../src/stores/sweep-memory.ts'
import { idsOf, recordOf, responseWith } from './builders.ts'

const limits = { maxEntryBytes: 1e9, onNotice: () => {} }

/** Memory, with a disk or without one, in a page that a test lets have nothing to do. */
function page({ durable, maxBytes = 1e9, sleep }: { durable?: Store; maxBytes?: number; sleep?: Clock['sleep'] } = {}) {
  const memory = createMemoryStore({ ...limits, maxBytes, incarnation: 'memory' })
  const waiting: Array<() => void> = []
  const layered = createLayeredStore({
    memory,
    durable,
    incarnation: 'memory',
    idle: () => new Promise((resolve) => waiting.push(resolve)),
    sleep,
    onNotice() {},
    tell() {},
    onPurged() {},
  })
  const store = layered.open('', () => {})
  return {
    memory,
    layered,
    store,
    waiting,
    put: (key: string, ...responses: StoredResponse[]) =>
      store.update([key], () => recordOf(...responses.map((one) => ({ ...one, epoch: store.epoch() })))),
    purge: (url: string, mode: PurgeMode = 'hard') => store.purge({ selector: { urls: [url] }, mode, at: 0 }),
    purgeAll: (mode: PurgeMode = 'hard') => store.purge({ selector: { all: true }, mode, at: 0 }),
    /** There is nothing to do, once for each who waits for it; as often as somebody does. */
    async idles(times = Number.POSITIVE_INFINITY) {
      for (let time = 0; time < times && waiting.length > 0; time++) {
        for (const go of waiting.splice(0)) go()
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      }
    },
  }
}

const at = (path: string, id = path, size = 1_000) => responseWith(id, size, { url: `https://example.test${path}` })

test('a hard purge touches nothing that is held, and memory is given up when there is nothing else to do', async () => {
  const { memory, put, purgeAll, idles, waiting } = page()
  for (let index = 0; index < 10; index++) await put(`/${index}`, at(`/${index}`))
  const before = memory.bytes()
  await purgeAll()
  expect(memory.bytes()).toBe(before)
  expect(waiting).toHaveLength(1)
  await idles()
  expect(memory.bytes()).toBe(0)
})

test.each(['soft', 'invalidate'] as const)(
  'a purge that is %s gives up nothing, and waits for nothing',
  async (mode) => {
    const { memory, put, purgeAll, waiting } = page()
    await put('/a', at('/a'))
    const before = memory.bytes()
    await purgeAll(mode)
    expect([memory.bytes(), waiting.length]).toEqual([before, 0])
  },
)

test('what the purge does not cover stays: other URLs, other responses of the key, and what was asked for since', async () => {
  const { store, put, purge, idles } = page()
  await put('/a', at('/a', 'covered'), at('/b', 'of another URL'))
  await put('/c', at('/c', 'only stale'))
  await purge('https://example.test/c', 'soft')
  await put('/d', at('/d', 'before'))
  await purge('https://example.test/a')
  await purge('https://example.test/d')
  await put('/d', at('/d', 'since'))
  await idles()
  expect(idsOf(store.peek(['/a']))).toEqual(['of another URL'])
  expect(idsOf(store.peek(['/c']))).toEqual(['only stale'])
  expect(idsOf(store.peek(['/d']))).toEqual(['since'])
})

test('much is given up a stride at a time', async () => {
  const { memory, put, purgeAll, idles, waiting } = page()
  for (let index = 0; index < 500; index++) await put(`/${index}`, at(`/${index}`, `${index}`, 10))
  await purgeAll()
  const left: number[] = []
  while (waiting.length > 0) {
    await idles(1)
    left.push(memory.records('').length)
  }
  expect(left).toEqual([300, 100, 0])
})

test('to be looked at is no use: what nobody has read is still the first to be evicted', async () => {
  const { memory, store, put, purge, idles } = page({ maxBytes: 10_000 })
  for (const path of ['/old', '/used', '/gone']) await put(path, at(path))
  store.peek(['/used'])
  await purge('https://example.test/gone')
  await idles()
  for (const path of ['/1', '/2', '/3']) await put(path, at(path))
  expect(memory.records('').map(([[key]]) => key)).not.toContain('/old')
  expect(memory.records('').map(([[key]]) => key)).toContain('/used')
})

test('a purge that comes meanwhile is swept too, by the same sweeping', async () => {
  const { memory, put, purge, idles, waiting } = page()
  for (const path of ['/a', '/b']) await put(path, at(path))
  await purge('https://example.test/a')
  await purge('https://example.test/b')
  expect(waiting).toHaveLength(1)
  await idles()
  expect(memory.bytes()).toBe(0)
})

test('a purge that another context told of gives up memory, too', async () => {
  const { memory, layered, put, idles } = page()
  await put('/a', at('/a'))
  layered.hear([{ purge: { selector: { all: true }, mode: 'hard', at: 0 }, epoch: undefined }], 0)
  await idles()
  expect(memory.bytes()).toBe(0)
})

test('on a disk, what is purged stays purged, and memory is given up', async () => {
  const durable = createMemoryStore({ ...limits, maxBytes: 1e9, incarnation: 'disk' })
  const { memory, store, put, purgeAll, idles } = page({ durable })
  await store.read(['/a'])
  await put('/a', at('/a'))
  expect(await purgeAll()).toMatchObject({ durable: true })
  await idles()
  expect(memory.bytes()).toBe(0)
  expect(store.log()).toMatchObject({ last: 1 })
})

test('who comes to a database in which much was purged has nothing to sweep', async () => {
  const durable = createMemoryStore({ ...limits, maxBytes: 1e9, incarnation: 'disk' })
  await page({ durable }).purgeAll()
  const { store, waiting } = page({ durable })
  await store.read(['/a'])
  expect([store.log().last, waiting.length]).toEqual([1, 0])
})

test('after close() nothing is swept', async () => {
  const { memory, store, put, purgeAll, idles, waiting } = page()
  for (let index = 0; index < 300; index++) await put(`/${index}`, at(`/${index}`, `${index}`, 10))
  await purgeAll()
  await store.close()
  await idles()
  expect([memory.records('').length, waiting.length]).toEqual([300, 0])
})

test('stays for a minute, in which a read can say that it was purged', async () => {
  const clock = virtualClock()
  const { memory, put, purgeAll, idles } = page({ sleep: clock.sleep })
  put('a', at('/a'))
  await purgeAll()
  await clock.advance(59_999)
  await idles()
  expect(memory.bytes()).toBeGreaterThan(0)
  await clock.advance(1)
  await idles()
  expect(memory.bytes()).toBe(0)
})
