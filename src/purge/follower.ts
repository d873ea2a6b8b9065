import type { Ms } from '../http/message.ts'
import type { OpenChannel } from '../ports/channel.ts'
import type { Clock } from '../ports/clock.ts'
import type { Locks } from '../ports/locks.ts'
import type { Random } from '../ports/random.ts'
import type { Transport } from '../ports/transport.ts'
import {
  type FeedPurge,
  positionText,
  readChannelMessage,
  readGreeting,
  readPurge,
  readSlice,
  type Slice,
} from './messages.ts'
import { type Presence, untilVisible, whilePresent } from './presence.ts'
import { onGreeting, onPurge, type Progress, START, type Step } from './progress.ts'

/** What is followed for. */
interface PurgedCache {
  purge(
    selector: FeedPurge['selector'],
    options: { readonly mode: 'soft' | 'hard'; readonly spreadMs: Ms },
  ): Promise<{ readonly durable: boolean }>
}

/** Where the progress of a profile is kept. Both may reject: then it is not known, or not kept. */
export interface ProgressStore {
  get(): Promise<Progress | undefined>
  set(progress: Progress): Promise<void>
}

/** One connection to the feed. */
export interface FeedStream {
  close(): void
}

/** Opens a stream of events. What it tells is text, as it came. */
export type OpenFeedStream = (
  url: string,
  on: { greeting(json: string): void; purge(json: string): void; beat(data: string): void; failed(): void },
) => FeedStream

export interface FollowerOptions {
  readonly cache: PurgedCache
  /** Absolute, without a fragment. */
  readonly url: string
  /** One profile has one follower of this name. */
  readonly name: string
  /** None: the log is only asked once. */
  readonly openStream: OpenFeedStream | undefined
  readonly fetch: Transport
  readonly credentials: RequestCredentials
  readonly progressStore: ProgressStore | undefined
  readonly clock: Clock
  readonly random: Random
  readonly locks: Locks | undefined
  readonly openChannel: OpenChannel | undefined
  readonly presence: Presence
  /** The window for refills after everything had to be forgotten. */
  readonly forgetSpreadMs: Ms
  report(error: unknown): void
}

export interface Follower {
  number(): number | undefined
  caughtUp(): Promise<void>
  close(): void
}

/** Pauses before another connection: any length up to this, doubled with each failure up to the second. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
/** How long the first word of a connection may take; later silences by the heartbeats that it names. */
const SILENCE_MS = 30_000
const MISSED_BEATS = 3
/** How often the log is asked by one who does not follow. */
const ATTEMPTS = 3

/**
 * Follows a feed of purges and applies each once, in order: the numbers say what is missing, whatever was dropped, doubled or put in another order on the way.
 *
 * Of the pages of a profile one that is visible follows, by a lock; a cache that is on disk tells the others itself, and to those in memory alone the purges are handed on over a channel. What was
 * applied is remembered only once the cache has it on disk: a crash between makes a purge count twice, never not at all.
 */
