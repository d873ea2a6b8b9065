import type { FeedStream, OpenFeedStream } from '../../src/purge/follower.ts'
import type { PurgeHub } from '../../src/server/index.ts'
import { reading } from '../server/events.ts'

/** What becomes of one message on its way. */
export type Fate = 'arrives' | 'dropped' | 'doubled' | 'held' | 'cut'

/** A network between a follower and hubs. */
export interface UnreliableFeed {
  readonly openStream: OpenFeedStream
  readonly fetch: typeof globalThis.fetch
  /** The node that answers new connections; none: nobody does. */
  hub: PurgeHub | undefined
  /** Draws what becomes of a message. */
  fate: () => Fate
  /** Connections that are open. */
  readonly open: number
  /** Everything asked for, in order. */
  readonly asked: string[]
  /** Ends all connections, as a network does. */
  cut(): void
}

export function unreliableFeed(hub: PurgeHub | undefined): UnreliableFeed {
  const streams = new Set<() => void>()
  const feed = {
    hub,
    fate: (): Fate => 'arrives',
    asked: [] as string[],
    get open() {
      return streams.size
    },
    cut() {
      for (const cut of [...streams]) cut()
    },
    async fetch(input: RequestInfo | URL, init?: RequestInit) {
      feed.asked.push(`json ${new URL(String(input)).search}`)
      if (!feed.hub || feed.fate() === 'cut') throw new TypeError('network')
      return feed.hub.feed(new Request(String(input), init))
    },
    openStream(url: string, on: Parameters<OpenFeedStream>[1]): FeedStream {
      feed.asked.push(`stream ${new URL(url).search}`)
      let isOpen = true
      let cancel = () => {}
      const close = () => {
        isOpen = false
        streams.delete(cut)
        cancel()
      }
      const cut = () => {
        close()
        on.failed()
      }
      streams.add(cut)
      const run = async () => {
        if (!feed.hub) return cut()
        const response = await feed.hub.feed(new Request(url))
        if (!response.ok) return cut()
        const stream = reading(response)
        cancel = () => void stream.cancel().catch(() => {})
        let held: Array<() => void> = []
        while (isOpen) {
          const [event] = await stream.take(1)
          if (!event) break
          const json = JSON.stringify(event.data)
          const tell = () => {
            if (!isOpen) return
            if (event.event === 'position') on.greeting(json)
            if (event.event === 'purge') on.purge(json)
            if (event.event === 'beat') on.beat(json)
          }
          const fate = feed.fate()
          if (fate === 'cut') break
          if (fate === 'held') {
            held.push(tell)
            continue
          }
          if (fate !== 'dropped') tell()
          if (fate === 'doubled') tell()
          for (const late of held) late()
          held = []
        }
        if (isOpen) cut()
      }
      run().catch(() => isOpen && cut())
      return { close }
    },
  }
  return feed
}
