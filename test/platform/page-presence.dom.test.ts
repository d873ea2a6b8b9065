import { afterEach, expect, test, vi } from 'vitest'
import { pagePresence } from '../../src/platform/page-presence.ts'

afterEach(() => vi.restoreAllMocks())

test('a page is visible, hidden, or gone, and tells when that changes', () => {
  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible')
  const presence = pagePresence()
  const seen: string[] = []
  const end = presence.onChange(() => seen.push(presence.state()))
  visibility.mockReturnValue('hidden')
  document.dispatchEvent(new Event('visibilitychange'))
  window.dispatchEvent(new Event('pagehide'))
  window.dispatchEvent(new Event('pageshow'))
  visibility.mockReturnValue('visible')
  document.dispatchEvent(new Event('visibilitychange'))
  document.dispatchEvent(new Event('freeze'))
  document.dispatchEvent(new Event('resume'))
  expect(seen).toEqual(['hidden', 'gone', 'hidden', 'visible', 'gone', 'visible'])
  end()
  window.dispatchEvent(new Event('pagehide'))
  expect(seen).toHaveLength(6)
})
