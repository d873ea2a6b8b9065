import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogSelector, PurgeLog, PurgeMode, PurgeRecord } from '../../src/http/message.ts'
import { purgeEffect } from '../../src/http/purge-effect.ts'
import { appendPurge, emptyLog, numberIn } from '../../src/http/purge-log.ts'
import { url } from './builders.ts'

type Purge = Omit<PurgeRecord, 'number'>

const purge = (mode: PurgeMode, selector: LogSelector = { all: true }, at = 0): Purge => ({ mode, selector, at })
const logOf = (...purges: Purge[]): PurgeLog => purges.reduce(appendPurge, emptyLog('one'))
const storedAt = (number: number) => ({ url, tags: ['a'], epoch: { incarnation: 'one', number } })

describe('the purge log', () => {
  test('numbers its purges from 1, one after the other', () => {
    const log = logOf(purge('hard', { tags: ['a'] }), purge('hard', { tags: ['b'] }))
    expect(log).toMatchObject({ incarnation: 'one', last: 2, floor: 0 })
    expect(log.purges.map(({ number }) => number)).toEqual([1, 2])
  })

  test('leaves the log that it was given as it was', () => {
    const log = Object.freeze({ ...logOf(purge('hard')), purges: Object.freeze([]) })
    appendPurge(log, purge('hard'))
    expect(log.purges).toEqual([])
  })

  test.each([
    ['an invalidation of the same', ['invalidate', 'invalidate'], [2]],
    ['a soft purge of the same, by an invalidation', ['soft', 'invalidate'], [2]],
    ['anything of the same, by a hard purge', ['soft', 'invalidate', 'hard'], [3]],
  ] as ReadonlyArray<[string, PurgeMode[], number[]]>)(
    'drops what a later purge covers with it: %s',
    (_sentence, modes, numbers) => {
      expect(logOf(...modes.map((mode) => purge(mode))).purges.map(({ number }) => number)).toEqual(numbers)
    },
  )

  test('keeps what is stricter, what is of something else, and soft purges, from whose moment windows count', () => {
    expect(logOf(purge('hard'), purge('invalidate')).purges).toHaveLength(2)
    expect(logOf(purge('hard', { tags: ['a'] }), purge('hard', { tags: ['b'] })).purges).toHaveLength(2)
    expect(logOf(purge('soft'), purge('soft')).purges).toHaveLength(2)
  })

  test('keeps 1,000 records and leaves a floor: what was asked for before it is not used', () => {
    const log = logOf(...Array.from({ length: 1002 }, (_, index) => purge('soft', { tags: [`t${index}`] })))
    expect(log.purges).toHaveLength(1000)
    expect(log).toMatchObject({ last: 1002, floor: 2 })
    expect(purgeEffect(storedAt(1), log)).toMatchObject({ mode: 'hard' })
    expect(purgeEffect(storedAt(2), log)).toBeUndefined()
  })

  test('without its superseded records has the effect that it had with them', () => {
    const any = fc.tuple(
      fc.constantFrom<PurgeMode>('soft', 'invalidate', 'hard'),
      fc.constantFrom<LogSelector>({ all: true }, { tags: ['a'] }, { urls: [url] }, { tags: ['b'] }),
      fc.nat(50),
    )
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), fc.nat(8), (list, number) => {
        const purges = list.map(([mode, selector, at]) => purge(mode, selector, at))
        const whole = {
          ...emptyLog('one'),
          last: list.length,
          purges: purges.map((one, index) => ({ ...one, number: index + 1 })),
        }
        const [compact, expected] = [
          purgeEffect(storedAt(number), logOf(...purges)),
          purgeEffect(storedAt(number), whole),
        ]
        expect(compact?.mode).toBe(expected?.mode)
        if (expected?.mode === 'soft') expect(compact?.at).toBe(expected.at)
      }),
    )
  })
})

describe('the place of an epoch in the log', () => {
  const log: PurgeLog = { ...emptyLog('one'), provisional: ['before'] }

  test.each([
    ['of the same incarnation is its number', { incarnation: 'one', number: 7 }, 7],
    ['of a provisional incarnation is from before the first purge', { incarnation: 'before', number: 7 }, 0],
    ['of another incarnation is not known', { incarnation: 'two', number: 7 }, undefined],
  ])('%s', (_sentence, epoch, expected) => {
    expect(numberIn(log, epoch)).toBe(expected)
  })

  test('where no incarnation is provisional, of another one is not known', () => {
    expect(numberIn(emptyLog('one'), { incarnation: 'two', number: 7 })).toBeUndefined()
  })
})
