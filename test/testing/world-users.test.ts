import { expect, test } from 'vitest'
import type { WorldContext } from '../../src/testing/index.ts'
import { createUsers } from '../../src/testing/world-users.ts'

/** A context in which entering a partition takes until it is said to be done. */
function contextOf(name: string) {
  const done: (() => void)[] = []
  const listeners: ((event: { type: string }) => void)[] = []
  const cache = {
    on: (listener: (event: { type: string }) => void) => listeners.push(listener),
    setPartition: () => new Promise<void>((resolve) => done.push(resolve)),
  }
  const context = { name, cache } as unknown as WorldContext
  return { context, done, isLeft: () => listeners.at(-1)?.({ type: 'partition-left' }) }
}

function signedInOnce() {
  const users = createUsers(['ada', 'bob'], (name) => name === 'worker')
  const [one, two, worker] = [contextOf('tab 1'), contextOf('tab 2'), contextOf('worker')]
  for (const { context } of [one, two, worker]) users.begins(context)
  return { users, one, two, worker }
}

test('the database may be that of whoever signs in, from that moment until somebody else is in, and none of theirs is left', async () => {
  const { users, one } = signedInOnce()
  expect(users.mayBe('ada', users.moment())).toBe(false)
  const ada = users.sign(one.context, 'ada')
  expect(users.mayBe('ada', users.moment())).toBe(true)
  one.done[0]?.()
  await ada
  const before = users.moment()
  const bob = users.sign(one.context, 'bob')
  expect([users.mayBe('ada', users.moment()), users.mayBe('bob', users.moment())]).toEqual([true, true])
  one.done[1]?.()
  await bob
  expect([users.mayBe('ada', users.moment()), users.mayBe('ada', before)]).toEqual([false, true])
})

test('as long as a page of theirs is open they may come back', async () => {
  const { users, one, two } = signedInOnce()
  const both = [users.sign(one.context, 'ada'), users.sign(two.context, 'ada')]
  for (const { done } of [one, two]) done[0]?.()
  await Promise.all(both)
  const bob = users.sign(one.context, 'bob')
  one.done[1]?.()
  await bob
  expect(users.mayBe('ada', users.moment())).toBe(true)
  expect(users.isMixed()).toBe(true)
  users.gone('tab 2')
  expect(users.mayBe('ada', users.moment())).toBe(true)
})

test('a page that has been left is outside until it signs in; a worker never is, and is nobody’s page', () => {
  const { users, one, worker } = signedInOnce()
  one.isLeft()
  worker.isLeft()
  expect([users.isOutside('tab 1'), users.isOutside('worker'), users.of('worker')]).toEqual([true, false, ''])
  users.sign(one.context, 'bob')
  expect([users.isOutside('tab 1'), users.of('tab 1'), users.signedIn()]).toEqual([false, 'bob', 'bob'])
})
