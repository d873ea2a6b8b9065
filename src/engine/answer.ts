import { requestedRange, sliceOf } from '../http/byte-range.ts'
import { appendCacheStatus, cacheStatusMember } from '../http/cache-status.ts'
import type { Cause, DecisionNumbers, ForwardReason } from '../http/decide.ts'
import { fieldValue } from '../http/fields.ts'
import type { HeaderList, PresentedRequest, StoredResponse } from '../http/message.ts'
import type { CacheEvent } from '../ports/event-sink.ts'
import { CachedResponse, isConstructible, isNullBodyStatus, type ResponseFacts } from './cached-response.ts'
import type { Settings } from './core.ts'
import { headerList } from './header-list.ts'
import type { BodyReader, SharedBody } from './shared-body.ts'

/** How an answer came about, for `Cache-Status`: from the store, made by us, or by way of the origin (RFC 9211 §2). */
export type Path =
  | 'hit'
  | 'refused'
  | { readonly why: ForwardReason; readonly status?: number; readonly stored?: boolean; readonly collapsed?: boolean }

/** One response on its way to a caller, before it is a `Response`. Hits of one moment share theirs, and what is made of it. */
export interface Answer {
  readonly cause: Cause
  readonly path: Path
  readonly status: number
  readonly statusText: string
  /** Made only when someone looks: most reads of data never do. */
  headers(): HeaderList
  readonly facts: ResponseFacts
  readonly body:
    | { readonly bytes: Uint8Array<ArrayBuffer> | null }
    /** Under way, and opened for this caller: who wants `whole` leaves the rest. */
    | { readonly whole: SharedBody['whole']; readonly reader: BodyReader }
    /** fetch's own response, for one reader. */
    | { readonly raw: Response }
  readonly numbers?: DecisionNumbers | undefined
  /** What was served from the store, or confirmed. */
  readonly stored?: StoredResponse | undefined
  /** What `json()` gives of a hit. */
  json?: Given<unknown> | undefined
  /** What is told of a hit. */
  event?: CacheEvent | undefined
}

/** An answer, and what of it the caller gets or has thrown at it: made when everything else about it is settled. */
export interface Given<T> {
  readonly answer: Answer
  give(): T
}

const NOTHING = new Uint8Array()

/**
 * An answer from a stored response, with its `Age` (RFC 9111 §4, §5.1): whole, without content for HEAD, or the part that a `Range` asks for (RFC 9110 §14.2).
 */
export function replay(
  stored: StoredResponse,
  presented: PresentedRequest,
  numbers: DecisionNumbers,
  cause: Cause,
  path: Path,
): Answer {
  const { status, statusText } = stored
  const bytes = stored.body.bytes ?? NOTHING
  const range = presented.method === 'HEAD' ? undefined : fieldValue(presented.headers, 'range')
  const wanted = range === undefined ? undefined : requestedRange(range)
  const slice = wanted && sliceOf(stored, wanted)
  const body = presented.method === 'HEAD' ? null : slice ? bytes.slice(slice.from, slice.to) : bytes
  return {
    cause,
    path,
    status: slice ? 206 : status,
    statusText: slice ? 'Partial Content' : statusText,
    headers: () =>
      withFields(stored.headers, [
        ['age', String(Math.max(0, Math.floor(numbers.ageMs / 1000)))],
        ...(slice
          ? ([
              ['content-range', slice.contentRange],
              ['content-length', String(slice.to - slice.from)],
            ] as const)
          : []),
      ]),
    facts: stored,
    body: { bytes: body },
    numbers,
    stored,
    json: undefined,
    event: undefined,
  }
}

/** The list with these fields in the place of those of the same names. */
const withFields = (list: HeaderList, fields: HeaderList): HeaderList => [...fields.reduce(without, list), ...fields]

/** Most lists do not have the field: looking costs less than taking each line in hand, for every answer from the disk. */
const without = (list: HeaderList, [name]: HeaderList[number]): HeaderList =>
  fieldValue(list, name) === undefined ? list : list.filter((line) => line[0] !== name)

/** An answer that is the origin's own response, passed on. */
export const passOn = (raw: Response, url: string, cause: Cause, why: ForwardReason, collapsed?: boolean): Answer => ({
  cause,
  path: { why, status: raw.status, ...(collapsed !== undefined && { collapsed }) },
  status: raw.status,
  statusText: raw.statusText,
  headers: () => headerList(raw.headers),
  facts: { url: raw.url || url, type: raw.type, redirected: raw.redirected, raw },
  body: { raw },
})

/**
 * The `Response` that the caller gets.
 *
 * @param signal - the caller's, where one is to end a stored body
 */
export function toResponse(answer: Answer, { cacheStatus, LazyResponse }: Settings, signal?: AbortSignal): Response {
  const { body, status, statusText, facts } = answer
  if ('raw' in body && (!cacheStatus || !isConstructible(status))) return body.raw
  const content = 'raw' in body ? body.raw.body : 'reader' in body ? body.reader.stream() : body.bytes
  const headers = () => fieldsOf(answer, cacheStatus) as [string, string][]
  return LazyResponse && content instanceof Uint8Array && !isNullBodyStatus(status)
    ? new LazyResponse(content, { status, statusText }, headers, facts, signal)
    : new CachedResponse(content, { status, statusText, headers: headers() }, facts, signal)
}

/** The fields that the caller sees. */
function fieldsOf({ path, cause, numbers, headers }: Answer, cacheStatus: boolean): HeaderList {
  const list = headers()
  if (!cacheStatus || path === 'refused') return list
  const ttlMs = numbers && Number.isFinite(numbers.staleForMs) ? -numbers.staleForMs : undefined
  const member = cacheStatusMember({
    name: 'nearcache',
    ...(path === 'hit' ? { hit: true } : path),
    ttlMs,
    detail: cause,
  })
  return withFields(list, [['cache-status', appendCacheStatus(fieldValue(list, 'cache-status'), member)]])
}
