import { expect, test } from 'vitest'
import { readMessage } from '../../src/service-worker/messages.ts'

test.each([
  undefined,
  null,
  'skip-waiting',
  {},
  { type: 'skip-waiting' },
  { nearcache: 2, type: 'skip-waiting' },
  { nearcache: 1, type: 'something of a later version' },
  { nearcache: 1, type: 'refresh' },
  { nearcache: 1, type: 'refresh', requests: 'all' },
])('%o is not a message that is known here', (data) => {
  expect(readMessage(data)).toBeUndefined()
})

test('of a hand-over, what is whole is taken, and not without end', () => {
  const whole = { url: 'https://a.test/', headers: [['accept', 'text/html']], credentials: 'omit' }
  const message = readMessage({
    nearcache: 1,
    type: 'refresh',
    requests: [
      null,
      { url: 1 },
      { url: 'x', headers: [['a']] },
      { ...whole, credentials: 'all' },
      ...Array.from({ length: 100 }, () => whole),
    ],
  })
  expect(message).toMatchObject({ type: 'refresh', requests: Array.from({ length: 50 }, () => whole) })
})
