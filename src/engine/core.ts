import type { DecisionContext } from '../http/decide.ts'
import type { EpochMs, HeaderList, LogSelector, Ms, StoredResponse } from '../http/message.ts'
import type { CacheEvent } from '../ports/event-sink.ts'
import type { Random } from '../ports/random.ts'
import type { TieredStore } from '../ports/tiered-store.ts'
import type { Transport } from '../ports/transport.ts'
import type { Flights } from './flights.ts'
import type { Rule } from './options.ts'
import type { Place, Presented } from './presented.ts'

/** What every step of the engine works with: the ports, and what one cache has made of its options. */
export interface Core {
  readonly store: TieredStore
  readonly transport: Transport
  readonly random: Random
  readonly place: Place
  readonly flights: Flights
  readonly settings: Settings
  now(): EpochMs
  sleep(ms: Ms, signal?: AbortSignal): Promise<void>
  /** Tells everyone who looks; `about` is the request, or what was purged, whose subscribers hear of it too. */
  emit(event: CacheEvent, about?: About | LogSelector): void
  /** Keeps `settled()` waiting. The work must not reject. */
  background(work: Promise<unknown>): void
  /** The place of a request in this context's order of dispatch. */
  nextSequence(): number
  /** An unsafe request with this place begins; returns the function that says that it was answered, or failed. */
  write(sequence: number): () => void
}

/** The request that an event is about, and, where a response was stored or confirmed, those that were there before it. */
interface About extends Pick<Presented, 'key'> {
  readonly replaced?: readonly StoredResponse[]
  /** What has come in their place. */
  readonly stored?: StoredResponse
}

/** Options with their defaults. */
export interface Settings {
  /** Names this context among all that ever wrote to the database. */
  readonly context: string
  readonly softMs: Ms
  readonly hardMs: Ms
  readonly diskMs: Ms
  readonly beta: number
  readonly cacheStatus: boolean
  /** The largest body worth collecting, in bytes. */
  readonly maxEntryBytes: number
  /** Whether a browser's own HTTP cache lies between us and the network (Fetch, HTTP-network-or-cache fetch). */
  readonly browserCache: boolean
  /** Whether there is a durable store to look into. */
  readonly durable: boolean
  /** Fields that the platform adds below script. */
  readonly implied: HeaderList
  /** Makes parsed data read-only, where a developer should notice a mutation. */
  readonly freeze: <T>(data: T) => T
}

/** What the decision about `presented` depends on at this moment. */
export function decisionContext(presented: Presented, core: Core, random = core.random): DecisionContext {
  const { rule } = presented
  const early = rule?.earlyExpiry
  return {
    now: core.now(),
    log: core.store.log(),
    random,
    implied: core.settings.implied,
    partitioned: core.place.partition !== '',
    policy: {
      maxAgeMs: rule?.maxAgeMs,
      override: rule?.override,
      staleWhileRevalidateMs: rule?.staleWhileRevalidateMs,
      staleIfErrorMs: rule?.staleIfErrorMs,
      beta: early === undefined ? core.settings.beta : early === false ? 0 : (early.beta ?? 1),
    },
  }
}

/** The name under which a rule's requests are counted. */
export const ruleName = (rule: Rule | undefined): { rule: string } | undefined =>
  rule?.name === undefined ? undefined : { rule: rule.name }
