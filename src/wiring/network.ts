import type { CacheOptions, Retry } from '../engine/options.ts'
import { marked } from '../engine/worker-mark.ts'
import type { Platform } from '../platform/platform.ts'
import type { Clock } from '../ports/clock.ts'
import type { Health } from '../ports/health.ts'
import type { Random } from '../ports/random.ts'
import type { Transport } from '../ports/transport.ts'
import { type CircuitNews, createCircuits } from '../resilience/circuit.ts'
import { createStopwatch, type Stopwatch } from '../resilience/stopwatch.ts'

/** What is known of origins where nobody looks. */
const HEALTHY: Health = { isIll: () => false, admits: () => true }

/** The way to the origin, and what is known of its health. */
export interface Network {
  readonly transport: Transport
  readonly health: Health
  readonly elapsed: Stopwatch['elapsed']
  /** What another context has learned of an origin. */
  hear(news: unknown): void
}

/** What a network is made with. */
export interface NetworkParts {
  readonly here: Platform
  readonly clock: Clock
  readonly random: Random
  /** Tells the other contexts what was learned of an origin. */
  tell(news: CircuitNews): void
  /** Whether this fetch is the cache's own, by which a page has replaced the platform's. */
  isOwn(fetch: Transport): boolean
}

/** Around `fetch`, from the inside to the outside: the mark for a worker, the stopwatch, retry, and the circuit of each origin. */
export function createNetwork(options: CacheOptions, { here, clock, random, tell, isOwn }: NetworkParts): Network {
  /** Found late, since a page may replace it; when it was replaced by this very cache, the one before. */
  const fetchBefore = here.fetch()
  const transport: Transport = (input, init) => {
    const fetchNow = here.fetch()
    return (isOwn(fetchNow) ? fetchBefore : fetchNow)(input, init)
  }
  /** What a worker may see says whose it is. */
  const send: Transport = (input, init) =>
    (options.fetch ?? transport)(here.isControlled() ? marked(input, init?.method) : input, init)

  const stopwatch = createStopwatch(clock, send)
  const circuits = createCircuits({ clock, random, tell, isOnline: here.isOnline }, options.circuit || {})
  const isWatched = options.circuit !== false
  const health = isWatched ? circuits.health : HEALTHY
  const again = options.retry ? retrying(options.retry) : stopwatch.transport

  /** Only who asks for it loads it; where it cannot be loaded there is one attempt, as without it. */
  function retrying(limits: Exclude<Retry, false>): Transport {
    let loading: Promise<Transport> | undefined
    return async (input, init) => {
      loading ??= import('../resilience/retry.ts').then(
        ({ withRetry }) => withRetry(stopwatch.transport, { clock, random, isIll: health.isIll }, limits),
        () => stopwatch.transport,
      )
      return (await loading)(input, init)
    }
  }

  return {
    transport: isWatched ? circuits.watch(again) : again,
    health,
    elapsed: stopwatch.elapsed,
    hear: circuits.hear,
  }
}
