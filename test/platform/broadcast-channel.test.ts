import { expect, test, vi } from 'vitest'
import { openBroadcastChannel } from '../../src/platform/broadcast-channel.ts'

test('a hint that cannot be cloned, or comes when the channel is closed, is lost, and breaks nothing (HTML, BroadcastChannel)', () => {
  const channel = openBroadcastChannel('test', () => {})
  expect(channel).toBeDefined()
  channel?.post(() => {})
  channel?.close()
  channel?.post({})
})

test('where there is no channel, or none may be opened, nobody is told', () => {
  vi.stubGlobal('BroadcastChannel', undefined)
  expect(openBroadcastChannel('test', () => {})).toBeUndefined()
  const refusing = () => {
    throw new DOMException('The frame is sandboxed', 'SecurityError')
  }
  vi.stubGlobal(
    'BroadcastChannel',
    class {
      constructor() {
        refusing()
      }
    },
  )
  expect(openBroadcastChannel('test', () => {})).toBeUndefined()
  vi.unstubAllGlobals()
})
