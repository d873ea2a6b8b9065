import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnswerFacts, CacheRequestInit, NearCache, Peek } from '../engine/api.ts'
import { CacheError } from '../errors.ts'
import type { EpochMs, Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { CacheEvent } from '../ports/event-sink.ts'
import type { PageEvents } from '../ports/page-events.ts'
import type { Random } from '../ports/random.ts'

/** What views need from outside, beside the cache. */
export interface ViewPorts {
  readonly clock: Clock
  readonly random: Random
  readonly page: PageEvents
  /** Where relative URLs start now. */
  base(): string | undefined
}

/** How the body of a response is read. */
export type As = 'json' | 'text' | 'blob'

/** One who shows what a view has. */
export interface Watcher {
  /** Called when something may have changed. */
  readonly onChange: () => void
  readonly readOnFocus: boolean
  readonly readOnReconnect: boolean
  readonly readEveryMs: Ms | undefined
  readonly schema: StandardSchemaV1 | undefined
}

/** Data, and what a schema has made of it, or why it refuses it. */
export interface Checked {
  readonly raw: unknown
  readonly value?: unknown
  readonly refused?: { readonly error: unknown }
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
  readonly isAsking: boolean
  /** The data that a schema has last accepted, or refused though no response brought it. */
  readonly checked?: Checked | undefined
}

/** One request, for everyone on the page who shows it. It asks and listens; what may be shown and when the origin is asked is the cache's decision. */
export interface RequestView {
  state(): ViewState
  ageMs(): Ms | undefined
  /** Shows it from now on, and reads. Returns the function that ends it; when the last one has left, what nobody waits for is aborted. */
  watch(watcher: Watcher): () => void
  /** Resolves when the read under way has ended, however; starts one where there is none. */
  settled(schema?: StandardSchemaV1): Promise<void>
  /** Reads again, for those who want that on this occasion. */
  onPage(event: 'focus' | 'reconnect'): void
  /** Asks the origin, however fresh it is. Resolves when it has answered, or failed. */
  refresh(): Promise<void>
  update(change: (data: never) => unknown): { rollback(): void }
  /** Another partition: nothing of what was known is anybody's business any more. */
  reset(): void
  /** Its failure was thrown at an error boundary: who comes when that is reset begins anew. */
  forget(): void
  /** Whether its failure has been thrown and forgotten; it is still there for others, who show it. */
  isForgotten(): boolean
  /** Somebody watches or waits. */
  isBusy(): boolean
  /** When it was last looked for. */
  touched: EpochMs
}

/** What the view needs of where it lies: to be there while it is watched, and to be gone afterwards. */
export interface Shelf {
  put(view: RequestView): void
  remove(view: RequestView): void
}

/** Longest wait before a view is read on these occasions, in milliseconds: all the pages of an origin that comes back must not ask it in the same moment. */
const SPREAD_MS = { focus: 200, reconnect: 2_000 }

/** Shortest time between two reads by the clock, in milliseconds. */
const MIN_EVERY_MS = 1_000

/** Answers that leave a refresh under way behind them, and all that were stale when they were given. */
const BEHIND = /^(stale-w|soft)/
const STALE = /^(stale|soft|off|max-)/

/** Whether an answer was stale when it was given. */
export const isStaleAnswer = (response: AnswerFacts | undefined): boolean => STALE.test(response?.cause ?? '')

export function createRequestView(
  cache: NearCache,
  input: RequestInfo | URL,
  init: CacheRequestInit | undefined,
  as: As,
  { clock, random, page }: ViewPorts,
  shelf: Shelf,
): RequestView {
  const watchers = new Set<Watcher>()
  /** `raw`: what memory had when `data` came. As long as it has the same, `data` is the newer. */
  let held: { readonly raw: unknown; readonly data: unknown; readonly bytes?: Uint8Array } | undefined
  let failure: ViewState['failure']
  let forgotten: ViewState['failure']
  let response: AnswerFacts | undefined
  let answeredAt: EpochMs = 0
  let reading: { readonly gone: AbortController; readonly done: Promise<void>; isAsking: boolean } | undefined
  /** The refresh behind a stale answer. */
  let behind: object | undefined
  /** Whether what was read before anyone watched is still to be shown. */
  let isReady = false
  let schema: StandardSchemaV1 | undefined
  let accept: { readonly schema: StandardSchemaV1; readonly checks: StandardSchemaV1 } | undefined
  let checked: Checked | undefined
  let ticking: AbortController | undefined
  let unsubscribe: (() => void) | undefined

  const tell = () => {
    for (const { onChange } of [...watchers]) onChange()
  }

  function peek(): Peek<unknown> | undefined {
    const peeked = as === 'json' ? cache.peek(input, init) : undefined
    if (peeked && (!held || peeked.data !== held.raw)) held = { raw: peeked.data, data: peeked.data }
    return peeked
  }

  /** The caller's schema has a say in what is stored; what it makes of the data is kept beside it, so that the data stays the same for everyone. */
  function checks(): StandardSchemaV1 | undefined {
    if (!schema) return undefined
    if (accept?.schema === schema) return accept.checks
    const { validate } = schema['~standard']
    accept = {
      schema,
      checks: {
        '~standard': {
          version: 1,
          vendor: 'nearcache',
          async validate(raw) {
            const result = await validate(raw)
            if (result.issues) return result
            checked = { raw, value: result.value }
            return { value: raw }
          },
        },
      },
    }
    return accept.checks
  }

  /** No read looks at what `update()` has made. */
  async function recheck(raw: unknown): Promise<void> {
    if (!schema || raw === undefined) return
    try {
      const { issues } = (await checks()?.['~standard'].validate(raw)) ?? {}
      if (issues)
        throw new CacheError('schema', `What update() made does not fit the schema: ${issues[0]?.message}`, { issues })
    } catch (error) {
      checked = { raw, refused: { error } }
    }
    tell()
  }

  async function ask(init: CacheRequestInit): Promise<NonNullable<typeof held>> {
    if (as === 'json') {
      const before = peek()?.data
      const schema = checks()
      const data = await cache.json(input, { ...init, ...(schema && { schema }) })
      const after = peek()?.data
      // What is in memory is newer, unless it is what was there before and this answer was not stored.
      return after === undefined || after === before ? { raw: after, data } : { raw: after, data: after }
    }
    const answer = await cache.fetch(input, init)
    if (!answer.ok) throw new CacheError('status', `${answer.url} answered ${answer.status}`, { response: answer })
    if (as === 'text') return { raw: undefined, data: await answer.text() }
    const blob = await answer.blob()
    const bytes = new Uint8Array(await blob.arrayBuffer())
    const isSame = held?.bytes?.length === bytes.length && held.bytes.every((byte, index) => byte === bytes[index])
    return isSame && held ? held : { raw: undefined, data: blob, bytes }
  }

  /** @param mode - with one, or with `true`, what is under way is of no use any more */
  function read(mode?: RequestCache | true): Promise<void> {
    if (reading && !mode) return reading.done
    const before = reading
    const gone = new AbortController()
    const isNow = () => reading === mine
    const onAnswer = (facts: AnswerFacts) => {
      if (!isNow()) return
      response = facts
      answeredAt = clock.now()
    }
    const asked: CacheRequestInit = {
      ...init,
      ...(typeof mode === 'string' && { cache: mode }),
      signal: gone.signal,
      nearcache: { ...init?.nearcache, onAnswer },
    }
    const isAsking = !!mode || peek()?.stale !== false
    const ended = (outcome: () => void) => {
      // Whoever waited for this one waits for what has taken its place.
      if (!isNow()) return reading?.done
      reading = undefined
      outcome()
      isReady = watchers.size === 0
      view.touched = clock.now()
      tell()
    }
    const done: Promise<void> = ask(asked).then(
      (now) =>
        ended(() => {
          held = now
          failure = undefined
          if (BEHIND.test(response?.cause ?? '')) waitBehind()
        }),
      (error: unknown) =>
        ended(() => {
          failure = { error }
        }),
    )
    const mine = { gone, done, isAsking }
    reading = mine
    before?.gone.abort()
    if (isAsking) tell()
    return done
  }

  const readIn = (ms: Ms) =>
    clock.sleep(ms).then(() => {
      if (watchers.size > 0) read()
    })

  function waitBehind(): void {
    const mine = {}
    behind = mine
    cache.settled().then(() => {
      if (behind !== mine) return
      behind = undefined
      tell()
    })
  }

  function onEvent(event: CacheEvent): void {
    const { type } = event
    if (type === 'purged') {
      if (event.mode === 'hard') held = response = undefined
      // The cache reads it anew itself, in its own time. What it cannot store, or has failed with, is asked for here when that is over.
      if (event.spreadMs && !reading) readIn(event.spreadMs * (1 + random() / 10))
      else read(true)
    } else if (type === 'updated') {
      recheck(peek()?.data)
    } else if (!type.startsWith('partition')) {
      behind = undefined
      // What comes after it comes at once, and is the same.
      if (reading && type !== 'failed') reading.isAsking = false
      if (type !== 'failed' && peek()?.stale === false) failure = undefined
      if (type === 'stored' && as !== 'json') read()
    }
    tell()
  }

  function schedule(): void {
    ticking?.abort()
    ticking = undefined
    // Neither 0 nor what is no number is a time: it means never, not without a pause.
    const everyMs = Math.min(...[...watchers].map((one) => one.readEveryMs || Number.POSITIVE_INFINITY))
    if (everyMs === Number.POSITIVE_INFINITY) return
    ticking = new AbortController()
    tick(Math.max(MIN_EVERY_MS, everyMs), ticking.signal).catch(() => {}) // ended
  }

  async function tick(everyMs: Ms, signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs * (1 + random() / 10), signal)
      if (page.isVisible()) await read()
    }
  }

  function leave(): void {
    if (watchers.size > 0) return
    unsubscribe?.()
    unsubscribe = undefined
    reading?.gone.abort()
    reading = undefined
    behind = undefined
    held = failure = response = undefined
    shelf.remove(view)
  }

  const view: RequestView = {
    state() {
      const peeked = peek()
      const isAsking = reading?.isAsking === true || behind !== undefined
      return { held, peeked, failure, response, isAsking, checked }
    },
    ageMs() {
      const { headers } = response ?? {}
      return peek()?.ageMs ?? (headers && Number(headers.get('age') ?? 0) * 1000 + clock.now() - answeredAt)
    },
    watch(watcher) {
      const isEvery = watcher.readEveryMs !== undefined
      watchers.add(watcher)
      schema = watcher.schema ?? schema
      shelf.put(view)
      unsubscribe ??= cache.subscribe(input, onEvent, init)
      if (!isReady || peek()?.stale) read()
      // All who waited for it come at once.
      Promise.resolve().then(() => {
        isReady = false
      })
      if (isEvery) schedule()
      return () => {
        watchers.delete(watcher)
        if (isEvery) schedule()
        // A component that only moves, or that React mounts twice to try it, is there again by then.
        if (watchers.size === 0) Promise.resolve().then(leave)
      }
    },
    settled(given) {
      schema = given ?? schema
      return read()
    },
    onPage(event) {
      const wants = (one: Watcher) => (event === 'focus' ? one.readOnFocus : one.readOnReconnect)
      if (![...watchers].some(wants)) return
      readIn(random() * SPREAD_MS[event])
    },
    refresh: () => read('no-cache'),
    update: (change) => cache.update(input, change as (data: unknown) => unknown, init),
    reset() {
      reading?.gone.abort()
      reading = behind = held = failure = response = checked = undefined
      isReady = false
      if (watchers.size > 0) read()
      tell()
    },
    forget() {
      // React renders once more at once before it gives up.
      clock.sleep(0).then(() => {
        forgotten = failure
        leave()
      })
    },
    isForgotten: () => failure !== undefined && failure === forgotten,
    isBusy: () => watchers.size > 0 || reading !== undefined,
    touched: 0,
  }
  return view
}
