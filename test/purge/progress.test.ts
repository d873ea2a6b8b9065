import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LoggedPurge } from '../../src/purge/messages.ts'
import { onGreeting, onPurge, type Progress, START } from '../../src/purge/progress.ts'

const purge = (number: number): LoggedPurge => ({
  number,
  mark: `m${number}`,
  selector: { tag: `t${number}` },
  mode: 'soft',
})
const greeting = (number: number, complete = true) => ({ number, mark: `m${number}`, complete, heartbeatMs: 1 })

describe('a purge', () => {
  test.each([
    [0, 1, 'apply'],
    [3, 4, 'apply'],
    [3, 3, 'nothing'],
    [3, 1, 'nothing'],
    [3, 5, 'ask'],
    [0, 2, 'ask'],
  ])('after %i, number %i: %s', (have, number, step) => {
    expect(onPurge({ number: have }, purge(number))).toMatchObject({ do: step })
  })

  test('that is applied brings its mark along', () => {
    expect(onPurge(START, purge(1))).toMatchObject({ progress: { number: 1, mark: 'm1' } })
  })
})

describe('the first word of a connection', () => {
  test.each([
    ['nothing was missed', 3, greeting(3), 'note'],
    ['what was missed is to come', 3, greeting(5), 'nothing'],
    ['what was missed is not known', 3, greeting(5, false), 'forget'],
    ['the log is another one', 9, greeting(2, false), 'forget'],
    ['nothing was ever purged', 0, greeting(0), 'note'],
  ])('%s', (_sentence, number, said, step) => {
    expect(onGreeting({ number }, said)).toMatchObject({ do: step })
  })
})

test('whatever is dropped, doubled and reordered: each is applied at most once, in order, and none is left out before a later one', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (arriving) => {
      let progress: Progress = START
      const applied: number[] = []
      for (const number of arriving) {
        const step = onPurge(progress, purge(number))
        if (step.do !== 'apply') continue
        applied.push(number)
        progress = step.progress
      }
      expect(applied).toEqual(Array.from({ length: applied.length }, (_, index) => index + 1))
    }),
  )
})
