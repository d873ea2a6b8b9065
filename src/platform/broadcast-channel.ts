import type { OpenChannel } from '../ports/channel.ts'

/** A BroadcastChannel, where there is one that may be opened. */
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
          // Closed by the browser, or not cloneable: a hint is lost.
        }
      },
      close: () => channel.close(),
    }
  } catch {
    return undefined
  }
}
