import { expect, test } from 'vitest'
import { quietNotices } from '../../src/observe/quiet-notices.ts'
import type { StoreNotice } from '../../src/ports/store.ts'
import { virtualClock } from '../../src/testing/index.ts'

const failed = (operation: string, name: string): StoreNotice => ({
  type: 'store-failed',
  operation,
  error: new DOMException('', name),
})

test('a disk that is ill for long is told of once a minute, for each kind of failure', async () => {
  const clock = virtualClock()
  const told: StoreNotice[] = []
  const notice = quietNotices(clock, (one) => told.push(one))

  for (let second = 0; second < 60; second++) {
    notice(failed('read', 'TimeoutError'))
    if (second === 30) notice(failed('read', 'QuotaExceededError'))
    await clock.advance(1_000)
  }
  expect(told).toEqual([failed('read', 'TimeoutError'), failed('read', 'QuotaExceededError')])

  notice(failed('read', 'TimeoutError'))
  expect(told).toHaveLength(3)
})

test('everything else is told each time', () => {
  const told: StoreNotice[] = []
  const notice = quietNotices(virtualClock(), (one) => told.push(one))
  const evicted: StoreNotice = { type: 'evicted', partition: '', key: ['a'], bytes: 1, tier: 'disk' }
  notice(evicted)
  notice(evicted)
  expect(told).toEqual([evicted, evicted])
})
