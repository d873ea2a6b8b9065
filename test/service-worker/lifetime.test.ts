import { expect, test } from 'vitest'
import { inTime, lifetime, unlessHeldUp } from '../../src/service-worker/lifetime.ts'
import { virtualClock } from '../../src/testing/index.ts'

const never = new Promise<never>(() => {})

test('a lifetime promise settles with its work, well or not, or at its deadline', async () => {
  const clock = virtualClock()
  expect(await lifetime(Promise.resolve(), 10, clock)).toBe(true)
  expect(await lifetime(Promise.reject(new Error('lost')), 10, clock)).toBe(true)
  const late = lifetime(never, 10, clock)
  await clock.advance(10)
  expect(await late).toBe(false)
})

test('what must be done in time has failed at its deadline', async () => {
  const clock = virtualClock()
  expect(await inTime(Promise.resolve(1), 10, clock)).toBe(1)
  const late = inTime(never, 10, clock).catch((error: unknown) => error)
  await clock.advance(10)
  expect(await late).toMatchObject({ name: 'TimeoutError' })
})

test('an answer is waited for until an update is held up, and its own error is passed on', async () => {
  const clock = virtualClock()
  expect(await unlessHeldUp(Promise.resolve(1), 10, clock, () => true)).toBe(1)
  await expect(unlessHeldUp(Promise.reject(new TypeError('lost')), 10, clock, () => true)).rejects.toThrow('lost')
  let isHeldUp = false
  const waiting = unlessHeldUp(never, 10, clock, () => isHeldUp).catch((error: unknown) => error)
  await clock.advance(100)
  isHeldUp = true
  await clock.advance(10)
  expect(await waiting).toBeInstanceOf(TypeError)
})
