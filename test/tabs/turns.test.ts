import { expect, test } from 'vitest'
import type { Locks } from '../../src/ports/locks.ts'
import type { Turn } from '../../src/ports/tabs.ts'
import { createTurns } from '../../src/tabs/turns.ts'
import { virtualClock } from '../../src/testing/index.ts'
import { virtualLocks } from '../../src/testing/virtual-locks.ts'

const never = new AbortController().signal
function world() {
  const clock = virtualClock()
  const table = virtualLocks()
  const turnsOf = (locks: Locks | undefined = table.of({}, (task) => task())) =>
    createTurns({ name: 'shop', locks, clock, lockMs: 1_000 })
  return { clock, table, turnsOf }
}

test('turns come one after another, in the order in which they were asked for', async () => {
  const { clock, turnsOf } = world()
  const order: string[] = []
  const [one, other] = [turnsOf(), turnsOf()]
  const first = await one.turn('a', never)
  other.turn('a', never).then((turn) => {
    order.push('other')
    turn?.leave()
  })
  await clock.settle()
  order.push('leave')
  first?.leave()
  await clock.settle()
  expect(order).toEqual(['leave', 'other'])
})

test('another name is another turn, and so is another cache', async () => {
  const { turnsOf, clock, table } = world()
  const elsewhere = createTurns({ name: 'blog', locks: table.of({}, (task) => task()), clock, lockMs: 1_000 })
  const all = [await turnsOf().turn('a', never), await turnsOf().turn('b', never), await elsewhere.turn('a', never)]
  expect(all.every((turn) => turn?.isTakenOver() === false)).toBe(true)
  expect(table.held()).toHaveLength(3)
})

test('after lockMs one of those who wait takes it over, and the others wait for that one', async () => {
  const { clock, turnsOf } = world()
  await turnsOf().turn('a', never)
  const got: string[] = []
  for (const name of ['b', 'c', 'd'])
    turnsOf()
      .turn('a', never)
      .then((turn) => got.push(`${name} ${turn?.isTakenOver()}`))
  await clock.advance(999)
  expect(got).toEqual([])
  await clock.advance(1)
  expect(got).toEqual(['b true'])
  await clock.advance(1_000)
  expect(got).toEqual(['b true', 'c true'])
})

test('who comes when the first of several takers has left waits for the last one, which has only begun', async () => {
  const { clock, turnsOf } = world()
  const got: string[] = []
  const taken: (() => void)[] = []
  const ask = (name: string) =>
    turnsOf()
      .turn('a', never)
      .then((turn) => {
        got.push(name)
        taken.push(() => turn?.leave())
      })
  ask('frozen')
  await clock.settle()
  for (const name of ['b', 'c', 'd']) ask(name)
  await clock.advance(2_100)
  expect(got).toEqual(['frozen', 'b', 'c'])
  ask('late')
  taken[1]?.()
  await clock.advance(900)
  expect(got).toEqual(['frozen', 'b', 'c', 'd'])
  await clock.advance(100)
  expect(got).toHaveLength(4)
  await clock.advance(2_000)
  expect(got).toEqual(['frozen', 'b', 'c', 'd', 'late'])
})

test('who need not wait does not: it is free, busy, or there are no locks', async () => {
  const { turnsOf } = world()
  const turn = await turnsOf().turnIfFree('a')
  expect(turn !== 'busy' && turn?.isTakenOver()).toBe(false)
  expect(await turnsOf().turnIfFree('a')).toBe('busy')
  const without = createTurns({ name: 'shop', locks: undefined, clock: virtualClock(), lockMs: 1_000 })
  expect(without.hasTurns).toBe(false)
  expect(await without.turn('a', never)).toBeUndefined()
  expect(await without.turnIfFree('a')).toBeUndefined()
})

test('what cannot be shared is waited for by nobody for 30 seconds', async () => {
  const { clock, turnsOf } = world()
  await turnsOf().turn('a', never)
  const waits = turnsOf()
  const waiting = waits.turn('a', never)
  await clock.settle()
  waits.release(waits.nameOf('a'))
  expect(await waiting).toBeUndefined()
  expect(await waits.turn('a', never)).toBeUndefined()
  await clock.advance(30_000)
  expect(await waits.turnIfFree('a')).toBe('busy')
})

test('the reason of the signal is what is thrown, and the place in the queue is given up', async () => {
  const { clock, turnsOf, table } = world()
  const first = await turnsOf().turn('a', never)
  const gone = new AbortController()
  const waiting = turnsOf().turn('a', gone.signal)
  await clock.settle()
  gone.abort(new Error('away'))
  await expect(waiting).rejects.toThrow('away')
  first?.leave()
  await clock.settle()
  expect(table.held()).toEqual([])
  expect(clock.sleeping).toBe(0)
})

