import { CacheError } from '../errors.ts'
import { listMembers } from '../http/fields.ts'
import { parseHttpDate } from '../http/http-date.ts'
import { TAG_FIELD } from '../http/tags.ts'
import { systemClock } from '../platform/system-clock.ts'
import type { Clock } from '../ports/clock.ts'
import { type CacheDirectives, cacheControl } from './cache-control.ts'
import { matchesAny, matchesRange, strongTag } from './entity-tag.ts'
import { tagList } from './tag-list.ts'

/** How the answers of a route may be cached. */
export interface HttpCachePolicy extends CacheDirectives {
  /** Request fields on which the answer depends, beside those that the handler's own `Vary` names. */
  readonly vary?: string | readonly string[]
  /** Labels by which it can be purged, or what gives them for one answer. Letters, digits and punctuation, without spaces and commas. */
  readonly tags?: readonly string[] | ((request: Request, response: Response) => readonly string[])
  /** The field that carries the tags to browsers, beside `Cache-Tag`, which most CDNs keep for themselves. The same as the cache's own `tagField`. @default 'nearcache-tag' */
  readonly tagField?: string
  /** The largest body that is read as a whole for its `ETag`, in bytes; a larger one is passed on as it comes, without. 0: no ETags. @default 1 MiB */
  readonly maxTaggedBytes?: number
}

/** Answers a request: the handler of a worker, of Hono (`c.req.raw`), of Next, of `toNodeHandler`. What comes after the request is passed on. */
export type Handler<Rest extends readonly unknown[] = readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>

const MIB = 2 ** 20

/** Fields that a cache in a browser needs, and that script sees across origins only when they are named (Fetch, CORS-exposed header names). */
const exposed = [
  'Age',
  'Cache-Groups',
  'Cache-Group-Invalidation',
  'Cache-Status',
  'Date',
  'ETag',
  'No-Vary-Search',
  'Vary',
]

/** What describes the content, and has no place in a 304 (RFC 9110 §15.4.5). */
const ofContent = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'transfer-encoding',
  'trailer',
]

/**
 * A handler whose answers to GET and HEAD can be cached and validated:
 *
 * - `Cache-Control`, `Vary` and the tags of the policy, on successful answers. What the handler says itself stands. An answer that sets a cookie is `private` at least. An error (400 and
 *   above) gets `no-store` where the handler says nothing.
 * - A strong `ETag` of the body's bytes, where the handler gives none, for a 200 up to `maxTaggedBytes`; event streams are never held up.
 * - Conditions in their order (RFC 9110 §13.2.2), on a 200 or 206: 412 to `If-Match` and `If-Unmodified-Since`; 304 to `If-None-Match` (weak comparison, lists, `*`) and, only without it, to
 *   `If-Modified-Since`. A handler that answers ranges is asked again, for the whole, where `If-Range` names another representation.
 * - HEAD: the handler is asked for GET and its body left out, so that both give the same fields.
 * - `Date`, and `Access-Control-Expose-Headers` for what a cache in a browser needs to see.
 *
 * Other methods pass untouched, but for that last field.
 *
 * @throws CacheError with code `option`, at once, when the policy contradicts itself
 */
export function withHttpCache<Rest extends readonly unknown[]>(
  handler: Handler<Rest>,
  policy: HttpCachePolicy,
  { clock = systemClock }: { readonly clock?: Clock } = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  const { maxTaggedBytes = MIB, tagField = TAG_FIELD } = policy
  if (!(maxTaggedBytes >= 0))
    throw new CacheError('option', `maxTaggedBytes is ${maxTaggedBytes}; it must be a number of bytes, 0 or more`, {
      path: 'maxTaggedBytes',
    })
  const control = { own: cacheControl(policy), withCookie: cacheControl(withoutShared(policy)) }
  if (typeof policy.tags !== 'function') tagList(policy.tags ?? [])

  function label(headers: Headers, request: Request, response: Response): void {
    const isSuccess = response.ok || response.status === 304
    if (!headers.has('cache-control')) {
      const value = isSuccess
        ? control[headers.has('set-cookie') ? 'withCookie' : 'own']
        : response.status >= 400
          ? 'no-store'
          : ''
      if (value) headers.set('cache-control', value)
    }
    if (!headers.has('date')) headers.set('date', new Date(clock.now()).toUTCString())
    merge(headers, 'vary', typeof policy.vary === 'string' ? listMembers(policy.vary) : (policy.vary ?? []))
    if (!isSuccess) return
    const tags = typeof policy.tags === 'function' ? policy.tags(request, response) : (policy.tags ?? [])
    const list = tagList(tags)
    if (list === '') return
    for (const name of ['cache-tag', tagField]) if (!headers.has(name)) headers.set(name, list)
  }

  return async (request, ...rest) => {
    const isHead = request.method === 'HEAD'
    if (request.method !== 'GET' && !isHead) return expose(await handler(request, ...rest), tagField)
    let response = await handler(isHead ? asWhole(request) : request, ...rest)
    if (!isHead && needsWhole(request.headers, response)) {
      drop(response.body)
      response = await handler(asWhole(request), ...rest)
    }
    // A network error, or what was upgraded.
    if (response.status < 200) return response
    const headers = new Headers(response.headers)
    label(headers, request, response)
    let body: BodyInit | null = response.body
    if (response.status === 200 && response.body && !headers.has('etag') && mayBeRead(headers, maxTaggedBytes)) {
      const read = await readUpTo(response.body, maxTaggedBytes)
      body = 'bytes' in read ? read.bytes : read.stream
      if ('bytes' in read) {
        headers.set('etag', await strongTag(read.bytes))
        if (!headers.has('content-length')) headers.set('content-length', String(read.bytes.byteLength))
      }
    }
    const isConditional = response.status === 200 || response.status === 206
    const instead = isConditional ? failedCondition(request.headers, headers, clock) : undefined
    if (instead || isHead) drop(body)
    if (!instead)
      return expose(
        new Response(isHead ? null : body, { status: response.status, statusText: response.statusText, headers }),
        tagField,
      )
    for (const name of ofContent) headers.delete(name)
    if (headers.has('etag')) headers.delete('last-modified')
    if (instead === 412) headers.set('cache-control', 'no-store')
    return expose(new Response(null, { status: instead, statusText: NAMES[instead], headers }), tagField)
  }
}

