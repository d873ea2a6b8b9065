import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CacheError } from '../errors.ts'
import { numbersOf } from '../http/decide.ts'
import type { LogSelector, Ms } from '../http/message.ts'
import { covers, purgeEffect } from '../http/purge-effect.ts'
import type { CacheEvent, Stats } from '../ports/event-sink.ts'
import { type Answer, toResponse } from './answer.ts'
import type { CacheRequestInit, Explanation, NearCache, PurgeSelector } from './api.ts'
import { label } from './cache-key.ts'
import { type Core, decisionContext, ruleName } from './core.ts'
import { decideNow } from './decide-now.ts'
import { dehydrate, hydrate, publicTags } from './dehydration.ts'
import { toHeaders } from './header-list.ts'
import { invalidate } from './invalidate.ts'
import type { KeyedListeners } from './keyed-listeners.ts'
import { type Presented, present } from './presented.ts'
import { readJson } from './read-json.ts'
import { refill } from './refill.ts'
import { respond } from './respond.ts'
import type { Given, Session } from './session.ts'

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

/** Request fields whose values are shown to nobody. */
const CREDENTIALS = ['authorization', 'cookie', 'proxy-authorization']

/** For those who only look: a draw by which nothing is ever refreshed early. */
const never = () => 0

/** Who listens, to everything or to one key. */
export interface Listeners {
  readonly all: Set<(event: CacheEvent) => void>
  readonly keyed: KeyedListeners
}

