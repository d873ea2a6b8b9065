import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LogSelector, PurgeMode, PurgeRecord } from '../../src/http/message.ts'
import { covers, purgeEffect } from '../../src/http/purge-effect.ts'
import { logWith, start, url } from './builders.ts'

const storedAt = (number: number, more: { tags?: string[]; incarnation?: string } = {}) => ({
  url,
  tags: more.tags ?? ['a'],
  epoch: { incarnation: more.incarnation ?? 'one', number },
})

const purge = (
  number: number,
  mode: PurgeMode = 'soft',
  selector: LogSelector = { all: true },
  at = start + number,
): PurgeRecord => ({
  number,
  mode,
  selector,
  at,
})

describe('the purge log', () => {
  test('has no effect when it is empty', () => {
    expect(purgeEffect(storedAt(0), logWith())).toBeUndefined()
  })

  test('affects what was asked for before a purge, not what was asked for after', () => {
    const log = logWith([purge(5)])
    expect(purgeEffect(storedAt(4), log)).toEqual({ mode: 'soft', at: start + 5, number: 5 })
    expect(purgeEffect(storedAt(5), log)).toBeUndefined()
    expect(purgeEffect(storedAt(6), log)).toBeUndefined()
  })

  test('goes by numbers: a clock set back or forward changes nothing', () => {
    expect(purgeEffect(storedAt(4), logWith([purge(5, 'hard', { all: true }, -1)]))).toMatchObject({ mode: 'hard' })
    expect(purgeEffect(storedAt(5), logWith([purge(5, 'hard', { all: true }, start * 2)]))).toBeUndefined()
    expect(purgeEffect(storedAt(4), logWith([purge(5, 'soft', { all: true }, Number.NaN)]))).toMatchObject({
      mode: 'soft',
    })
  })

  test('does not affect what no purge covers', () => {
    expect(
      purgeEffect(
        storedAt(0),
        logWith([purge(1, 'hard', { tags: ['b'] }), purge(2, 'hard', { urls: ['https://b.example/'] })]),
      ),
    ).toBeUndefined()
  })

  test.each([
    [['soft', 'invalidate', 'hard'], 'hard', 3],
    [['hard', 'soft'], 'hard', 1],
    [['invalidate', 'soft'], 'invalidate', 1],
    [['soft', 'invalidate'], 'invalidate', 2],
  ] as ReadonlyArray<[PurgeMode[], PurgeMode, number]>)('of %j the strictest counts', (modes, mode, number) => {
    const log = logWith(modes.map((one, index) => purge(index + 1, one)))
    expect(purgeEffect(storedAt(0), log)).toMatchObject({ mode, number })
  })

  test('of several soft purges the earliest counts, from where the windows run', () => {
    const log = logWith([
      purge(1, 'soft', { all: true }, 50),
      purge(2, 'soft', { all: true }, 40),
      purge(3, 'soft', { all: true }, 60),
    ])
    expect(purgeEffect(storedAt(0), log)).toEqual({ mode: 'soft', at: 40, number: 2 })
    expect(purgeEffect(storedAt(2), log)).toEqual({ mode: 'soft', at: 60, number: 3 })
  })

  test('counts a response of another incarnation as hard purged: what was purged in between is not known', () => {
    expect(purgeEffect(storedAt(9, { incarnation: 'two' }), logWith())).toMatchObject({ mode: 'hard' })
  })

  test('counts a response from before its floor as hard purged', () => {
    const log = logWith([purge(8, 'soft', { tags: ['b'] })], { floor: 5 })
    expect(purgeEffect(storedAt(4), log)).toMatchObject({ mode: 'hard', number: 5 })
    expect(purgeEffect(storedAt(5), log)).toBeUndefined()
  })

  const counted = (purges: readonly PurgeRecord[]) => {
    const told = { looked: 0 }
    const watched = new Proxy(purges, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) told.looked++
        return Reflect.get(target, key)
      },
    })
    return { told, log: { ...logWith(purges), purges: watched } }
  }

  test('is not searched when nothing in it is newer than the response', () => {
    const { told, log } = counted(Array.from({ length: 1000 }, (_, index) => purge(index + 1, 'hard')))
    expect(purgeEffect(storedAt(1000), log)).toBeUndefined()
    expect(told.looked).toBe(0)
  })

  test('is gone through once, by the first read after a purge; the others find by URL and tags what bears on them', () => {
    const { told, log } = counted(
      Array.from({ length: 1000 }, (_, index) =>
        purge(index + 1, 'soft', { tags: [index === 500 ? 'a' : `t${index}`] }),
      ),
    )
    for (let read = 0; read < 100; read++) expect(purgeEffect(storedAt(read), log)).toMatchObject({ number: 501 })
    expect(told.looked).toBe(1000)
  })
})