const NAMES = { 304: 'Not Modified', 412: 'Precondition Failed' }

/**
 * Whether a handler that answers ranges is to be asked for the whole after all: where `If-Range` does not let it answer a part (RFC 9110 §13.2.2, step 5), or a condition asks for a tag that only
 * the whole will have.
 */
function needsWhole(asked: Headers, { status, headers }: Response): boolean {
  const ifRange = asked.has('range') ? asked.get('if-range') : null
  if (status === 416) return ifRange !== null
  if (status !== 206) return false
  const asksForTag = asked.has('if-match') || asked.has('if-none-match')
  return (asksForTag && !headers.has('etag')) || (ifRange !== null && !matchesRange(ifRange, headers))
}

/** A GET of the whole. Ranges are none of a HEAD's business (RFC 9110 §14.2). */
function asWhole(request: Request): Request {
  const headers = new Headers(request.headers)
  for (const name of ['range', 'if-range']) headers.delete(name)
  return new Request(request, { method: 'GET', headers })
}

/** A cookie is one user's, so the answer that sets it is no shared cache's. */
function withoutShared({ public: _, sMaxage: __, proxyRevalidate: ___, ...policy }: CacheDirectives): CacheDirectives {
  return policy.noStore && !policy.mustUnderstand ? policy : { ...policy, private: true }
}

/** Whether it may be held up until it has been read: not what is too large by its own word, and not what has no end. */
function mayBeRead(headers: Headers, maxBytes: number): boolean {
  const length = Number(headers.get('content-length') ?? 0)
  const isStream = /^(?:text\/event-stream|multipart\/x-mixed-replace)/i.test(headers.get('content-type') ?? '')
  return maxBytes > 0 && !isStream && !(length > maxBytes)
}

/** All of a body; or, where that is too much, a body that begins with what was read of it. */
async function readUpTo(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer> } | { readonly stream: ReadableStream<Uint8Array> }> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    size += value.byteLength
    if (size > maxBytes) return { stream: joined(chunks, reader) }
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return { bytes }
}

const joined = (chunks: Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = chunks.length > 0 ? { done: false, value: chunks.shift() } : await reader.read()
        if (done) controller.close()
        else controller.enqueue(value as Uint8Array)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )

/** What a client gets whose condition fails, in the order of RFC 9110 §13.2.2: tags decide, and only without any the date. */
function failedCondition(asked: Headers, headers: Headers, clock: Clock): 304 | 412 | undefined {
  const etag = headers.get('etag')
  const dateOf = (value: string | null) => parseHttpDate(value ?? '', clock.now())
  const modified = dateOf(headers.get('last-modified'))
  /** Whether it was modified since the moment that a field names; `undefined` where one of both is not known. */
  const isLater = (name: string) => {
    const since = dateOf(asked.get(name))
    return since !== undefined && modified !== undefined ? modified > since : undefined
  }
  const ifMatch = asked.get('if-match')
  if (ifMatch === null ? isLater('if-unmodified-since') : !matchesAny(ifMatch, etag, 'strong')) return 412
  const ifNoneMatch = asked.get('if-none-match')
  if (ifNoneMatch === null ? isLater('if-modified-since') === false : matchesAny(ifNoneMatch, etag)) return 304
  return undefined
}

function drop(body: BodyInit | null): void {
  if (body instanceof ReadableStream) body.cancel().catch(() => {})
}

/** Adds names to a list-based field that are not in it; `*` stands for all of them, where it does. */
function merge(headers: Headers, field: string, names: readonly string[], isWild = true): void {
  const value = headers.get(field)
  const members = listMembers(value ?? '')
  const known = members.map((name) => name.toLowerCase())
  const missing = names.filter((name, index) => !known.includes(name.toLowerCase()) && names.indexOf(name) === index)
  if ((isWild && known.includes('*')) || missing.length === 0) return
  headers.set(field, [...members, ...missing].join(', '))
}

function expose(response: Response, tagField: string): Response {
  // The headers of a response that was fetched are immutable.
  const headers = new Headers(response.headers)
  // With credentials `*` is a name like any other (Fetch, CORS protocol and credentials).
  const isWild = headers.get('access-control-allow-credentials') !== 'true'
  merge(headers, 'access-control-expose-headers', [...exposed, tagField], isWild)
  const { status, statusText, body } = response
  return status < 200 ? response : new Response(body, { status, statusText, headers })
}
