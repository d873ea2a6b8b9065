import { expect, test } from 'vitest'
import { pageEvents } from '../../src/platform/page-events.ts'

function become(state: 'visible' | 'hidden'): void {
  Object.defineProperty(document, 'visibilityState', { configurable: true, value: state })
  document.dispatchEvent(new Event('visibilitychange'))
}

test('a page that becomes visible, also out of the bfcache, and one that is online again, are told until nobody listens', () => {
  const told: string[] = []
  const over = new AbortController()
  pageEvents.listen((event) => told.push(event), over.signal)
  become('hidden')
  expect([pageEvents.isVisible(), told]).toEqual([false, []])
  become('visible')
  window.dispatchEvent(new Event('online'))
  expect([pageEvents.isVisible(), told]).toEqual([true, ['focus', 'reconnect']])
  over.abort()
  become('visible')
  window.dispatchEvent(new Event('online'))
  expect(told).toHaveLength(2)
})
