import { expect, test } from 'vitest'
import { createSharedDeadline } from '../../src/engine/shared-deadline.ts'
import { virtualClock } from '../../src/testing/index.ts'

const never = new Promise<never>(() => {})

/** Work, and how it is ended. */
function work() {
  let end = () => {}
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  return { done, end }
}

test('what is done before the deadline is in time, well or not, and what is not is late', async () => {
  const clock = virtualClock()
  const isInTime = createSharedDeadline(50, clock)
  const { done, end } = work()
  const said = Promise.all([isInTime(done), isInTime(Promise.reject(new Error('failed'))), isInTime(never)])
  await clock.advance(49)
  end()
  await clock.advance(1)
  expect(await said).toEqual([true, true, false])
})

test('those who begin to wait in one moment share a timer, and those who come later have their own', async () => {
  const clock = virtualClock()
  const isInTime = createSharedDeadline(50, clock)
  const first = Promise.race([isInTime(never), isInTime(never)])
  expect(clock.sleeping).toBe(1)
  await clock.advance(20)
  const later = isInTime(never)
  expect(clock.sleeping).toBe(2)
  await clock.advance(30)
  expect(await first).toBe(false)
  expect(clock.sleeping).toBe(1)
  await clock.advance(20)
  expect(await later).toBe(false)
})

test('the timer ends with the last who waits for it, and not before', async () => {
  const clock = virtualClock()
  const isInTime = createSharedDeadline(50, clock)
  const [one, other] = [work(), work()]
  const said = [isInTime(one.done), isInTime(other.done)]
  one.end()
  await clock.settle()
  expect(clock.sleeping).toBe(1)
  other.end()
  await clock.settle()
  expect(clock.sleeping).toBe(0)
  expect(await Promise.all(said)).toEqual([true, true])
})
