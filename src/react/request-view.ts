import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnswerFacts, CacheRequestInit, NearCache, Peek } from '../engine/api.ts'
import type { EpochMs, Ms } from '../http/message.ts'
import type { CacheEvent } from '../ports/event-sink.ts'
import { bodyOf } from './body-of.ts'
import { type Checks, createChecks } from './checks.ts'
import { type OccasionPorts, type Occasions, onOccasion } from './occasions.ts'

/** What a view needs from outside, beside the cache. */
export interface ViewPorts extends OccasionPorts {
  /** Whether this renders pages for others: what is shown is then what was read for that page, or is fresh. */
  readonly isServer: boolean
}

/** What makes a request, and the reading of it, another one: the init of `fetch`, how the body is read, and when. */
export interface ViewOptions
  extends Omit<RequestInit, 'body' | 'integrity' | 'keepalive' | 'method' | 'signal' | 'window'>,
    Occasions {
  as?: 'json' | 'text' | 'blob' | undefined
  maxStaleMs?: Ms | undefined
  nearcache?: Omit<NonNullable<CacheRequestInit['nearcache']>, 'onAnswer'>
}

/** What is known of one request at a moment. */
export interface ViewState {
  /** The data to show, as it came. */
  readonly held?: { readonly data: unknown } | undefined
  /** What memory says of it, where it has it. */
  readonly peeked?: Peek<unknown> | undefined
  /** Why the last read failed, until one succeeds. */
  readonly failure?: { readonly error: unknown } | undefined
  /** How the last answer came about. */
  readonly response?: AnswerFacts | undefined
  /** Whether the origin is being asked. */
  readonly isAsking?: boolean
}

/** One request, for everyone on the page who shows it in the same way. It asks and listens; what may be shown and when the origin is asked is the cache's decision. */
export interface RequestView extends Pick<Checks, 'check'> {
  state(): ViewState
  ageMs(): Ms | undefined
  /** Shows it from now on, and reads; `onChange` is called when something may have changed. Returns the function that ends it; when the last one has left, what nobody waits for is aborted. */
  watch(onChange: () => void): () => void
  /** Whether it must be read before it may be shown: on a server nobody reads it after it was shown. */
  isDue(): boolean
  /** Resolves when the read under way has ended, however; starts one where there is none. */
  settled(): Promise<void>
  /** Asks the origin, however fresh it is. Resolves when it has answered, or failed. */
  refresh(): Promise<void>
  update(change: (data: never) => unknown): { rollback(): void }
  /** Its failure was thrown at an error boundary: who comes when that is reset begins anew. */
  forget(): void
  /** Whether its failure has been thrown and forgotten; it is still there for others, who show it. */
  isForgotten(): boolean
  /** Whether its partition was left: then another view has taken its place. */
  isOver(): boolean
  /** Somebody watches or waits. */
  isBusy(): boolean
  /** When it was last looked for, or read without anyone watching. */
  touched: EpochMs
  /** The schema of those who show it. */
  schema: StandardSchemaV1 | undefined
}

/** Answers that leave a refresh under way behind them. */
const BEHIND = /^(stale-w|soft)/