test('who has gone before it asks waits for nobody', async () => {
  const { clock, turnsOf } = world()
  await turnsOf().turn('a', never)
  let said: unknown
  turnsOf()
    .turn('a', AbortSignal.abort(new Error('away')))
    .catch((error: unknown) => {
      said = error
    })
  await clock.settle()
  expect(said).toMatchObject({ message: 'away' })
  expect(clock.sleeping).toBe(0)
})

test('a browser that never grants a lock, nor says no, keeps nobody for longer than two lockMs (FAULTS F-53)', async () => {
  const { clock, turnsOf } = world()
  const turns = turnsOf({ request: () => new Promise(() => {}) })
  let [waited, tried]: unknown[] = ['waits', 'waits']
  turns.turn('a', never).then((turn) => {
    waited = turn
  })
  turns.turnIfFree('b').then((turn) => {
    tried = turn
  })
  await clock.advance(1_000)
  expect(tried).toBeUndefined()
  await clock.advance(1_000)
  expect(waited).toBeUndefined()
  expect(clock.sleeping).toBe(0)
})

test('a page that goes away gives up what it has, and is given nothing while it is away', async () => {
  const { clock, table, turnsOf } = world()
  const [page, other] = [turnsOf(), turnsOf()]
  const mine = await page.turn('a', never)
  const its = other.turn('a', never)
  page.away()
  await clock.settle()
  expect((await its)?.isTakenOver()).toBe(false)
  expect(await page.turnIfFree('b')).toBe('busy')
  mine?.leave()
  ;(await its)?.leave()
  await clock.settle()
  expect(table.held()).toEqual([])
})

test('whoever has the turn after it is told that a request may be under way, for thirty seconds', async () => {
  const { clock, turnsOf } = world()
  const [page, other] = [turnsOf(), turnsOf()]
  await page.turn('a', never)
  const left = page.away()
  expect(left).toHaveLength(1)
  const turn = await other.turn('a', never)
  expect(turn?.isTakenOver()).toBe(false)
  other.leftBy(left[0] as string)
  expect(turn?.isTakenOver()).toBe(true)
  expect((await other.turn('b', never))?.isTakenOver()).toBe(false)
  await clock.advance(30_000)
  expect(turn?.isTakenOver()).toBe(false)
})

test('what a page waits for when it goes away it waits for anew when it is back', async () => {
  const { clock, table, turnsOf } = world()
  const [other, page] = [turnsOf(), turnsOf()]
  const first = await other.turn('a', never)
  let got: unknown = 'waits'
  page.turn('a', never).then((turn) => {
    got = turn
  })
  await clock.settle()
  page.away()
  first?.leave()
  await clock.settle()
  expect([got, table.held()]).toEqual(['waits', []])
  const second = await other.turn('a', never)
  page.back()
  await clock.settle()
  expect(got).toBe('waits')
  second?.leave()
  await clock.settle()
  expect((got as Turn | undefined)?.isTakenOver()).toBe(false)
})

test('a turn that is granted in the moment in which the page goes is left to the others', async () => {
  const { clock, table, turnsOf } = world()
  const tasks: Array<() => void> = []
  const page = turnsOf(table.of({}, (task) => void tasks.push(task)))
  let got: unknown = 'waits'
  page.turn('a', never).then((turn) => {
    got = turn
  })
  page.away()
  for (const task of tasks.splice(0)) task()
  await clock.settle()
  for (const task of tasks.splice(0)) task()
  await clock.settle()
  expect([got, table.held()]).toEqual(['waits', []])
})

test('a page that is away and runs all the same waits for no longer than lockMs, nor for a caller who has gone', async () => {
  const { clock, turnsOf } = world()
  const page = turnsOf()
  page.away()
  let got: unknown = 'waits'
  page.turn('a', never).then((turn) => {
    got = turn
  })
  const gone = new AbortController()
  const aborted = page.turn('b', gone.signal)
  gone.abort(new Error('gone'))
  await expect(aborted).rejects.toThrow('gone')
  await clock.advance(1_000)
  expect(got).toBeUndefined()
  expect(clock.sleeping).toBe(0)
})

test.each([
  [
    'throws',
    () => {
      throw new DOMException('opaque origin', 'SecurityError')
    },
  ],
  ['rejects', () => Promise.reject(new DOMException('not fully active', 'InvalidStateError'))],
] as const)('a browser whose locks API %s has no turns, and nothing fails', async (_, request) => {
  const { turnsOf } = world()
  const locks = { request: async () => request() } as unknown as Locks
  expect(await turnsOf(locks).turn('a', never)).toBeUndefined()
  expect(await turnsOf(locks).turnIfFree('a')).toBeUndefined()
})
