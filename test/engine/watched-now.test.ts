import { expect, test } from 'vitest'
import { watchedNow } from '../../src/engine/watched-now.ts'

/** A wall clock that a user may set, and a steady one beside it. */
function clocks(hasSteady: boolean) {
  const at = { wall: 1_000_000, steady: 0 }
  const setBack: number[] = []
  const now = watchedNow(
    {
      now: () => at.wall,
      sleep: async () => {},
      ...(hasSteady && { monotonic: () => at.steady }),
    },
    (moment) => setBack.push(moment),
  )
  return { at, setBack, now }
}

test('set back by more than five seconds is told, once', () => {
  const { at, setBack, now } = clocks(false)
  now()
  at.wall -= 5_000
  expect(now()).toBe(995_000)
  expect(setBack).toEqual([])
  at.wall -= 1
  now()
  now()
  expect(setBack).toEqual([994_999])
})

test('set back while nobody looked is noticed by the steady clock', () => {
  const { at, setBack, now } = clocks(true)
  now()
  at.steady += 60_000
  at.wall += 10_000
  now()
  expect(setBack).toEqual([1_010_000])
})

test('set forward, or asleep, is no reason to disbelieve', () => {
  const { at, setBack, now } = clocks(true)
  now()
  at.wall += 3_600_000
  now()
  at.wall += 1_000
  at.steady += 1_000
  now()
  expect(setBack).toEqual([])
})
