import type { OpenChannel } from '../ports/channel.ts'

/** A BroadcastChannel; `undefined` where there is none, or where it may not be touched (a sandboxed frame). */
export const openBroadcastChannel: OpenChannel = (name, onMessage) => {
  try {
    const channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }) => onMessage(data)
    // In Node an open channel would keep the process alive.
    ;(channel as { unref?(): void }).unref?.()
    return {
      post(message) {
        try {
          channel.postMessage(message)
        } catch {
          // What cannot be cloned, or a channel that was closed.
        }
      },
      close: () => channel.close(),
    }
  } catch {
    return undefined
  }
}