export function createFollower(options: FollowerOptions): Follower {
  const { cache, url, name, openStream, clock, random, locks, openChannel, presence, report } = options
  const closing = new AbortController()
  let progress: Progress | undefined
  let reached: () => void
  const caughtUp = new Promise<void>((resolve) => {
    reached = resolve
  })
  /** One thing after the other. */
  let doing: Promise<unknown> = Promise.resolve()
  let channel: ReturnType<OpenChannel>
  let isLeading = false
  /** Whether the cache had the last purge on disk. */
  let isDurable = true

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = doing.then(work)
    doing = turn.catch(() => {})
    return turn
  }

  /** Does what a step asks for. @returns whether the log has to be asked */
  async function take(step: Step): Promise<boolean> {
    if (step.do === 'ask') return true
    if (step.do === 'nothing' || closing.signal.aborted) return false
    if (step.do !== 'note') {
      const { selector, mode, spread = 0 } = step.do === 'apply' ? step.purge : forgetting(options.forgetSpreadMs)
      const receipt = await cache.purge(selector, { mode, spreadMs: spread })
      isDurable = receipt.durable
    }
    progress = step.progress
    if (isLeading) channel?.post({ v: 1, durable: isDurable, ...step })
    if (isDurable) await remember(step.progress)
    return false
  }

  const known = () => progress ?? START

  async function remember(done: Progress): Promise<void> {
    await options.progressStore?.set(done).catch(report)
  }

  /** What the profile has applied so far. */
  async function recall(): Promise<void> {
    const kept = await options.progressStore?.get().catch((error: unknown) => {
      report(error)
      return undefined
    })
    // In memory alone this context may be further than what could be kept.
    if (kept && (progress === undefined || kept.number > progress.number)) progress = kept
  }

  const withProgress = (): string => {
    const target = new URL(url)
    const { number, mark } = known()
    target.searchParams.set('after', mark === undefined ? String(number) : positionText({ number, mark }))
    return target.href
  }

  async function fetchSlice(signal: AbortSignal): Promise<Slice> {
    const { fetch, credentials } = options
    const init = { headers: { accept: 'application/json' }, cache: 'no-store', credentials, signal } as const
    const response = await fetch(withProgress(), init)
    const slice = response.ok ? readSlice(await response.text()) : undefined
    if (!slice) throw new Error(`The purge feed ${url} answered ${response.status}, or something that is no feed`)
    return slice
  }

  /** Asks the log for what is missing, and applies it. In turn. */
  async function catchUp(signal: AbortSignal): Promise<void> {
    const slice = await fetchSlice(signal)
    await take(onGreeting(known(), slice))
    for (const purge of [...slice.purges].sort((a, b) => a.number - b.number)) await take(onPurge(known(), purge))
    if (known().number >= slice.number) reached()
  }

  /** One connection, until it fails or `signal` ends it. @returns whether it ever said something */
  async function listen(open: OpenFeedStream, signal: AbortSignal): Promise<boolean> {
    const failing = new AbortController()
    let waking = new AbortController()
    const end = () => {
      failing.abort()
      waking.abort()
      stream?.close()
    }
    let [heard, silence, last] = [false, SILENCE_MS, Number.POSITIVE_INFINITY]
    let lastHeard = clock.now()
    const hear = () => {
      lastHeard = clock.now()
    }
    /** What cannot be applied is asked for anew on the next connection. */
    const handle = (work: () => Promise<boolean>) => {
      hear()
      inTurn(async () => {
        if (failing.signal.aborted) return
        if (await work()) await catchUp(signal)
        if (known().number >= last) reached()
      }).catch((error: unknown) => {
        if (!failing.signal.aborted) report(error)
        end()
      })
    }
    let stream: FeedStream | undefined
    stream = open(withProgress(), {
      greeting(json) {
        const greeting = readGreeting(json)
        if (!greeting) return
        heard = true
        silence = greeting.heartbeatMs * MISSED_BEATS
        last = greeting.number
        // From now on its silences are measured by its own heartbeats.
        waking.abort()
        handle(() => take(onGreeting(known(), greeting)))
      },
      purge(json) {
        const purge = readPurge(json)
        if (purge) handle(() => take(onPurge(known(), purge)))
        // What this version cannot read may be anything.
        else handle(() => take({ do: 'ask' }))
      },
      beat(data) {
        // What was told before it. Where that is more than has arrived, something was lost on the way.
        const told = Number(data)
        handle(async () => told > known().number)
        if (isLeading && progress) channel?.post({ v: 1, do: 'note', durable: isDurable, progress })
      },
      failed: end,
    })
    signal.addEventListener('abort', end)
    while (!failing.signal.aborted && !signal.aborted) {
      const rest = lastHeard + silence - clock.now()
      if (rest <= 0) break
      waking = new AbortController()
      await clock.sleep(rest, waking.signal).catch(() => {})
    }
    end()
    signal.removeEventListener('abort', end)
    // Whoever follows next must find what was applied.
    await doing
    return heard
  }

  /** Connects again and again until `signal` ends it, with pauses by full jitter. */
  async function lead(open: OpenFeedStream, signal: AbortSignal): Promise<void> {
    isLeading = true
    try {
      await inTurn(recall)
      for (let failures = 0; !signal.aborted; failures++) {
        if (await listen(open, signal)) failures = 0
        if (signal.aborted) break
        await clock.sleep(random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures), signal).catch(() => {})
      }
    } finally {
      isLeading = false
    }
  }

  async function followWhileVisible(open: OpenFeedStream): Promise<void> {
    while (!closing.signal.aborted) {
      await untilVisible(presence, closing.signal)
      if (closing.signal.aborted) return
      const { signal, end } = whilePresent(presence, clock, closing.signal)
      let isGranted = locks === undefined
      const leading = locks?.request(`${name}/purge-feed`, { signal }, () => {
        isGranted = true
        return lead(open, signal)
      })
      await (leading ?? lead(open, signal)).catch((error: unknown) => {
        if (signal.aborted) return
        report(error)
        // There can be no lock here: without one everybody follows. One that was stolen is waited for again.
        if (!isGranted) return lead(open, signal)
      })
      end()
    }
  }

  /** What the page that follows hands on. A cache on disk has told this one by itself. */
  function onHandedOn(message: unknown): void {
    const told = readChannelMessage(message)
    if (!told || isLeading) return
    const { durable, ...step } = told
    inTurn(async () => {
      const ahead = step.progress.number - known().number
      if (durable) progress = step.progress
      else if (step.do === 'forget' || (step.do === 'apply' && ahead === 1)) await take(step)
      else if (ahead > 0) await catchUp(closing.signal)
      reached()
    }).catch((error: unknown) => !closing.signal.aborted && report(error))
  }

  async function askOnce(): Promise<void> {
    await inTurn(recall)
    for (let failures = 0; failures < ATTEMPTS && !closing.signal.aborted; failures++) {
      try {
        return await inTurn(() => catchUp(closing.signal))
      } catch (error) {
        if (!closing.signal.aborted) report(error)
      }
      await clock.sleep(random() * FIRST_PAUSE_MS * 2 ** failures, closing.signal).catch(() => {})
    }
  }

  channel = openStream && locks ? openChannel?.(`${name}/purge-feed`, onHandedOn) : undefined
  const working = openStream ? followWhileVisible(openStream) : askOnce()
  working.catch(report).finally(() => reached())

  return {
    number: () => progress?.number,
    caughtUp: () => caughtUp,
    close() {
      closing.abort(new DOMException('The purge feed is not followed any more', 'AbortError'))
      channel?.close()
    },
  }
}

const forgetting = (spread: Ms): FeedPurge => ({ selector: { all: true }, mode: 'soft', spread })
