import { expect, test } from 'vitest'
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
