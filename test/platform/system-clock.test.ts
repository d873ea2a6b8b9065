import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/platform/system-clock.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000 })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('is the wall clock and the platform’s timers', async () => {
  expect(systemClock.now()).toBe(1_000)
  let woken = 0
  systemClock.sleep(50).then(() => woken++)
  await vi.advanceTimersByTimeAsync(49)
  expect(woken).toBe(0)
  await vi.advanceTimersByTimeAsync(1)
  expect([woken, systemClock.now()]).toEqual([1, 1_050])
})

test('the steady clock is looked at once for each millisecond of the wall clock, and always by who measures', () => {
  const look = vi.spyOn(performance, 'now').mockReturnValueOnce(10).mockReturnValueOnce(20).mockReturnValueOnce(30)
  const read = (at?: number) => systemClock.monotonic?.(at)
  expect([read(1_000), read(1_000), read(1_001), read(1_001), read()]).toEqual([10, 10, 20, 20, 30])
  expect(look).toHaveBeenCalledTimes(3)
})

test('a sleep ends with its signal, with the reason, and leaves neither timer nor listener behind', async () => {
  const controller = new AbortController()
  const removed = vi.spyOn(controller.signal, 'removeEventListener')
  const first = systemClock.sleep(1_000, controller.signal)
  const second = systemClock.sleep(10, controller.signal)
  await vi.advanceTimersByTimeAsync(10)
  await second
  expect(removed).toHaveBeenCalledOnce()
  controller.abort('reason')
  await expect(first).rejects.toBe('reason')
  expect(vi.getTimerCount()).toBe(0)
  await expect(systemClock.sleep(1_000, controller.signal)).rejects.toBe('reason')
  expect(vi.getTimerCount()).toBe(0)
})

test('a delay beyond what timers can count is long, not none (HTML, timer initialization steps)', async () => {
  const controller = new AbortController()
  let woken = 0
  const ends = [2 ** 31, Number.POSITIVE_INFINITY].map((ms) =>
    systemClock.sleep(ms, controller.signal).then(
      () => woken++,
      () => {},
    ),
  )
  await vi.advanceTimersByTimeAsync(86_400_000)
  expect(woken).toBe(0)
  controller.abort()
  await Promise.all(ends)
})

test('a sleep does not keep Node from exiting', async () => {
  vi.useRealTimers()
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const controller = new AbortController()
  const sleeping = systemClock.sleep(60_000, controller.signal)
  const timer: NodeJS.Timeout | undefined = timers.mock.results[0]?.value
  expect(timer?.hasRef()).toBe(false)
  controller.abort('done')
  await expect(sleeping).rejects.toBe('done')
})

test('a platform whose timers are numbers will do', async () => {
  vi.stubGlobal('setTimeout', (wake: () => void) => {
    queueMicrotask(wake)
    return 1
  })
  try {
    await expect(systemClock.sleep(10)).resolves.toBeUndefined()
  } finally {
    vi.unstubAllGlobals()
  }
})