/** The public methods, over the session of the moment. */
export function createNearCache(
  session: () => Session,
  { listeners, setPartition, stats, settled, leaveTabs }: NearCacheParts,
): NearCache {
  let closing: Promise<void> | undefined

  /** Does `work` for one request, and tells how it ended: exactly one event for each. What it gives or throws in the end is the answer's, too. */
  async function answered<T>(
    input: RequestInfo | URL,
    init: CacheRequestInit | undefined,
    work: (presented: Presented, mine: Session) => Given<T> | Promise<Given<T>>,
  ): Promise<T> {
    const mine = session()
    const { core } = mine
    const given = mine.read(input, init)
    const presented = !given.passBy && (closing || mine.isOutside) ? { ...given, passBy: 'bypass' as const } : given
    const { url } = presented.request
    let result: () => T
    try {
      const worked = work(presented, mine)
      // A hit in memory is there at once, but given a moment later: by then its partition may have been left.
      const start = 'then' in worked ? core.now() : undefined
      const { answer, give } = await worked
      if (mine.over && !presented.passBy) throw mine.over
      result = give
      const { cause, status } = answer
      // Made only for who asks.
      presented.init.nearcache?.onAnswer?.({ cause, status, headers: toHeaders(answer.headers()) })
      core.emit(answeredWith(answer, presented, start === undefined ? 0 : core.now() - start))
    } catch (error) {
      if (mine.next === session() && !presented.passBy && !presented.signal?.aborted) return answered(input, init, work)
      core.emit({ type: 'rejected', url, error })
      throw error
    }
    return result()
  }

  /** As it was before there was a cache. */
  async function plainFetch(input: RequestInfo | URL, init?: CacheRequestInit): Promise<Response> {
    const { nearcache: _, ...plain } = init ?? {}
    return session().core.transport(input, init && plain)
  }

  const responded = (presented: Presented, { core }: Session): Given<Response> | Promise<Given<Response>> => {
    const given = (answer: Answer) => ({ answer, give: () => toResponse(answer, core.settings) })
    const answer = respond(presented, core)
    return 'then' in answer ? answer.then(given) : given(answer)
  }

  const fetch: NearCache['fetch'] = (input, init) =>
    closing ? plainFetch(input, init) : answered(input, init, responded)

  const json: NearCache['json'] = <T>(
    input: RequestInfo | URL,
    init?: CacheRequestInit & { schema?: StandardSchemaV1<unknown, T> },
  ): Promise<T> => {
    if (!init) return answered<T>(input, init, readJson)
    const { schema, ...rest } = init
    return answered(input, rest, (presented, mine) => readJson(presented, mine, schema))
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

  const explain: NearCache['explain'] = async (input, init) => {
    const { core, read } = session()
    const presented = read(input, init)
    const { key, passBy, request, rule } = presented
    const record = core.store.peek(key) ?? (passBy ? undefined : await core.store.read(key))
    const decision = passBy ? undefined : decideNow(presented, record, core, never)
    const stored = decision && 'stored' in decision ? decision.stored : undefined
    const purge = stored && purgeEffect(stored, core.store.log())
    return {
      url: request.url,
      decision: decision?.kind ?? 'bypass',
      cause: decision?.cause ?? (passBy as 'method' | 'bypass'),
      // Credentials are part of some keys; they are nobody's business.
      key: key.map((part, index) => (key[index - 1] === 'authorization' ? '…' : part)),
      candidates: (record?.responses ?? []).map(
        ({ url, status, vary, nominated, tags, epoch, responseTime, body }) => ({
          url,
          status,
          vary,
          nominated: nominated.map(([name, value]) => [name, CREDENTIALS.includes(name) ? '…' : value] as const),
          tags: publicTags(tags),
          epoch,
          responseTime,
          bytes: body.size,
        }),
      ),
      ...(decision && 'numbers' in decision && decision.numbers && { numbers: decision.numbers }),
      ...(purge && { purge: { mode: purge.mode, number: purge.number } }),
      ...ruleName(rule),
    } satisfies Explanation
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

  function on(listener: (event: CacheEvent) => void): () => void {
    // Whoever ends it inside an event hears no more of that one either.
    const mine = (event: CacheEvent) => listeners.all.has(mine) && listener(event)
    listeners.all.add(mine)
    return () => {
      listeners.all.delete(mine)
    }
  }

  return {
    fetch,
    json,
    peek,
    update,
    explain,
    purge,
    subscribe,
    on,
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

/** What is told of an answer. */
function answeredWith(answer: Answer, { request, rule }: Presented, durationMs: Ms): CacheEvent {
  const { cause, status, numbers, stored, path, body } = answer
  const { url, method } = request
  const bytesSaved = 'bytes' in body ? (body.bytes?.byteLength ?? 0) : 0
  const msSaved = path === 'hit' ? (stored?.delta ?? 0) : 0
  const type = 'answered'
  // Every hit comes by here: at once as it is, not put together.
  if (numbers && !rule) return { type, url, method, cause, status, durationMs, numbers, bytesSaved, msSaved }
  return {
    ...{ type, url, method, cause, status, durationMs, bytesSaved, msSaved },
    ...(numbers && { numbers }),
    ...ruleName(rule),
  }
}

/** A caller's selector as the log has it: absolute, and with everything that is stored for a URL that means the same. */
function logSelector(selector: PurgeSelector, { place }: Core): LogSelector {
  if ('url' in selector) return { urls: [present(selector.url, undefined, place).request.url] }
  if ('pattern' in selector) return { pattern: place.absolute(selector.pattern) }
  if ('tag' in selector) return { tags: [selector.tag] }
  if ('tags' in selector) return { tags: selector.tags }
  if ('partition' in selector) return { partition: selector.partition }
  if ('all' in selector) return { all: true }
  throw new CacheError(
    'option',
    'purge() needs one of { url }, { tag }, { tags }, { pattern }, { partition }, { all: true }',
    {
      path: 'selector',
    },
  )
}

/** Whether a purge may concern what a subscriber looks at, whether memory holds it or not. */
export const concerns = (selector: LogSelector, { key, keyUrl, request }: Presented, core: Core): boolean =>
  covers(selector, request.url, [label(keyUrl)]) ||
  (core.store.peek(key)?.responses ?? []).some(({ url, tags }) => covers(selector, url, tags))
