import type { NearCache } from '../engine/api.ts'
import { CacheError } from '../errors.ts'
import type { Ms } from '../http/message.ts'
import { openBroadcastChannel } from '../platform/broadcast-channel.ts'
import { pagePresence } from '../platform/page-presence.ts'
import { platform } from '../platform/platform.ts'
import { systemClock } from '../platform/system-clock.ts'
import { webLocks } from '../platform/web-locks.ts'
import type { OpenChannel } from '../ports/channel.ts'
import type { Clock } from '../ports/clock.ts'
import type { Locks } from '../ports/locks.ts'
import type { Random } from '../ports/random.ts'
import type { Transport } from '../ports/transport.ts'
import { createFollower, type ProgressStore } from '../purge/follower.ts'
import type { FeedPurge } from '../purge/messages.ts'
import { durableProgress } from './durable-progress.ts'
import { type EventSourceConstructor, openEventStream } from './event-stream.ts'

export interface FollowPurgeFeedOptions {
  /** The cache's `name`: its tabs follow together, and share their progress. @default 'nearcache' */
  readonly name?: string
  /** For Node, whose releases before 24 have none: that of the package `eventsource`. @default globalThis.EventSource */
  readonly EventSource?: EventSourceConstructor
  /** Ask the log once, as a worker does that has just started, and don't follow. @default true in a service worker and where there is no `EventSource` */
  readonly once?: boolean
  /** Whether cookies go along to a feed of another origin. @default false */
  readonly withCredentials?: boolean
  /** After a gap that nothing is known of, everything is purged softly, and what is on screen refilled at a random moment in this window, in milliseconds. @default 10,000 */
  readonly forgetSpreadMs?: Ms
  /** Where the number that was applied last is kept. @default IndexedDB, where there is one */
  readonly progress?: ProgressStore
  readonly fetch?: Transport
  readonly clock?: Clock
  readonly random?: Random
  /** `false`: every page follows by itself. @default the platform's Web Locks */
  readonly locks?: Locks | false
  /** @default a BroadcastChannel */
  readonly openChannel?: OpenChannel | false
  /** Where what goes wrong is told: a feed that cannot be reached, a progress that cannot be kept. It is tried again in any case. @default nowhere */
  readonly onError?: (error: unknown) => void
}

/** What follows a purge feed. */
export interface PurgeFeed {
  /** Ends it. What was applied stays applied. */
  close(): void
  /** The last purge that was applied here, or before; `undefined` as long as that is not known. */
  number(): number | undefined
  /** Resolves when this cache has had every purge that the feed held when it was first reached; with `once` also when it could not be reached, and in any case at `close()`. */
  caughtUp(): Promise<void>
}

/**
 * Applies a server's purges (`createPurgeHub`) to a cache, as they happen and after every absence: each once, in their order, whatever is lost, doubled or reordered on the way. When what was missed is no longer known (the
 * page was away for too long, the hub has lost its log), everything is purged softly.
 *
 * One visible page follows for all tabs. In the background it ends after 10 s, so that the browser may let the page sleep; back in front it catches up at once. Connections that fail are made again with pauses by full jitter,
 * up to a minute. A follower never breaks a page: it never throws or rejects later.
 *
 * @param url - of the feed; relative ones start from the page. Relative URLs and patterns in purges start from the feed
 * @throws CacheError with code `option` when the URL is none
 */
export function followPurgeFeed(
  cache: Pick<NearCache, 'purge'>,
  url: string | URL,
  options: FollowPurgeFeedOptions = {},
): PurgeFeed {
  const here = platform()
  const { name = 'nearcache', clock = systemClock, withCredentials = false, onError = () => {} } = options
  const address = absolute(url, here.base())
  const { EventSource: Source, isWorker } = surroundings(options)
  const { once = isWorker || !Source } = options
  return createFollower({
    cache: { purge: (selector, how) => cache.purge(absoluteSelector(selector, address), how) },
    url: address,
    name: `${name}/${address}`,
    openStream: once || !Source ? undefined : openEventStream(Source, withCredentials),
    fetch: options.fetch ?? ((input, init) => here.fetch()(input, init)),
    credentials: withCredentials ? 'include' : 'same-origin',
    progressStore: options.progress ?? (here.databases() && durableProgress(name, address, clock)),
    clock,
    random: options.random ?? here.random,
    locks: options.locks === false ? undefined : (options.locks ?? webLocks()),
    openChannel: options.openChannel === false ? undefined : (options.openChannel ?? openBroadcastChannel),
    presence: pagePresence(),
    forgetSpreadMs: options.forgetSpreadMs ?? 10_000,
    report: onError,
  })
}

function surroundings({ EventSource }: FollowPurgeFeedOptions) {
  const { EventSource: own, ServiceWorkerGlobalScope: scope } = globalThis as {
    EventSource?: EventSourceConstructor
    ServiceWorkerGlobalScope?: new () => unknown
  }
  return { EventSource: EventSource ?? own, isWorker: scope !== undefined && globalThis instanceof scope }
}

function absolute(url: string | URL, base: string | undefined): string {
  try {
    const { href } = new URL(url, base)
    return href.split('#', 1)[0] as string
  } catch {
    throw new CacheError(
      'option',
      `followPurgeFeed() needs the URL of a feed, absolute where there is no page, not ${String(url).slice(0, 200)}`,
      {
        path: 'url',
      },
    )
  }
}

/** A server speaks of its own addresses. */
function absoluteSelector(selector: FeedPurge['selector'], feed: string): FeedPurge['selector'] {
  if ('url' in selector)
    return { url: URL.canParse(selector.url, feed) ? new URL(selector.url, feed).href : selector.url }
  if ('pattern' in selector && selector.pattern.startsWith('/'))
    return { pattern: new URL(feed).origin + selector.pattern }
  return selector
}
