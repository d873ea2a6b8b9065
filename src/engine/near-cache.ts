import type { StandardSchemaV1 } from '@standard-schema/spec'
import { numbersOf } from '../http/decide.ts'
import type { Ms } from '../http/message.ts'
import type { CacheEvent, Stats } from '../ports/event-sink.ts'
import { type Answer, type Given, toResponse } from './answer.ts'
import type { CacheRequestInit, NearCache } from './api.ts'
import { decisionContext, ruleName } from './core.ts'
import { hasLeft } from './deadlines.ts'
import { decideNow, never } from './decide-now.ts'
import { dehydrate, hydrate } from './dehydration.ts'
import { explain } from './explain.ts'
import { toHeaders } from './header-list.ts'
import { invalidate } from './invalidate.ts'
import type { Listeners } from './listeners.ts'
import { concerns, logSelector } from './log-selector.ts'
import type { Presented } from './presented.ts'
import { readJson } from './read-json.ts'
import { refill } from './refill.ts'
import { respond } from './respond.ts'
import type { Session } from './session.ts'

/** What the public methods need beside the session. */
export interface NearCacheParts {
  readonly listeners: Listeners
  setPartition: NearCache['setPartition']
  stats(memoryBytes: number): Stats
  /** Resolves when nothing is going on in the background. */
  settled(): Promise<void>
  /** From then on nothing is told to other contexts or heard from them. */
  leaveTabs(): void
}

/** What is done for one request: what memory has is there at once. */
type Work<T> = (presented: Presented, mine: Session) => Given<T> | Promise<Given<T>>

/** One request to a public method, and in whose session it was made. */
interface Call<T> {
  readonly input: RequestInfo | URL
  readonly init: CacheRequestInit | undefined
  readonly work: Work<T>
  readonly presented: Presented
  readonly mine: Session
}

/** What comes after it comes one promise later. */
const PRESENT = /* @__PURE__ */ Promise.resolve()