/** @param isOver - whether its partition was left: then nothing of it is anybody's business any more */
export function createRequestView(
  cache: NearCache,
  input: RequestInfo | URL,
  { as = 'json', maxStaleMs, readOnFocus = true, readOnReconnect = true, readEveryMs = 0, ...rest }: ViewOptions,
  ports: ViewPorts,
  isOver: () => boolean,
): RequestView {
  const { clock, random } = ports
  const hints = maxStaleMs === undefined ? rest : { ...rest, nearcache: { ...rest.nearcache, maxStaleMs } }
  const init = (Object.keys(hints).length > 0 ? hints : undefined) as CacheRequestInit | undefined
  const watchers = new Set<() => void>()
  /** `raw`: what memory had when `data` came. As long as it has the same, `data` is the newer. */
  let held: { readonly raw: unknown; readonly data: unknown } | undefined
  let failure: ViewState['failure']
  let forgotten: ViewState['failure']
  let response: AnswerFacts | undefined
  let answeredAt: EpochMs = 0
  let reading: { readonly gone: AbortController; done: Promise<void> } | undefined
  /** Whether the origin is asked for what may be fresh. */
  let isForced = false
  /** The refresh behind a stale answer. */
  let behind: Promise<void> | undefined
  /** Whether what was read before anyone watched is still to be shown. */
  let isReady = false
  let stop: (() => void) | undefined

  const tell = () => {
    for (const onChange of [...watchers]) onChange()
  }
  const { check, accepts } = createChecks(() => view.schema, tell)

  function peek(): Peek<unknown> | undefined {
    const peeked = as === 'json' ? cache.peek(input, init) : undefined
    if (peeked && peeked.data !== held?.raw) held = { raw: peeked.data, data: peeked.data }
    return peeked
  }

  async function ask(asked: CacheRequestInit): Promise<typeof held> {
    if (as === 'json') {
      const before = peek()?.data
      const data = await cache.json(input, view.schema ? { ...asked, schema: accepts } : asked)
      const raw = peek()?.data
      // What is in memory is newer, unless it is what was there before and this answer was not stored.
      return { raw, data: raw === undefined || raw === before ? data : raw }
    }
    const data = await bodyOf(await cache.fetch(input, asked), as, held?.data)
    return { raw: undefined, data }
  }

  /** @param isAnew - whether what is under way is of no use any more */
  function read(isAnew = false, mode = init?.cache): Promise<void> {
    if (isOver()) return Promise.resolve()
    if (reading && !isAnew) return reading.done
    const before = reading
    const gone = new AbortController()
    const run = async () => {
      let now: typeof held
      let failed: typeof failure
      try {
        now = await ask({
          ...init,
          ...(mode && { cache: mode }),
          signal: gone.signal,
          nearcache: {
            ...init?.nearcache,
            onAnswer(facts) {
              if (reading !== mine) return
              response = facts
              answeredAt = clock.now()
            },
          },
        })
      } catch (error) {
        failed = { error }
      }
      // Whoever waited for this one waits for what has taken its place.
      if (reading !== mine) return reading?.done
      reading = undefined
      failure = failed
      if (now) {
        held = now
        if (BEHIND.test(response?.cause ?? '')) {
          const refreshing = cache.settled()
          behind = refreshing
          refreshing.then(() => {
            if (behind !== refreshing) return
            behind = undefined
            tell()
          })
        }
      }
      isReady = watchers.size === 0
      view.touched = clock.now()
      tell()
    }
    isForced = mode === 'no-cache'
    const mine = { gone, done: Promise.resolve() }
    reading = mine
    mine.done = run()
    before?.gone.abort()
    tell()
    return mine.done
  }

  function onEvent(event: CacheEvent): void {
    const { type } = event
    if (isOver()) {
      // Whoever shows it looks for the one that has taken its place.
    } else if (type === 'purged') {
      if (event.mode === 'hard') held = response = undefined
      // The cache reads it anew itself, in its own time. What it cannot store, or has failed with, is asked for here when that is over.
      if (event.spreadMs && !reading)
        clock.sleep(event.spreadMs * (1 + random() / 10)).then(() => (watchers.size > 0 ? read() : undefined))
      else read(true)
    } else if (type === 'updated') {
      // Only a read finds out that a schema refuses what was made; it is no matter for the origin.
      if (view.schema && !reading) read(true, 'force-cache')
    } else {
      behind = undefined
      if (type !== 'failed') {
        isForced = false
        if (peek()?.stale === false) failure = undefined
        if (type === 'stored' && as !== 'json') read()
      }
    }
    tell()
  }

  function leave(): void {
    if (watchers.size > 0) return
    stop?.()
    reading?.gone.abort()
    stop = reading = behind = held = failure = response = undefined
    isReady = false
  }

  const view: RequestView = {
    state() {
      const peeked = peek()
      const isAsking = (reading !== undefined && (isForced || peeked?.stale !== false)) || behind !== undefined
      return { held, peeked, failure, response, isAsking }
    },
    ageMs: () => peek()?.ageMs ?? (response && Number(response.headers.get('age')) * 1000 + clock.now() - answeredAt),
    check,
    watch(onChange) {
      watchers.add(onChange)
      if (!stop) {
        const over = new AbortController()
        const unsubscribe = cache.subscribe(input, onEvent, init)
        onOccasion({ readOnFocus, readOnReconnect, readEveryMs }, ports, () => read(), over.signal)
        stop = () => {
          unsubscribe()
          over.abort()
        }
      }
      if (!isReady || peek()?.stale) read()
      queueMicrotask(() => {
        // All who waited for it have come at once.
        isReady = false
      })
      return () => {
        watchers.delete(onChange)
        // A component that only moves, or that React mounts twice to try it, is there again by then.
        queueMicrotask(leave)
      }
    },
    isDue: () => ports.isServer && !isReady && peek()?.stale !== false,
    settled: () => read(),
    refresh: () => read(true, 'no-cache'),
    update: (change) => cache.update(input, change as (data: unknown) => unknown, init),
    forget() {
      // React renders once more at once before it gives up.
      clock.sleep(0).then(() => {
        forgotten = failure
        leave()
      })
    },
    isForgotten: () => failure !== undefined && failure === forgotten,
    isOver,
    isBusy: () => watchers.size > 0 || reading !== undefined,
    touched: 0,
    schema: undefined,
  }
  return view
}
