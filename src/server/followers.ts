import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import { type Greeting, type LoggedPurge, type Position, positionText } from '../purge/messages.ts'
import type { PurgeLogPort } from './purge-log.ts'

export interface FollowersOptions {
  readonly log: PurgeLogPort
  readonly clock: Clock
  readonly heartbeatMs: Ms
}

/** Those who follow a hub's log over server-sent events. */
export interface Followers {
  /** A stream of events from a position on. */
  follow(after: { readonly number: number; readonly mark?: string | undefined } | undefined): ReadableStream<Uint8Array>
  readonly count: number
  close(): void
}

interface Follower {
  position: Position | undefined
  /** Set while it waits for something to be said. */
  say: ((chunk: Uint8Array | undefined) => void) | undefined
  /** Heartbeats during which it took nothing. */
  missed: number
  end(): void
  drop(): void
}

/** A follower that has taken nothing for so many heartbeats is let go; it comes back and catches up. */
const MAX_MISSED = 3

const encoder = new TextEncoder()
const encoded = new WeakMap<LoggedPurge, Uint8Array>()

/**
 * Tells each follower of the purges after its position, at its own speed. There are no queues: one that reads slowly reads the log later; what is told to many at once is encoded once.
 */
export function createFollowers({ log, clock, heartbeatMs }: FollowersOptions): Followers {
  const followers = new Set<Follower>()
  let beating: AbortController | undefined
  let unwatch: (() => void) | undefined

  function onPurges(purges: readonly LoggedPurge[]): void {
    const [first] = purges
    const chunk = eventsOf(purges)
    for (const follower of followers) {
      const { position } = follower
      const isNext = first && position && position.number + 1 === first.number
      // An empty chunk: it looks into the log itself.
      if (say(follower, isNext ? chunk : EMPTY) && isNext) follower.position = purges.at(-1) as LoggedPurge
    }
  }

  async function beat(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(heartbeatMs, signal)
      for (const follower of followers) {
        const chunk = encoder.encode(`event: beat\ndata: ${follower.position?.number ?? 0}\n\n`)
        if (!say(follower, chunk) && ++follower.missed > MAX_MISSED) follower.drop()
      }
    }
  }

  function enter(follower: Follower): void {
    followers.add(follower)
    unwatch ??= log.watch(onPurges)
    if (beating) return
    beating = new AbortController()
    beat(beating.signal).catch(() => {})
  }

  function leave(follower: Follower): void {
    followers.delete(follower)
    say(follower, undefined)
    if (followers.size > 0) return
    beating?.abort()
    beating = undefined
    unwatch?.()
    unwatch = undefined
  }

  /** What there is to say after the follower's position; nothing as long as there is nothing. */
  async function next(follower: Follower, after: Parameters<PurgeLogPort['read']>[0]): Promise<Uint8Array | undefined> {
    for (;;) {
      if (!followers.has(follower)) return undefined
      const isFirst = follower.position === undefined
      // From here on nothing is overlooked: what comes in while the log is read wakes it.
      const heard = new Promise<Uint8Array | undefined>((resolve) => {
        follower.say = resolve
      })
      const slice = await log.read(follower.position ?? after)
      if (!isFirst && slice.complete && slice.purges.length === 0) {
        const chunk = await heard
        if (chunk?.byteLength !== 0) return chunk
        continue
      }
      follower.say = undefined
      const { purges, ...end } = slice
      follower.position = end
      const greeting = isFirst || !end.complete ? greetingOf({ ...end, heartbeatMs }, purges.length === 0) : EMPTY
      return joined(greeting, eventsOf(purges))
    }
  }

  return {
    follow(after) {
      let follower: Follower
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            follower = {
              position: undefined,
              say: undefined,
              missed: 0,
              end() {
                leave(follower)
                try {
                  controller.close()
                } catch {
                  // Its reader has left already.
                }
              },
              drop() {
                leave(follower)
                controller.error(new DOMException('This follower reads too slowly', 'AbortError'))
              },
            }
            enter(follower)
          },
          async pull(controller) {
            follower.missed = 0
            const chunk = await next(follower, after).catch((error: unknown) => {
              leave(follower)
              throw error
            })
            if (chunk && followers.has(follower)) controller.enqueue(chunk)
          },
          cancel: () => leave(follower),
        },
        { highWaterMark: 0 },
      )
    },
    get count() {
      return followers.size
    },
    close() {
      for (const follower of [...followers]) follower.end()
    },
  }
}

const EMPTY = new Uint8Array()

/** Says something to a follower that waits for it. @returns whether it does */
function say(follower: Follower, chunk: Uint8Array | undefined): boolean {
  const { say } = follower
  follower.say = undefined
  say?.(chunk)
  return say !== undefined
}

/** With an id only where nothing follows: a follower whose connection breaks in the midst of what follows must not believe that it has it. */
const greetingOf = (greeting: Greeting, isAll: boolean): Uint8Array =>
  encoder.encode(
    `retry: 3000\n${isAll ? `id: ${positionText(greeting)}\n` : ''}event: position\ndata: ${JSON.stringify(greeting)}\n\n`,
  )

function eventsOf(purges: readonly LoggedPurge[]): Uint8Array {
  const chunks = purges.map((purge) => {
    const known = encoded.get(purge)
    if (known) return known
    const chunk = encoder.encode(`id: ${positionText(purge)}\nevent: purge\ndata: ${JSON.stringify(purge)}\n\n`)
    encoded.set(purge, chunk)
    return chunk
  })
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : joined(...chunks)
}

function joined(...chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
