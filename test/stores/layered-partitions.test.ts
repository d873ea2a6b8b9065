import { expect, test } from 'vitest'
import type { CacheKey, Store } from '../../src/ports/store.ts'
import { createLayeredStore } from '../../src/stores/layered.ts'
import { createMemoryStore } from '../../src/stores/memory.ts'
import { idsOf, recordOf, responseWith } from './builders.ts'

const KEY: CacheKey = ['k']
const limits = { maxBytes: 1e6, maxEntryBytes: 1e6, onNotice: () => {} }

/** Memory over a disk, in which a user has stored something. */
async function signedIn() {
  const memory = createMemoryStore({ ...limits, incarnation: 'memory' })
  const durable: Store = createMemoryStore({ ...limits, incarnation: 'disk' })
  const layered = createLayeredStore({
    memory,
    durable,
    incarnation: 'memory',
    onNotice() {},
    tell() {},
    onPurged() {},
  })
  const store = layered.open('anna', () => {})
  await layered.enter(0)
  const put = (id: string) => store.update(KEY, () => recordOf(responseWith(id, 10, { epoch: store.epoch() })))
  await put('first')
  const onDisk = async (partition: string) =>
    idsOf((await durable.read([['record', partition, KEY]])).record(partition, KEY))
  return { memory, layered, store, put, onDisk }
}

test.each([['ben'], [''], [undefined]])(
  'who enters %j finds nobody in memory, from the call on (law 5)',
  async (next) => {
    const { memory, layered, store } = await signedIn()
    expect(memory.bytes()).toBeGreaterThan(0)
    layered.open(next, () => {})
    expect([memory.bytes(), memory.records('anna')]).toEqual([0, []])
    expect([store.peek(KEY), [...store.records()], await store.read(KEY)]).toEqual([undefined, [], undefined])
  },
)

test('a partition that was left takes nothing any more, in memory or on disk', async () => {
  const { memory, layered, put, onDisk } = await signedIn()
  layered.open('ben', () => {})
  const late = put('late')
  expect(memory.bytes()).toBe(0)
  await Promise.all([late, layered.enter(0)])
  await put('later')
  expect([memory.bytes(), await onDisk('anna')]).toEqual([0, []])
})

test('the same user is signed in again: what was left is not there, what comes is', async () => {
  const { layered, put, onDisk } = await signedIn()
  layered.open(undefined, () => {})
  const again = layered.open('anna', () => {})
  await put('of the first session')
  expect(again.peek(KEY)).toBeUndefined()
  await again.update(KEY, () => recordOf(responseWith('of the second', 10, { epoch: again.epoch() })))
  expect(await onDisk('anna')).not.toContain('of the first session')
  expect(idsOf(again.peek(KEY))).toEqual(['of the second'])
})

test('an entering that is tried again does not end after a later one: the disk is of who came last', async () => {
  const memory = createMemoryStore({ ...limits, incarnation: 'memory' })
  const disk = createMemoryStore({ ...limits, incarnation: 'disk' })
  let mend = () => {}
  const lost = new Promise<void>((resolve) => {
    mend = resolve
  })
  const entered: string[] = []
  const durable: Store = {
    ...disk,
    async enter(partition) {
      // As a store does whose connection is lost on the way: once more, with a new one.
      if (partition === 'anna') await lost
      entered.push(partition)
      return disk.enter?.(partition) as ReturnType<NonNullable<Store['enter']>>
    },
  }
  const layered = createLayeredStore({
    memory,
    durable,
    incarnation: 'memory',
    onNotice() {},
    tell() {},
    onPurged() {},
  })
  layered.open('anna', () => {})
  const first = layered.enter(0)
  await undefined // it has begun
  layered.open('ben', () => {})
  const second = layered.enter(0)
  await new Promise(setImmediate)
  mend()
  await Promise.all([first, second])
  expect(entered).toEqual(['anna', 'ben'])
  expect((await disk.read([])).partition).toBe('ben')
})

test('an entering that failed does not keep the next one out', async () => {
  const memory = createMemoryStore({ ...limits, incarnation: 'memory' })
  const disk = createMemoryStore({ ...limits, incarnation: 'disk' })
  const enter: Store['enter'] = async (partition) => {
    if (partition === 'anna') throw new DOMException('As the test says', 'UnknownError')
    return disk.enter?.(partition) as ReturnType<NonNullable<Store['enter']>>
  }
  const layered = createLayeredStore({
    memory,
    durable: { ...disk, enter },
    incarnation: 'memory',
    onNotice() {},
    tell() {},
    onPurged() {},
  })
  layered.open('anna', () => {})
  const first = layered.enter(0)
  await undefined // it has begun
  layered.open('ben', () => {})
  const second = layered.enter(0)
  await expect(first).rejects.toThrow('As the test says')
  await second
  expect((await disk.read([])).partition).toBe('ben')
})

test("a caller's own store may be an object whose methods use this", async () => {
  class Disk {
    private readonly disk = createMemoryStore({ ...limits, incarnation: 'disk' })
    read(...given: Parameters<Store['read']>) {
      return this.disk.read(...given)
    }
    update(...given: Parameters<Store['update']>) {
      return this.disk.update(...given)
    }
    enter(partition: string) {
      return this.disk.enter?.(partition) as ReturnType<NonNullable<Store['enter']>>
    }
  }
  const [durable, memory] = [new Disk(), createMemoryStore({ ...limits, incarnation: 'memory' })]
  const layered = createLayeredStore({
    memory,
    durable,
    incarnation: 'memory',
    onNotice() {},
    tell() {},
    onPurged() {},
  })
  layered.open('anna', () => {})
  await layered.enter(0)
  expect((await durable.read([])).partition).toBe('anna')
})

test.each([
  ['earlier than ours: it stays', 9, 20, []],
  ['at the same moment: nobody knows', 10, 20, ['ben']],
  ['later', 11, 20, ['ben']],
  ['earlier, but ours in a time to come: the clock was set back', 5, 6, ['ben']],
])(
  'another context could not tell the disk that it has entered a partition, and was asked to %s',
  async (_, at, now, left) => {
    const { layered } = await signedIn()
    const entered: string[] = []
    const store = layered.open('anna', (partition) => entered.push(partition))
    await layered.enter(10)
    await store.update(KEY, () => recordOf(responseWith('hers', 10, { epoch: store.epoch() })))
    await layered.heedEntered({ partition: 'ben', at, untold: true }, now)
    expect(entered).toEqual(left)
    expect(idsOf(store.peek(KEY))).toEqual(left.length > 0 ? [] : ['hers'])
  },
)
