import { describe, expect, test } from 'vitest'
import { createJudge } from '../../src/testing/world-judge.ts'

const ROUTE = { path: '/a', cacheControl: 'max-age=30', lifetimeMs: 30_000 }

/** A judge, a moment to set, and one request under way since 0. */
function judged() {
  let at = 0
  const judge = createJudge([ROUTE], () => at, { lockMs: 60_000, softMs: 2_000 })
  judge.sent(1, '/a', 'tab 1')
  return {
    judge,
    go: (to: number) => {
      at = to
    },
  }
}

test('a second request beside the first breaks law 4', () => {
  const { judge, go } = judged()
  go(100)
  judge.arrived(1)
  judge.sent(2, '/a', 'tab 2')
  expect(judge.broken).toHaveLength(1)
})

test('all who waited for what arrived stale may ask for themselves, though its body is still under way (RFC 9111 §4.2)', () => {
  const { judge, go } = judged()
  go(30_000)
  judge.arrived(1)
  judge.sent(2, '/a', 'tab 1')
  judge.sent(3, '/a', 'tab 1')
  expect(judge.broken).toEqual([])
})

test('who has waited for lockMs goes itself, also beside a younger request than that (DESIGN 7)', () => {
  const { judge, go } = judged()
  const waiting = judge.starts('tab 2', '/a')
  judge.ended(1)
  go(30_000)
  judge.sent(2, '/a', 'tab 1')
  go(60_000)
  judge.sent(3, '/a', 'tab 2')
  expect(judge.broken).toEqual([])
  judge.ends(waiting)
  judge.sent(4, '/a', 'tab 2')
  expect(judge.broken).not.toEqual([])
})

test('the waits of a process that has ended count for nothing', () => {
  const { judge, go } = judged()
  judge.starts('tab 2', '/a')
  judge.gone('tab 2')
  go(59_999)
  judge.sent(2, '/a', 'tab 2')
  expect(judge.broken).toHaveLength(1)
})

test('of two who share nothing each may have a request under way, but not two: without locks, or for what may not lie on the disk', () => {
  const offDisk = { ...ROUTE, path: '/b', isOffDisk: true }
  const judge = createJudge([ROUTE, offDisk], () => 0, { lockMs: 60_000, softMs: 2_000 })
  const alone = createJudge([ROUTE], () => 0, { lockMs: 60_000, softMs: 2_000, hasTurns: false })
  for (const [one, path] of [
    [judge, '/b'],
    [alone, '/a'],
  ] as const) {
    one.sent(1, path, 'tab 1')
    one.sent(2, path, 'tab 2')
    expect(one.broken).toEqual([])
    one.sent(3, path, 'tab 2')
    expect(one.broken).toHaveLength(1)
  }
})

describe('users (law 5)', () => {
  /** What is said when somebody gets another one's answer. */
  function shown(to: string, whose: string, isSharedWithNobody = false) {
    const judge = createJudge([ROUTE], () => 0, { lockMs: 60_000, softMs: 2_000, isSharedWithNobody })
    judge.answered(judge.starts('tab 1', '/a', to), { path: '/a', version: 1, seq: 1, user: whose })
    return judge.broken
  }

  test('each gets their own', () => {
    expect([shown('ada', 'ada'), shown('', '')]).toEqual([[], []])
  })

  test('nobody gets what is a user’s, nor one user what is another’s', () => {
    expect([shown('ada', 'bob'), shown('', 'bob'), shown('ada', '')].map((one) => one.length)).toEqual([1, 1, 1])
  })

  test('what a service worker has asked for without saying who is everybody’s', () => {
    expect([shown('ada', '', true), shown('ada', 'bob', true).length]).toEqual([[], 1])
  })
})

describe('a wall clock that is set (FAULTS F-68)', () => {
  /** A response from the start, a clock that is set by so much, and a read of the stored response a moment later. */
  function readAfter(steps: readonly number[], { isBornLater = false, hasLooked = true, atMs = 20_000 } = {}) {
    let at = 0
    const judge = createJudge([ROUTE], () => at, { lockMs: 60_000, softMs: 2_000 })
    judge.begins('tab 1')
    if (hasLooked) judge.ends(judge.starts('tab 1', '/a'))
    judge.sent(1, '/a', 'tab 2')
    judge.made(1, 1)
    judge.ended(1)
    for (const byMs of steps) judge.clockSet(byMs)
    if (isBornLater) judge.begins('tab 1')
    at = atMs
    judge.answered(judge.starts('tab 1', '/a'), { path: '/a', version: 1, seq: 1 })
    return judge.broken.length
  }

  test('far back: who had looked uses nothing from before, who looks or comes later cannot know', () => {
    expect([
      readAfter([-20_000]),
      readAfter([-20_000], { hasLooked: false }),
      readAfter([-20_000], { isBornLater: true }),
    ]).toEqual([1, 0, 0])
  })

  test('forth and back again before anybody looked: as if nothing had been, also for what is looked at first', () => {
    expect([readAfter([3_600_000, -3_600_000]), readAfter([3_600_000, -3_600_000], { atMs: 40_000 })]).toEqual([0, 1])
  })

  test('back and forth again before anybody looked: as if nothing had been', () => {
    expect([readAfter([-20_000, 20_000]), readAfter([-20_000, 20_000], { atMs: 40_000 })]).toEqual([0, 1])
  })

  test('far back, and brought only then: who notices later may use it', () => {
    const judge = createJudge([ROUTE], () => 0, { lockMs: 60_000, softMs: 2_000 })
    judge.ends(judge.starts('tab 1', '/a'))
    judge.clockSet(-20_000)
    judge.sent(1, '/a', 'tab 2')
    judge.made(1, 1)
    judge.ended(1)
    judge.answered(judge.starts('tab 1', '/a'), { path: '/a', version: 1, seq: 1 })
    expect(judge.broken).toEqual([])
  })

  test('far back while it was under way: who has joined it before may have it, and who notices asks beside it', () => {
    const judge = createJudge([ROUTE], () => 0, { lockMs: 60_000, softMs: 2_000 })
    const first = judge.starts('tab 1', '/a')
    judge.sent(1, '/a', 'tab 1')
    judge.made(1, 1)
    judge.arrived(1)
    const joined = judge.starts('tab 1', '/a')
    judge.clockSet(-20_000)
    judge.starts('tab 1', '/a')
    judge.sent(2, '/a', 'tab 1')
    judge.ended(1)
    for (const call of [first, joined]) judge.answered(call, { path: '/a', version: 1, seq: 1 })
    expect(judge.broken).toEqual([])
    judge.answered(judge.starts('tab 1', '/a'), { path: '/a', version: 1, seq: 1 })
    expect(judge.broken).toHaveLength(1)
  })

  test('a little back: by so much it may be older', () => {
    const atMs = 33_000
    expect([readAfter([-4_000], { atMs }), readAfter([], { atMs }), readAfter([4_000], { atMs })]).toEqual([0, 1, 1])
  })

  test('a little back while the disk was read: the answer was decided by the clock of then', () => {
    let at = 0
    const judge = createJudge([ROUTE], () => at, { lockMs: 60_000, softMs: 2_000 })
    judge.sent(1, '/a', 'tab 2')
    judge.made(1, 1)
    judge.ended(1)
    at = 31_000
    const reading = judge.starts('tab 1', '/a')
    judge.clockSet(-4_000)
    judge.answered(reading, { path: '/a', version: 1, seq: 1 })
    expect(judge.broken).toEqual([])
  })
})
