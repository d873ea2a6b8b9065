import type { DecisionContext, DecisionPolicy } from '../http/decide.ts'
import type { EpochMs, HeaderList, LogSelector, Ms, StoredResponse } from '../http/message.ts'
import type { BackgroundQueue } from '../ports/background-queue.ts'
import type { CacheEvent } from '../ports/event-sink.ts'
import type { Health } from '../ports/health.ts'
import type { Random } from '../ports/random.ts'
import type { Tabs } from '../ports/tabs.ts'
import type { TieredStore } from '../ports/tiered-store.ts'
import type { Transport } from '../ports/transport.ts'
import type { Flights } from './flights.ts'
import type { LazyResponse } from './lazy-response.ts'
import type { EarlyExpiry } from './options.ts'
import type { Place, Presented } from './presented.ts'

/** What every step of the engine works with: the ports, and what one cache has made of its options. */
export interface Core {
  readonly store: TieredStore
  readonly transport: Transport
  readonly health: Health
  readonly queue: BackgroundQueue
  readonly random: Random
  readonly place: Place
  readonly flights: Flights
  readonly tabs: Tabs
  readonly settings: Settings
  now(): EpochMs
  sleep(ms: Ms, signal?: AbortSignal): Promise<void>
  /** Whether the work is done, well or not, before the disk is late: within `diskMs`. */
  isInTime(work: Promise<unknown>): Promise<boolean>
  /** Tells everyone who looks; `about` is the request, or what was purged, whose subscribers hear of it too. */
  emit(event: CacheEvent, about?: About | LogSelector): void
  /** Keeps `settled()` waiting. The work must not reject. */
  background(work: Promise<unknown>): void
  /** The place of a request in this context's order of dispatch. */
  nextSequence(): number
  /** How long the origin has taken for this response by now; `since` is when it was asked for, as far as the engine knows. */
  elapsed(raw: Response, since: EpochMs): Ms
  /** An unsafe request with this place begins; returns the function that says that it was answered, or failed. */
  write(sequence: number): () => void
}

/** The request that an event is about, and, where a response was stored or confirmed, those that were there before it. */
interface About extends Pick<Presented, 'key'> {
  readonly replaced?: readonly StoredResponse[]
  /** What has come in their place. */
  readonly stored?: StoredResponse
}

/** How the name of a service worker begins; no token has a dot. */
export const WORKER = 'worker.'

/** Options with their defaults. */
export interface Settings {
  /** Names this context among all that ever wrote to the database. */
  readonly context: string
  readonly softMs: Ms
  readonly hardMs: Ms
  readonly diskMs: Ms
  readonly early: Early
  readonly cacheStatus: boolean
  /** The largest body worth collecting, in bytes. */
  readonly maxEntryBytes: number
  /** Whether a browser's own HTTP cache lies between us and the network (Fetch, HTTP-network-or-cache fetch). */
  readonly browserCache: boolean
  /** Whether nothing is kept that must not lie on disk, as in a service worker, whose memory outlives the pages of a user. */
  readonly follows: boolean
  /** Whether there is a durable store to look into. */
  readonly durable: boolean
  /** Fields that the platform adds below script. */
  readonly implied: HeaderList
  /** The project's own tag field, in lower case. */
  readonly tagField: string | undefined
  /** Where whoever takes a response reads it by its public members: what is made when somebody looks. */
  readonly LazyResponse: typeof LazyResponse | undefined
  /** Makes parsed data and what is told of answers read-only, where a developer should notice a mutation. */
  readonly freeze: <T>(data: T) => T
}

/** When a fresh response is refreshed behind. */
export type Early = Required<Exclude<EarlyExpiry, false>>

const NEVER_EARLY: Early = { beta: 0, phase: 0 }

/** `earlyExpiry` with its defaults. */
export const earlyOf = (given: EarlyExpiry | undefined, defaults: Early = { beta: 1, phase: 0.05 }): Early =>
  given === false ? NEVER_EARLY : { ...defaults, ...given }

/** A rule changes what it names; where the option turns it off, it begins with the defaults. */
const earlyOfRule = ({ earlyExpiry }: NonNullable<Presented['rule']>, { early }: Settings): Early =>
  earlyExpiry === undefined ? early : earlyOf(earlyExpiry, early === NEVER_EARLY ? undefined : early)

/** What the decision about `presented` depends on at this moment. */
export function decisionContext(
  presented: Presented,
  core: Core,
  random = core.random,
  now = core.now(),
  mayRefreshEarly?: () => boolean,
): DecisionContext {
  const { rule } = presented
  const { implied, early } = core.settings
  return {
    now,
    log: core.store.log(),
    random,
    mayRefreshEarly,
    implied,
    partitioned: core.place.partition !== '',
    policy: rule ? policyOf(rule, presented.request.url, core) : early,
  }
}

function policyOf(rule: NonNullable<Presented['rule']>, url: string, { settings, health }: Core): DecisionPolicy {
  return {
    maxAgeMs: rule.maxAgeMs,
    override: rule.override,
    staleWhileRevalidateMs: rule.staleWhileRevalidateMs,
    staleIfErrorMs: rule.staleIfErrorMs,
    negativeMaxAgeMs: rule.negativeMaxAgeMs,
    // Only where a rule grants it is it worth asking.
    graceMs: rule.openCircuitGraceMs && health.isIll(url) ? rule.openCircuitGraceMs : 0,
    ...earlyOfRule(rule, settings),
  }
}

/** The name under which a rule's requests are counted. */
export const ruleName = (rule: Presented['rule']): { rule: string } | undefined =>
  rule?.name === undefined ? undefined : { rule: rule.name }
