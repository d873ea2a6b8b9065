import { expect, test } from 'vitest'
import type { Stage } from '../../src/ports/lifecycle.ts'
import type { Locks } from '../../src/ports/locks.ts'
import type { Hint } from '../../src/ports/tabs.ts'
import { createTabs } from '../../src/tabs/tabs.ts'
import { virtualClock } from '../../src/testing/index.ts'
import { virtualLocks } from '../../src/testing/virtual-locks.ts'

/** One context, its channel and its page in the test's hand. */
function context(locks?: Locks) {
  const clock = virtualClock()
  const sent: unknown[] = []
  const heard: Hint[] = []
  const missed: string[] = []
  const page = new Set<(stage: Stage) => void>()
  let deliver: ((message: unknown) => void) | undefined
  const tabs = createTabs({
    name: 'shop',
    locks,
    lockMs: 1_000,
    clock,
    openChannel(_, onMessage) {
      deliver = onMessage
      return {
        post: (message) => sent.push(message),
        close: () => {
          deliver = undefined
        },
      }
    },
    watchLifecycle(listener) {
      page.add(listener)
      return () => page.delete(listener)
    },
    hear: (hints) => heard.push(...hints),
    missed: (stage) => missed.push(stage),
  })
  return {
    tabs,
    clock,
    sent,
    heard,
    missed,
    page,
    stage: (stage: Stage) => [...page].forEach((listener) => void listener(stage)),
    isOpen: () => deliver !== undefined,
    receive: (message: unknown) => deliver?.(message),
  }
}
const look: Hint = { kind: 'look' }
const stored = (key: string): Hint => ({ kind: 'stored', partition: '', key: [key] })

test('nothing is touched before the first use, which itself goes first', async () => {
  const { isOpen, page, tabs } = context()
  tabs.join()
  tabs.join()
  expect([isOpen(), page.size]).toEqual([false, 0])
  await Promise.resolve()
  expect([isOpen(), page.size]).toEqual([true, 1])
})

test('what is told in one tick is one message, each thing once', async () => {
  const { tabs, sent } = context()
  for (const hint of [look, stored('a'), look, stored('b'), stored('a')]) tabs.tell(hint)
  expect(sent).toEqual([])
  await Promise.resolve()
  expect(sent).toEqual([{ nearcache: 1, hints: [look, stored('a'), stored('b')] }])
})

test('a page that is hidden away closes its channel, and says first what it has to say (FAULTS F-50)', () => {
  const { tabs, sent, stage, isOpen } = context()
  tabs.tell(look)
  stage('hidden')
  expect(sent).toHaveLength(1)
  expect(isOpen()).toBe(false)
})

test('back again it hears anew, and knows that it may have missed something', async () => {
  const { tabs, stage, isOpen, missed, receive, heard } = context()
  tabs.join()
  await Promise.resolve()
  stage('hidden')
  stage('restored')
  expect(isOpen()).toBe(true)
  receive({ nearcache: 1, hints: [look] })
  expect(heard).toEqual([look])
  stage('shown')
  expect(missed).toEqual(['restored', 'shown'])
})

test.each(['restored', 'shown'] as const)('away it leaves its turns to the others, until it is %s', async (stage) => {
  const table = virtualLocks()
  const one = context(table.of({}, (task) => task()))
  one.tabs.join()
  const never = new AbortController().signal
  await one.tabs.turn('a', never)
  const [lock] = table.held()
  one.stage('hidden')
  expect(one.sent).toEqual([{ nearcache: 1, hints: [{ kind: 'left', turn: lock }] }])
  await one.clock.settle()
  expect(table.held()).toEqual([])
  one.stage(stage)
  expect((await one.tabs.turn('a', never))?.isTakenOver()).toBe(false)
})

test('of a message of another version, or of anybody else, nothing is heard', async () => {
  const { tabs, heard, receive } = context()
  tabs.join()
  await Promise.resolve()
  for (const junk of [
    undefined,
    'look',
    { nearcache: 2, hints: [look] },
    { hints: [look] },
    { nearcache: 1, hints: look },
  ])
    receive(junk)
  const odd = [
    { kind: 'new' },
    { kind: 'stored', partition: '', key: 'a' },
    { ...look, at: 'soon' },
    { ...look, untold: 1 },
  ]
  receive({ nearcache: 1, hints: [...odd, stored('a')] })
  expect(heard).toEqual([stored('a')])
})

test('closed, it neither tells nor hears', async () => {
  const { tabs, sent, isOpen, page } = context()
  tabs.join()
  tabs.close()
  tabs.tell(look)
  tabs.join()
  await Promise.resolve()
  expect([sent.length, isOpen(), page.size]).toEqual([0, false, 0])
})
