import { parseHttpDate } from '../http/http-date.ts'
import type { EpochMs, Ms } from '../http/message.ts'
import { etagsMatch } from '../http/validation.ts'

/**
 * What goes wrong with an exchange:
 *
 * - `network`: no connection. fetch rejects with a `TypeError`.
 * - `hang`: the head never comes.
 * - `reset`: the connection breaks in the middle of the body; its stream fails with a `TypeError`.
 * - `stall`: nothing comes after the middle of the body, and no end.
 * - `short`: the body ends normally in its middle, against its `Content-Length`.
 * - `drip`: the body comes byte by byte, one each `dripMs`.
 */
export type Fault = 'network' | 'hang' | 'reset' | 'stall' | 'short' | 'drip'

/** What an origin answers. Everything has a default. */
export interface ScriptedResponse {
  /** @default 200, or 302 with `redirect` */
  readonly status?: number
  readonly statusText?: string
  /** Fields beside those below, and before them. */
  readonly headers?: HeadersInit
  readonly cacheControl?: string
  readonly etag?: string
  readonly lastModified?: EpochMs | string
  readonly vary?: string
  /** `Cache-Tag`. */
  readonly tags?: readonly string[]
  /** `false`: none; a moment or a text: this one. @default the clock's moment at which the head leaves */
  readonly date?: EpochMs | string | false
  /** @default '' */
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  /** In the place of `body`, with its `Content-Type`. */
  readonly json?: unknown
  /** Adds `{ url, seq, at }` of the request to `json`, so that a test sees which exchange a body came from. */
  readonly stamp?: boolean
  /** Where to go instead: `Location`. Followed as fetch follows it, up to 20 times. */
  readonly redirect?: string
  /** Whether conditional requests get 304 when they match (RFC 9110 §13). @default true */
  readonly validates?: boolean
  /** How long the head takes, in milliseconds of the clock. @default 0 */
  readonly delayMs?: Ms
  readonly fault?: Fault
  /** Bytes of the body that come before its fault. @default half of them */
  readonly faultAfter?: number
  /** How long each byte takes with the fault `drip`, in milliseconds. @default 1,000 */
  readonly dripMs?: Ms
  /** As script sees it: `cors` shows the fields that CORS shows, `opaque` nothing. @default what the URL says, where the origin knows its `page`; else `basic`, as in Node */
  readonly type?: 'basic' | 'cors' | 'opaque'
}

/** What a body has to do with its surroundings. */
export interface Delivery {
  /** Passes when nothing holds the body in its middle. */
  middle(signal: AbortSignal): Promise<void>
  sleep(ms: Ms, signal: AbortSignal): Promise<void>
  /** All of it was handed over, or nobody wants the rest. */
  onEnd(how: 'sent' | 'gone'): void
}

/** The header fields of a response that leaves now. */
export function fieldsOf(response: ScriptedResponse, now: EpochMs): Headers {
  const { headers, cacheControl, etag, lastModified, vary, tags, date = now, redirect } = response
  const fields = new Headers(headers)
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined && !fields.has(name)) fields.set(name, value)
  }
  set('cache-control', cacheControl)
  set('etag', etag)
  set('last-modified', lastModified === undefined ? undefined : httpDate(lastModified))
  set('vary', vary)
  set('cache-tag', tags?.join(', '))
  set('location', redirect)
  if (date !== false) set('date', httpDate(date))
  if (isJson(response)) set('content-type', 'application/json')
  return fields
}

const httpDate = (value: EpochMs | string): string =>
  typeof value === 'number' ? new Date(value).toUTCString() : value

const isJson = ({ json, stamp }: ScriptedResponse): boolean => json !== undefined || stamp === true

/** The bytes or the stream that a response carries, before anything goes wrong with it. */
export function contentOf(
  response: ScriptedResponse,
  stamp: { readonly url: string; readonly seq: number; readonly at: EpochMs },
): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  const { body = '', json } = response
  if (!isJson(response)) return typeof body === 'string' ? new TextEncoder().encode(body) : body
  return new TextEncoder().encode(JSON.stringify(response.stamp ? { ...Object(json), ...stamp } : json))
}

/**
 * Whether the request's conditions say that the caller has it already. `If-None-Match` goes before `If-Modified-Since` (RFC 9110 §13.2.2), and is compared
 * weakly (§13.1.2).
 */