/** The public methods, over the session of the moment. */
export function createNearCache(
  session: () => Session,
  { listeners, setPartition, stats, settled, leaveTabs }: NearCacheParts,
): NearCache {
  let closing: Promise<void> | undefined

  /** A request as it goes past a cache that is closed, or that is in no partition of the moment: what the browser has below may then be of whoever was signed in. */
  function pastIt(given: Presented, { core, isOutside }: Session): Presented {
    if (given.passBy || !(closing || isOutside)) return given
    const { cacheMode } = given.request
    // Nothing is stored here, and what the browser has cannot be validated without a request.
    if (isOutside && cacheMode === 'only-if-cached') return given
    const isWary = isOutside && core.settings.browserCache && (cacheMode === 'default' || cacheMode === 'force-cache')
    return { ...given, passBy: 'bypass', ...(isWary && { init: { ...given.init, cache: 'no-cache' } }) }
  }

  /** Does `work` for one request, and tells how it ended: exactly one event for each. What it gives or throws in the end is the answer's, too. */
  function answered<T>(input: RequestInfo | URL, init: CacheRequestInit | undefined, work: Work<T>): Promise<T> {
    const mine = session()
    let presented: Presented
    try {
      presented = pastIt(mine.read(input, init), mine)
    } catch (error) {
      return Promise.reject(error)
    }
    const call = { input, init, work, presented, mine }
    let worked: Given<T> | Promise<Given<T>>
    try {
      worked = work(presented, mine)
    } catch (error) {
      worked = Promise.reject(error)
    }
    return 'then' in worked ? answeredLater(worked, call) : answeredNext(worked, call)
  }

  /** A hit in memory is there at once, but given a moment later: by then its partition may have been left. */
  const answeredNext = <T>(given: Given<T>, call: Call<T>): Promise<T> =>
    PRESENT.then(() => {
      const { answer } = given
      try {
        // What was told of an earlier hit is as old as that one.
        const isOld = answer.event && listeners.hears()
        const event = isOld ? answeredWith({ ...answer, ...numbersNow(answer, call) }, call, 0) : answer.event
        answer.event = event ?? answeredWith(answer, call, 0)
        tell(answer, answer.event, call)
      } catch (error) {
        return failed(error, call)
      }
      return given.give()
    })

  async function answeredLater<T>(worked: Promise<Given<T>>, call: Call<T>): Promise<T> {
    const { now } = call.mine.core
    const start = now()
    let given: Given<T>
    try {
      given = await worked
      tell(given.answer, answeredWith(given.answer, call, now() - start), call)
    } catch (error) {
      return failed(error, call)
    }
    return given.give()
  }

  /** @throws when its partition has been left, or its caller has, and what `onAnswer` throws */
  function tell(answer: Answer, event: CacheEvent, { presented, mine }: Call<unknown>): void {
    if (mine.over && !presented.passBy) throw mine.over
    if (hasLeft(presented)) throw presented.signal?.reason
    const { cause, status } = answer
    // Made only for who asks.
    presented.init.nearcache?.onAnswer?.({ cause, status, headers: toHeaders(answer.headers()) })
    mine.core.emit(event)
  }

  /** What was left for another partition that another context has entered is asked for there. @throws the error, which is told, otherwise */
  function failed<T>(error: unknown, { input, init, work, presented, mine }: Call<T>): Promise<T> {
    if (mine.next === session() && !presented.passBy && !presented.signal?.aborted) return answered(input, init, work)
    mine.core.emit({ type: 'rejected', url: presented.request.url, error })
    throw error
  }

  /** As it was before there was a cache. */
  async function plainFetch(input: RequestInfo | URL, init?: CacheRequestInit): Promise<Response> {
    const { nearcache: _, ...plain } = init ?? {}
    return session().core.transport(input, init && plain)
  }

  const responded = (presented: Presented, { core }: Session): Given<Response> | Promise<Given<Response>> => {
    // A worker's events have a signal each, and streams of ours would keep it from stopping.
    const signal = core.settings.follows ? undefined : presented.signal
    // What is served because time was over is not ended by that.
    const live = () => (signal?.aborted ? undefined : signal)
    const given = (answer: Answer) => ({ answer, give: () => toResponse(answer, core.settings, live()) })
    const answer = respond(presented, core)
    return 'then' in answer ? answer.then(given) : given(answer)
  }

  const fetch: NearCache['fetch'] = (input, init) =>
    closing ? plainFetch(input, init) : answered(input, init, responded)

  const reading =
    <T>(schema: StandardSchemaV1<unknown, T> | undefined) =>
    (presented: Presented, mine: Session) =>
      readJson(presented, mine, schema)

  const json: NearCache['json'] = <T>(
    input: RequestInfo | URL,
    init?: CacheRequestInit & { schema?: StandardSchemaV1<unknown, T> },
  ): Promise<T> => {
    if (!init) return answered<T>(input, init, readJson)
    const { schema, ...rest } = init
    return answered(input, rest, reading(schema))
  }

  const peek: NearCache['peek'] = <T>(input: RequestInfo | URL, init?: CacheRequestInit) => {
    const { core, views, read } = session()
    const presented = read(input, init)
    if (core.store.doubt()) return undefined
    const decision = decideNow(presented, core.store.peek(presented.key), core, never)
    if (!('stored' in decision) || !decision.stored) return undefined
    const { stored, cause, kind, numbers } = decision
    const stale = (kind !== 'reuse' && kind !== 'reuse-and-revalidate') || !numbers || numbers.staleForMs >= 0
    const ageMs = () => numbersOf(stored, presented.request, decisionContext(presented, core)).ageMs
    return views.peek(presented.key, stored, stale, cause, ageMs) as ReturnType<typeof peek<T>>
  }

  const update: NearCache['update'] = <T>(
    input: RequestInfo | URL,
    change: (data: T) => T,
    init?: CacheRequestInit,
  ) => {
    const mine = session()
    const { core, views, read } = mine
    const presented = read(input, init)
    const { url } = presented.request
    const decision = decideNow(presented, core.store.peek(presented.key), core)
    const takeBack = views.update(
      presented.key,
      'stored' in decision ? decision.stored : undefined,
      change as (data: unknown) => unknown,
      core.nextSequence(),
    )
    if (takeBack) core.emit({ type: 'updated', url }, presented)
    return {
      rollback() {
        // What was changed in a partition that was left is gone, and shown to no `change` any more.
        if (!mine.over && takeBack?.()) core.emit({ type: 'updated', url }, presented)
      },
    }
  }

  const purge: NearCache['purge'] = async (selector, { mode = 'soft', spreadMs } = {}) => {
    const mine = session()
    const { core } = mine
    const purged = logSelector(selector, core)
    // What is looked at is found before memory forgets which tags it had.
    const looked = spreadMs === undefined ? [] : listeners.keyed.requests((one) => concerns(purged, one, core))
    const receipt = invalidate(purged, mode, core, spreadMs)
    refill(looked, spreadMs ?? 0, core, () => closing !== undefined || mine.over !== undefined || mine.isOutside)
    return receipt
  }

  function subscribe(
    input: RequestInfo | URL,
    listener: (event: CacheEvent) => void,
    init?: CacheRequestInit,
  ): () => void {
    let isOver = false
    const end = listeners.keyed.add(session().read(input, init), (event) => !isOver && listener(event))
    return () => {
      isOver = true
      end()
    }
  }

  return {
    fetch,
    json,
    peek,
    update,
    async explain(input, init) {
      const { core, read } = session()
      return explain(read(input, init), core)
    },
    purge,
    subscribe,
    on: listeners.on,
    stats: () => stats(session().core.store.memoryBytes()),
    dehydrate: async (filter) => dehydrate(session().core, filter),
    hydrate: (state) => hydrate(state, session().core),
    setPartition,
    settled,
    close() {
      closing ??= (async () => {
        const { flights, store } = session().core
        flights.close(new DOMException('The cache was closed', 'AbortError'), 'what nobody reads')
        await settled()
        leaveTabs()
        await store.close()
      })()
      return closing
    },
  }
}

/** How old what was answered is by now. */
const numbersNow = ({ stored }: Answer, { presented, mine }: Call<unknown>) =>
  stored && { numbers: numbersOf(stored, presented.request, decisionContext(presented, mine.core)) }

/** What is told of an answer: the same to all who listen, and of all hits of one moment. */
function answeredWith(answer: Answer, { presented, mine }: Call<unknown>, durationMs: Ms): CacheEvent {
  const { request, rule } = presented
  const { freeze } = mine.core.settings
  const { cause, status, numbers, stored, path, body } = answer
  const { url, method } = request
  const bytesSaved = 'bytes' in body ? (body.bytes?.byteLength ?? 0) : 0
  const msSaved = path === 'hit' ? (stored?.delta ?? 0) : 0
  // Every hit comes by here: at once as it is, not put together.
  const told = { type: 'answered', url, method, cause, status, durationMs, numbers, bytesSaved, msSaved } as const
  return freeze(rule ? { ...told, ...ruleName(rule) } : told)
}
