import { expect, test } from 'vitest'
import type { Locks } from '../../src/ports/locks.ts'
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
  expect(all.every((turn) => turn?.isTakenOver === false)).toBe(true)
  expect(table.held()).toHaveLength(3)
})

test('after lockMs one of those who wait takes it over, and the others wait for that one', async () => {
  const { clock, turnsOf } = world()
  await turnsOf().turn('a', never)
  const got: string[] = []
  for (const name of ['b', 'c', 'd'])
    turnsOf()
      .turn('a', never)
      .then((turn) => got.push(`${name} ${turn?.isTakenOver}`))
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
  expect(turn).toMatchObject({ isTakenOver: false })
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
