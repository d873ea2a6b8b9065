import { expect, test } from 'vitest'
import { pageEvents } from '../../src/platform/page-events.ts'

test('where there is no page nothing happens, and nobody looks', () => {
  expect(pageEvents.isVisible()).toBe(false)
  expect(() => pageEvents.listen(() => {}, new AbortController().signal)).not.toThrow()
})
