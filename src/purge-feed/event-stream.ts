import type { OpenFeedStream } from '../purge/follower.ts'

/** What is needed of `EventSource`: the platform's, or that of the package `eventsource` in Node. */
interface EventSourceLike {
  addEventListener(type: string, listener: (event: MessageEvent) => void): void
  close(): void
}
export type EventSourceConstructor = new (url: string, init?: { withCredentials?: boolean }) => EventSourceLike

/** Opens a stream with `EventSource`, which is closed at its first failure: when to come back is not left to it. */
export const openEventStream =
  (Source: EventSourceConstructor, withCredentials: boolean): OpenFeedStream =>
  (url, on) => {
    const source = new Source(url, { withCredentials })
    const told =
      (tell: (json: string) => void) =>
      ({ data }: MessageEvent) =>
        tell(String(data))
    source.addEventListener('position', told(on.greeting))
    source.addEventListener('purge', told(on.purge))
    source.addEventListener('beat', told(on.beat))
    source.addEventListener('error', () => {
      source.close()
      on.failed()
    })
    return source
  }
