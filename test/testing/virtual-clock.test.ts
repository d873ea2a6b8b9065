import { IDBFactory } from 'fake-indexeddb'
import { expect, test, vi } from 'vitest'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

test('stands still at the moment it was given, until it is moved', async () => {
  const clock = virtualClock(1_000)
  await clock.settle()
  expect(clock.now()).toBe(1_000)
  await clock.advance(500)
  expect(clock.now()).toBe(1_500)
  expect(new Date(virtualClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z')
})

test('wakes sleeps in the order of their moments, each at its own, and equal ones in the order in which they began', async () => {
  const clock = virtualClock(0)
  const story: string[] = []
  const sleep = (name: string, ms: number) => clock.sleep(ms).then(() => story.push(`${name} at ${clock.now()}`))
  sleep('late', 300)
  sleep('first', 100)
  sleep('second', 100)
  sleep('at the end', 1_000)
  sleep('after the end', 1_001)
  await clock.advance(1_000)
  expect(story).toEqual(['first at 100', 'second at 100', 'late at 300', 'at the end at 1000'])
  expect(clock.sleeping).toBe(1)
})

test('a sleep that begins while time passes still falls due in the same stretch', async () => {
  const clock = virtualClock(0)
  const moments: number[] = []
  const tick = async () => {
    for (let count = 0; count < 5; count++) {
      await clock.sleep(10)
      moments.push(clock.now())
    }
  }
  const ticking = tick()
  await clock.advance(50)
  await ticking
  expect(moments).toEqual([10, 20, 30, 40, 50])
})

test('nothing sleeps through by itself: zero, negative and unreadable delays wait for the next move too', async () => {
  const clock = virtualClock(0)
  const woken: number[] = []
  for (const ms of [0, -5, Number.NaN, Number.POSITIVE_INFINITY]) clock.sleep(ms).then(() => woken.push(ms))
  await clock.settle()
  expect(woken).toEqual([])
  await clock.advance(0)
  expect(woken).toEqual([0, -5, Number.NaN])
  expect(clock.now()).toBe(0)
})

test('a sleep ends with its signal, with the reason, and leaves no timer behind', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  const reason = new Error('enough')
  const sleeping = clock.sleep(1_000, controller.signal)
  expect(clock.sleeping).toBe(1)
  controller.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  expect(clock.sleeping).toBe(0)
  await expect(clock.sleep(1_000, controller.signal)).rejects.toBe(reason)
  expect(clock.sleeping).toBe(0)
})

test('an abort after the end of a sleep changes nothing', async () => {
  const clock = virtualClock()
  const controller = new AbortController()
  const sleeping = clock.sleep(10, controller.signal)
  await clock.advance(10)
  controller.abort()
  await expect(sleeping).resolves.toBeUndefined()
})

test('the wall clock can be set back and forward: no time passes, and sleeps keep their remaining time', async () => {
  const clock = virtualClock(1_000_000)
  let woken = 0
  clock.sleep(100).then(() => woken++)
  clock.set(0)
  await clock.settle()
  expect([clock.now(), woken]).toEqual([0, 0])
  clock.set(9_000_000)
  await clock.advance(99)
  expect([clock.now(), woken]).toEqual([9_000_099, 0])
  await clock.advance(1)
  expect([clock.now(), woken]).toEqual([9_000_100, 1])
})

test('moves that overlap run one after another, and add up', async () => {
  const clock = virtualClock(0)
  await Promise.all([clock.advance(100), clock.advance(50)])
  expect(clock.now()).toBe(150)
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to advance by %s', async (ms) => {
  await expect(virtualClock().advance(ms)).rejects.toThrow(RangeError)
})

test('settling covers promise chains, streams and an IndexedDB in memory', async () => {
  const clock = virtualClock()
  const done: string[] = []
  const chain = async () => {
    for (let link = 0; link < 1_000; link++) await undefined
    done.push('promises')
  }
  chain()
  const source = new ReadableStream({
    pull(controller) {
      controller.enqueue('x')
      controller.close()
    },
  })
  new Response(
    source.pipeThrough(new TransformStream({ transform: (_, controller) => controller.enqueue(new Uint8Array(1)) })),
  )
    .arrayBuffer()
    .then(() => done.push('stream'))
  const opening = new IDBFactory().open('database', 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore('store')
  opening.onsuccess = () => {
    const transaction = opening.result.transaction('store', 'readwrite')
    transaction.objectStore('store').put('value', 'key')
    transaction.objectStore('store').get('key')
    transaction.oncomplete = () => done.push('database')
  }
  await clock.settle()
  expect(done.sort()).toEqual(['database', 'promises', 'stream'])
})

test('goes on when a test runner fakes the timers', async () => {
  vi.useFakeTimers()
  try {
    const clock = virtualClock(0)
    let woken = false
    clock.sleep(10).then(() => {
      woken = true
    })
    await clock.advance(10)
    expect(woken).toBe(true)
  } finally {
    vi.useRealTimers()
  }
})