describe('a selector', () => {
  test.each([
    ['all', { all: true }, true],
    ['its URL', { urls: ['https://a.example/', url] }, true],
    ['its URL with a fragment', { urls: [`${url}#reviews`] }, true],
    ['another URL', { urls: [`${url}?a`] }, false],
    ['no URL', { urls: [] }, false],
    ['one of its tags', { tags: ['b', 'a'] }, true],
    ['another tag', { tags: ['b'] }, false],
    ['a tag in another case', { tags: ['A'] }, false],
    ['another URL and one of its tags', { urls: ['https://a.example/'], tags: ['a'] }, true],
    ['another URL and another tag', { urls: ['https://a.example/'], tags: ['b'] }, false],
    ['a pattern for everything', { pattern: '*' }, true],
    ['a pattern without a star that is its URL', { pattern: url }, true],
    ['a pattern without a star that is a part of its URL', { pattern: 'https://shop.example/products' }, false],
    ['a pattern for its path', { pattern: 'https://shop.example/products/*' }, true],
    ['a pattern for another path', { pattern: 'https://shop.example/cart/*' }, false],
    ['a pattern with a star in between', { pattern: 'https://*/products/*2' }, true],
    ['a pattern with several stars', { pattern: '*shop**prod*/*4*' }, true],
    ['a pattern with another end', { pattern: '*/43' }, false],
    ['a pattern whose parts come in another order', { pattern: '*42*products*' }, false],
    ['a pattern whose parts would overlap', { pattern: 'https://shop.example/products/4*42' }, false],
    ['a pattern with a fragment', { pattern: 'https://shop.example/*#x' }, true],
    ['a pattern with what means something elsewhere', { pattern: 'https://shop.example/products/.2' }, false],
    ['an empty pattern', { pattern: '' }, false],
    ['a group of its origin by its name', { tags: ['g'] }, true],
    ['another group', { tags: ['h'] }, false],
    ['a name out of a prototype', { tags: ['constructor', '__proto__'] }, false],
  ] as ReadonlyArray<[string, LogSelector, boolean]>)('%s', (_sentence, selector, expected) => {
    expect(covers(selector, url, ['a', 'c', 'https://shop.example\0g'])).toBe(expected)
  })

  test('covers a tag called like something in a prototype', () => {
    expect(covers({ tags: ['__proto__'] }, url, ['__proto__'])).toBe(true)
  })

  test('a pattern covers what a regular expression would match', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*'), maxLength: 8 })
    fc.assert(
      fc.property(text, fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 }), (pattern, subject) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(subject)
        expect(covers({ pattern }, subject, [])).toBe(expected)
      }),
    )
  })
})

const mode = fc.constantFrom<PurgeMode>('soft', 'invalidate', 'hard')
const selector = fc.constantFrom<LogSelector>(
  { all: true },
  { tags: ['a'] },
  { tags: ['b'] },
  { urls: [url] },
  { pattern: 'https://*' },
)
const purges = fc
  .array(fc.tuple(mode, selector, fc.integer({ min: 0, max: 100 })), { maxLength: 6 })
  .map((list) => list.map(([one, what, at], index) => purge(index + 1, one, what, at)))
const rank = (effect: ReturnType<typeof purgeEffect>): number =>
  effect ? ['soft', 'invalidate', 'hard'].indexOf(effect.mode) + 1 : 0

describe('laws', () => {
  test('one purge more is never less strict, and never lets the windows count from later', () => {
    fc.assert(
      fc.property(purges, mode, selector, fc.nat(100), fc.nat(7), (before, one, what, at, number) => {
        const log = logWith(before)
        const more = logWith([...before, purge(before.length + 1, one, what, at)])
        const [without, withIt] = [purgeEffect(storedAt(number), log), purgeEffect(storedAt(number), more)]
        expect(rank(withIt)).toBeGreaterThanOrEqual(rank(without))
        if (withIt && without && rank(withIt) === rank(without)) expect(withIt.at).toBeLessThanOrEqual(without.at)
      }),
    )
  })

  test('what was asked for later is affected no more', () => {
    fc.assert(
      fc.property(purges, fc.nat(6), (list, number) => {
        expect(rank(purgeEffect(storedAt(number + 1), logWith(list)))).toBeLessThanOrEqual(
          rank(purgeEffect(storedAt(number), logWith(list))),
        )
      }),
    )
  })

  test('the effect is the strictest of the purges that cover it and came later, found one by one', () => {
    fc.assert(
      fc.property(purges, fc.nat(6), (list, number) => {
        const bearing = list.filter((one) => one.number > number && covers(one.selector, url, ['a']))
        expect(rank(purgeEffect(storedAt(number), logWith(list)))).toBe(
          Math.max(0, ...bearing.map((one) => rank({ ...one }))),
        )
      }),
    )
  })
})
