import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CacheError } from '../errors.ts'
import { mayServeOnError, numbersOf } from '../http/decide.ts'
import type { LogSelector } from '../http/message.ts'
import { covers, purgeEffect } from '../http/purge-effect.ts'
import type { CacheEvent, Stats } from '../ports/event-sink.ts'
import { type Answer, replay, toResponse } from './answer.ts'
import type { CacheRequestInit, Explanation, NearCache, PurgeSelector } from './api.ts'
import type { Accept } from './arrival.ts'
import { label } from './cache-key.ts'
import { type Core, decisionContext, ruleName } from './core.ts'
import { unlessAborted } from './deadlines.ts'
import { decideNow } from './decide-now.ts'
import { dehydrate, hydrate, publicTags } from './dehydration.ts'
import { toHeaders } from './header-list.ts'
import { invalidate } from './invalidate.ts'
import type { JsonViews, Parsed } from './json-views.ts'
import type { KeyedListeners } from './keyed-listeners.ts'
import { type Presented, present } from './presented.ts'
import { refill } from './refill.ts'
import { respond } from './respond.ts'

/** What one partition has of its own, for as long as it is entered: nothing of it reaches the next one. */
export interface Session {
  readonly core: Core
  readonly views: JsonViews
  read(input: RequestInfo | URL, init?: CacheRequestInit): Presented
  /** Why nothing of it may be given to anyone any more. */
  over?: DOMException
  /** What came after it, when another context has entered another partition: for as long as that lasts, what was asked for here goes past the cache. */
  next?: Session
  /** Whether another context has entered another partition: everything bypasses. */
  readonly isOutside: boolean
}

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

const NOTHING = new Uint8Array()

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
    work: (presented: Presented, mine: Session) => Promise<readonly [Answer, () => T]>,
  ): Promise<T> {
    const mine = session()
    const { core } = mine
    const start = core.now()
    const given = mine.read(input, init)
    const presented = !given.passBy && (closing || mine.isOutside) ? { ...given, passBy: 'bypass' as const } : given
    const { url, method } = presented.request
    let result: () => T
    try {
      const [answer, give] = await work(presented, mine)
      if (mine.over && !presented.passBy) throw mine.over
      const { cause, status, numbers, stored, path, body } = answer
      result = give
      // Made only for who asks.
      presented.init.nearcache?.onAnswer?.({ cause, status, headers: toHeaders(answer.headers()) })
      core.emit({
        type: 'answered',
        url,
        method,
        cause,
        status,
        durationMs: core.now() - start,
        ...(numbers && { numbers }),
        bytesSaved: 'bytes' in body ? (body.bytes?.byteLength ?? 0) : 0,
        msSaved: path === 'hit' ? (stored?.delta ?? 0) : 0,
        ...ruleName(presented.rule),
      })
    } catch (error) {
      if (mine.next === session() && !presented.passBy && !presented.signal?.aborted) return answered(input, init, work)
      core.emit({ type: 'rejected', url, error })
      throw error
    }
    return result()
  }

  const fetch: NearCache['fetch'] = async (input, init) => {
    if (closing) {
      const { nearcache: _, ...plain } = init ?? {}
      return session().core.transport(input, init && plain)
    }
    return answered(input, init, async (presented, { core }) => {
      const answer = await respond(presented, core)
      return [answer, () => toResponse(answer, core.settings.cacheStatus)]
    })
  }

  const json: NearCache['json'] = async <T>(
    input: RequestInfo | URL,
    init?: CacheRequestInit & { schema?: StandardSchemaV1<unknown, T> },
  ): Promise<T> => {
    const { schema, ...rest } = init ?? {}
    return answered(input, init && rest, async (presented, { core, views }) => {
      const made = (parsed: Parsed): T | Promise<T> =>
        schema && parsed.data !== undefined ? views.validate(parsed, schema) : (parsed.data as T)
      const parse = (bytes: Uint8Array<ArrayBuffer>) => made(views.parse(bytes))
      const isUsable: Accept = (bytes) => {
        const parsed = parse(bytes)
        return !(parsed instanceof Promise) || parsed.then(() => true)
      }
      const answer = await respond(presented, core, isUsable)
      if (answer.status < 200 || answer.status > 299) {
        return [
          answer,
          () => {
            throw notOk(answer, presented, core)
          },
        ]
      }
      try {
        const bytes = 'bytes' in answer.body ? (answer.body.bytes ?? NOTHING) : await bytesOf(answer, presented)
        const parsed = made(views.overlaid(presented.key, bytes) ?? views.parse(bytes))
        const data = parsed instanceof Promise ? await unlessAborted(parsed, presented.signal) : parsed
        return [answer, () => data]
      } catch (error) {
        if (presented.signal?.aborted) throw error
        const good = presented.passBy ? undefined : await lastGood(presented, core)
        if (good && good.stored !== answer.stored) {
          // A good one that is none for this caller changes nothing.
          const found = await bytesOf(good, presented)
            .then(parse)
            .then(
              (data) => ({ data }),
              () => undefined,
            )
          if (found) return [good, () => found.data]
        }
        if (!(error instanceof SyntaxError || error instanceof CacheError)) throw error
        return [
          answer,
          () => {
            throw error instanceof SyntaxError ? notJson(error, answer, presented) : error
          },
        ]
      }
    })
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

/** The body as it is kept, or as it comes when it is too large to keep. */
async function bytesOf({ body }: Answer, { signal }: Presented): Promise<Uint8Array<ArrayBuffer>> {
  if ('bytes' in body) return body.bytes ?? NOTHING
  if ('raw' in body) return new Uint8Array(await body.raw.arrayBuffer())
  const whole = await unlessAborted(body.whole, signal)
  if (!whole) return new Uint8Array(await new Response(body.stream).arrayBuffer())
  body.stream.cancel().catch(() => {})
  return whole
}

/** The last good response, when the new one is of no use: under the same permission as for any other error of the origin (RFC 5861 §4). */
async function lastGood(presented: Presented, core: Core): Promise<Answer | undefined> {
  const record = core.store.peek(presented.key) ?? (await core.store.read(presented.key))
  const decision = decideNow(presented, record, core)
  const stored = 'stored' in decision ? decision.stored : undefined
  const numbers = stored && mayServeOnError(stored, presented.request, decisionContext(presented, core))
  if (!stored?.body.bytes || !numbers || stored.status > 299) return undefined
  return replay(stored, presented.request, numbers, 'stale-if-error', { why: 'stale' })
}

function notOk(answer: Answer, { request }: Presented, core: Core): CacheError {
  const response = toResponse(answer, core.settings.cacheStatus)
  return new CacheError('status', `${request.url} answered ${answer.status} ${answer.statusText}`.trim(), { response })
}

function notJson(cause: SyntaxError, answer: Answer, { request }: Presented): CacheError {
  const { status, statusText, headers } = answer
  const response = new Response(null, { status, statusText, headers: toHeaders(headers()) })
  return new CacheError(
    'parse',
    `The body of ${request.url} is not JSON: ${cause.message}. Use fetch() for other kinds of bodies`,
    { cause, response },
  )
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
