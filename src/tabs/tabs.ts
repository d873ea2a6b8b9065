import type { Channel, OpenChannel } from '../ports/channel.ts'
import type { Stage, WatchLifecycle } from '../ports/lifecycle.ts'
import type { Hint, Tabs } from '../ports/tabs.ts'
import { hintsIn, messageOf, type Told } from './message.ts'
import { createTurns, type TurnsOptions } from './turns.ts'

export interface TabsOptions extends TurnsOptions {
  readonly openChannel: OpenChannel
  readonly watchLifecycle: WatchLifecycle
  /** Others have told. */
  hear(hints: readonly Hint[]): void
  /** This page may have missed what others told: `restored`; or is behind: `shown`. */
  missed(stage: Exclude<Stage, 'hidden'>): void
}

/** The tabs, and how one takes part. */
export interface Membership extends Tabs {
  /** From the first call on, and what is done in the same turn, this context hears the others. */
  join(): void
  close(): void
}

/**
 * Tells the other contexts, and hears them. The channel is open from `join()` on, except while the page is hidden away: an open one keeps it out of the back/forward cache, and what
 * it would hear there is lost anyway.
 */
export function createTabs({ openChannel, watchLifecycle, hear, missed, ...options }: TabsOptions): Membership {
  const turns = createTurns(options)
  let channel: Channel | undefined
  /** What is to be told in this tick, each once. */
  const telling = new Map<string, Told>()
  let unwatch: (() => void) | undefined
  let isJoining = false
  let isAway = false
  let isClosed = false

  function open(): void {
    channel ??= openChannel(options.name, (message) => {
      const told = hintsIn(message)
      for (const one of told) {
        if (one.kind === 'unshared') turns.release(one.turn)
        if (one.kind === 'left') turns.leftBy(one.turn)
      }
      const hints = told.filter((one): one is Hint => !('turn' in one))
      if (hints.length > 0) hear(hints)
    })
  }

  function shut(): void {
    flush()
    channel?.close()
    channel = undefined
  }

  function onStage(stage: Stage): void {
    if (stage === 'hidden') {
      isAway = true
      for (const turn of turns.away()) tellAnything({ kind: 'left', turn })
      shut()
      return
    }
    if (isAway) {
      open()
      turns.back()
    }
    isAway = false
    missed(stage)
  }

  function enter(): void {
    if (unwatch || isClosed) return
    unwatch = watchLifecycle(onStage)
    open()
  }

  function join(): void {
    if (isJoining) return
    isJoining = true
    // What it takes is done while the database opens, which whoever joins is about to ask for.
    queueMicrotask(enter)
  }

  function flush(): void {
    if (telling.size > 0) channel?.post(messageOf([...telling.values()]))
    telling.clear()
  }

  function tellAnything(hint: Told): void {
    if (isClosed) return
    enter()
    if (telling.size === 0) queueMicrotask(flush)
    telling.set(JSON.stringify(hint), hint)
  }

  return {
    join,
    tell: tellAnything,
    turn: turns.turn,
    turnIfFree: turns.turnIfFree,
    hasTurns: turns.hasTurns,
    unshared(what) {
      if (!turns.hasTurns) return
      const turn = turns.nameOf(what)
      turns.release(turn)
      tellAnything({ kind: 'unshared', turn })
    },
    close() {
      shut()
      isClosed = true
      unwatch?.()
    },
  }
}
