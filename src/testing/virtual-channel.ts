import type { Ms } from '../http/message.ts'
import type { OpenChannel } from '../ports/channel.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { Deliver } from './virtual-locks.ts'

/** What may befall a message. Chances from 0 to 1. */
export interface ChannelTrouble {
  /** @default 0 */
  readonly lost?: number
  /** @default 0 */
  readonly doubled?: number
  /** The longest delay, in milliseconds. @default 0 */
  readonly delayMs?: Ms
}

/** BroadcastChannels for several contexts in one process. */
export interface VirtualChannels {
  of(owner: object, deliver: Deliver): OpenChannel
  /** The context has ended, or hears nothing for now: its channels are closed. */
  drop(owner: object): void
  /** What befalls messages from now on. */
  trouble(trouble: ChannelTrouble): void
  /** Sends what somebody else of this origin might. */
  post(name: string, message: unknown): void
}

export function virtualChannels({
  clock,
  random,
}: {
  readonly clock: Clock
  readonly random: Random
}): VirtualChannels {
  interface End {
    readonly owner: object
    readonly name: string
    hear(message: unknown): void
  }
  const ends = new Set<End>()
  let { lost = 0, doubled = 0, delayMs = 0 }: ChannelTrouble = {}

  function send(name: string, message: unknown, from?: End): void {
    for (const end of ends) {
      if (end === from || end.name !== name || random() < lost) continue
      for (let copies = random() < doubled ? 2 : 1; copies > 0; copies--) {
        const hear = () => ends.has(end) && end.hear(structuredClone(message))
        const delay = Math.floor(random() * delayMs)
        if (delay > 0) clock.sleep(delay).then(hear)
        else queueMicrotask(hear)
      }
    }
  }

  return {
    of: (owner, deliver) => (name, onMessage) => {
      const end: End = { owner, name, hear: (message) => deliver(() => ends.has(end) && onMessage(message)) }
      ends.add(end)
      return {
        post: (message) => send(name, message, end),
        close() {
          ends.delete(end)
        },
      }
    },
    drop(owner) {
      for (const end of ends) if (end.owner === owner) ends.delete(end)
    },
    trouble(next) {
      lost = next.lost ?? 0
      doubled = next.doubled ?? 0
      delayMs = next.delayMs ?? 0
    },
    post: (name, message) => send(name, message),
  }
}