export function isNotModified(method: string, conditions: Headers, fields: Headers, now: EpochMs): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const tags = conditions.get('if-none-match')
  if (tags !== null) {
    const etag = fields.get('etag') ?? undefined
    return tags === '*' || (tags.match(/(?:W\/)?"[^"]*"|[^\s,]+/g) ?? []).some((tag) => etagsMatch(tag, etag, 'weak'))
  }
  const since = parseHttpDate(conditions.get('if-modified-since') ?? '', now)
  const modified = parseHttpDate(fields.get('last-modified') ?? '', now)
  return since !== undefined && modified !== undefined && modified <= since
}

/** The same response as its 304 carries it: without what we would add about the content, and with one validator (RFC 9110 §15.4.5). `headers` are the script's own business. */
export const asNotModified = ({ json: _, stamp: __, lastModified, ...response }: ScriptedResponse): ScriptedResponse =>
  response.etag === undefined && lastModified !== undefined ? { ...response, lastModified } : response

/** The content as it arrives: in two parts, so that something can happen between them, or as its fault has it. */
export function bodyStream(
  content: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
  response: ScriptedResponse,
  delivery: Delivery,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const gone = new AbortController()
  const abort = () => gone.abort(signal.reason)
  signal.addEventListener('abort', abort)
  const end = (how: 'sent' | 'gone') => {
    signal.removeEventListener('abort', abort)
    delivery.onEnd(how)
  }
  const source = content instanceof ReadableStream ? content.getReader() : undefined
  const pieces = source
    ? { next: () => source.read() }
    : piecesOf(content as Uint8Array<ArrayBuffer>, response, delivery, gone.signal)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await unlessAborted(() => pieces.next(), gone.signal)
          if (!done) return controller.enqueue(value)
          end('sent')
          controller.close()
        } catch (error) {
          source?.cancel(error).catch(() => {})
          end(gone.signal.aborted ? 'gone' : 'sent')
          controller.error(error)
        }
      },
      cancel(reason) {
        end('gone')
        gone.abort(reason)
        return source?.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

async function* piecesOf(
  bytes: Uint8Array<ArrayBuffer>,
  { fault, faultAfter, dripMs = 1000 }: ScriptedResponse,
  { middle, sleep }: Delivery,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined> {
  if (fault === 'drip') {
    for (let at = 0; at < bytes.byteLength; at++) {
      await sleep(dripMs, signal)
      yield bytes.slice(at, at + 1)
    }
    return
  }
  const cut = faultAfter ?? Math.floor(bytes.byteLength / 2)
  if (cut > 0) yield bytes.slice(0, cut)
  await middle(signal)
  if (fault === 'reset') throw new TypeError('terminated')
  if (fault === 'stall') await new Promise<never>(() => {})
  if (fault !== 'short' && cut < bytes.byteLength) yield bytes.slice(cut)
}

/** Fields of a cross-origin response that script sees without leave (Fetch, CORS-safelisted response-header name). */
const SAFELISTED = new Set([
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
])

/** What CORS shows of `fields` (Fetch, CORS filtered response). */
export function corsFields(fields: Headers): Headers {
  const exposed = (fields.get('access-control-expose-headers') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
  const isVisible = (name: string) => SAFELISTED.has(name) || exposed.includes(name) || exposed.includes('*')
  return new Headers([...fields].filter(([name]) => isVisible(name)))
}

/** What only fetch can give a response. */
interface FetchFacts {
  readonly url: string
  readonly redirected: boolean
  readonly type: ResponseType
  readonly status: number
  readonly statusText: string
}

/** A response as fetch gives it: it says where it came from, its fields cannot be changed, and its status may be one that no script could make. */
export function fetchedResponse(
  body: ReadableStream<Uint8Array> | null,
  headers: Headers,
  facts: FetchFacts,
): Response {
  const { status, statusText } = facts
  const isConstructible = status >= 200 && status <= 599
  return dressed(new Response(body, { status: isConstructible ? status : 200, statusText, headers }), facts)
}

function dressed(response: Response, facts: FetchFacts): Response {
  const refuse = () => {
    throw new TypeError('The headers of a fetched response are immutable')
  }
  for (const name of ['append', 'delete', 'set']) Object.defineProperty(response.headers, name, { value: refuse })
  for (const name of ['url', 'redirected', 'type', 'status'] as const)
    Object.defineProperty(response, name, { value: facts[name] })
  Object.defineProperty(response, 'ok', { value: facts.status >= 200 && facts.status <= 299 })
  const clone = () => dressed(Response.prototype.clone.call(response), facts)
  return Object.defineProperty(response, 'clone', { value: clone })
}

/** The work's result, unless the signal aborts first. */
export async function unlessAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let abort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
