import { canComplete, contentRange } from '../http/byte-range.ts'
import { responseDirectives } from '../http/cache-control.ts'
import { isOriginError } from '../http/decide.ts'
import { fieldValue } from '../http/fields.ts'
import { givenMaxAge } from '../http/freshness-lifetime.ts'
import type { HeaderList, StoredPart, StoredResponse } from '../http/message.ts'
import { purgeEffect } from '../http/purge-effect.ts'
import { storability } from '../http/storable.ts'
import { freshenedFields } from '../http/stored-fields.ts'
import { storedResponse } from '../http/stored-response.ts'
import { tagsOf } from '../http/tags.ts'
import { freshen, headUpdates } from '../http/validation.ts'
import type { Accept, Arrival, Asking, Dispatch, Landing } from './arrival.ts'
import { label, pathLabel } from './cache-key.ts'
import { CachedResponse } from './cached-response.ts'
import type { Core } from './core.ts'
import { BACKGROUND_MS, isDoneWithin } from './deadlines.ts'
import { headerList, toHeaders } from './header-list.ts'
import { change, drop, isJson, isWhole, keep, parses, sameBytes, scoped } from './keep.ts'
import { type Presented, presentedAt, rekeyed } from './presented.ts'
import { shareBody } from './shared-body.ts'

/** A response with content of its own: what it means for the store, and its body for any number of readers. */
export function receive(
  raw: Response,
  presented: Presented,
  asked: Asking,
  core: Core,
  dispatch: Dispatch,
  landing: Landing,
  accept?: Accept,
): Arrival {
  const before = asked.stored
  const cause = isConfirmedBelow(raw, presented, before, core) ? 'browser-validated' : asked.cause
  if (presented.request.method === 'HEAD') return { cause, raw, kept: updateFromHead(raw, presented, core, dispatch) }

  const reached = raw.redirected ? presentedAt(presented, raw.url, core.place) : presented
  const head = reached && headOf(raw, reached, core, dispatch)
  // The response itself may say what of its URL means nothing: it is stored where the next request looks for it.
  const target = head && (raw.redirected ? presentedAt(presented, raw.url, core.place) : rekeyed(presented, core.place))
  const stored = target && { ...head, tags: [...head.tags, ...labelsOf(head, target)] }
  if (!stored) {
    const obsolete = before && raw.status < 400 && responseDirectives(headerList(raw.headers)).noStore
    if (obsolete) core.background(drop([before.body.id], presented, core))
    // A failure of the origin is shared with everyone who waited for this request; anything else that cannot be stored is the caller's alone.
    if (!isOriginError(raw.status) || raw.type === 'opaque') return { cause, raw }
    return {
      cause,
      raw,
      shared: shareBody(raw.body ?? emptyBody(), core.settings.maxEntryBytes, {
        ...landing,
        onWhole: async (bytes) => bytes,
      }),
    }
  }
  const collected = collect(raw, stored, target, before, core, landing, accept)
  return { cause, raw, ...collected, ...(raw.redirected ? {} : { stored }) }
}

/**
 * The rest of a representation whose beginning is stored (RFC 9111 §3.4): joined only when both carry the same strong validator
 * and the one ends where the other begins. `undefined`: it is not the rest.
 */
export function complete(
  raw: Response,
  presented: Presented,
  beginning: StoredResponse,
  core: Core,
  dispatch: Dispatch,
  landing: Landing,
): Arrival | undefined {
  const headers = headerList(raw.headers)
  const { bytes } = beginning.body
  if (!bytes || raw.redirected || !raw.body || !canComplete(beginning, headers)) return undefined
  const rest = raw.body.getReader()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes.slice()),
    async pull(controller) {
      const { done, value } = await rest.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => rest.cancel(reason),
  })
  const size = contentRange(fieldValue(headers, 'content-range') ?? '')?.size
  const fields: HeaderList = [
    ...freshenedFields(beginning.headers, headers).filter(
      ([name]) => name !== 'content-range' && name !== 'content-length',
    ),
    ...(size === undefined ? [] : [['content-length', String(size)] as const]),
  ]
  const { url, type, redirected } = raw
  const init = { status: 200, statusText: 'OK', headers: toHeaders(fields) }
  const whole = new CachedResponse(body, init, { url, type, redirected })
  return receive(whole, presented, { kind: 'forward', cause: 'miss', why: 'partial' }, core, dispatch, landing)
}

/** The head of a response as it will be stored, its body still to come; `undefined` when it must not be, or need not be. */
function headOf(raw: Response, presented: Presented, core: Core, dispatch: Dispatch): StoredResponse | undefined {
  const { request, rule } = presented
  const { status, statusText, type } = raw
  if (type !== 'basic' && type !== 'cors' && type !== 'default') return undefined
  // An explicit mode in which the browser may have answered from its own, older copy.
  if (core.settings.browserCache && request.cacheMode === 'force-cache') return undefined
  const headers = headerList(raw.headers)
  const part = status === 206 ? partOf(headers) : undefined
  const responseTime = core.now()
  const partitioned = core.place.partition !== ''
  const head = storedResponse({
    url: request.url,
    status,
    statusText,
    type,
    headers,
    request,
    implied: core.settings.implied,
    responseTime,
    ...dispatch,
    delta: core.elapsed(raw, dispatch.requestTime),
    tags: [
      ...tagsOf(headers, request.url, core.settings.tagField),
      ...(rule?.tags ?? []),
      ...(presented.init.nearcache?.tags ?? []),
    ],
    body: { id: `${dispatch.context}.${dispatch.sequence}`, size: 0 },
    ...(part && { part }),
    ...(rule?.pinned && { pinned: true }),
    ...(rule?.maxKeys && {
      route: { name: rule.name ?? ('match' in rule ? String(rule.match) : ''), maxKeys: rule.maxKeys },
    }),
  })
  if (
    storability({
      request,
      status,
      headers,
      directives: head.directives,
      maxAgeMs: givenMaxAge(status, rule ?? {}),
    }) !== 'storable'
  )
    return undefined
  const isPrivate = presented.credentialed || head.directives.private === true
  const memoryOnly =
    (isPrivate && !partitioned) || rule?.durable === false || head.nominated.some(([name]) => name === 'authorization')
  core.place.keys.learn(request.url, headers)
  if (!memoryOnly) return head
  if (core.settings.follows) return undefined
  const cookie = partitioned ? undefined : fieldValue(request.headers, 'cookie')
  const isNew = cookie !== undefined && head.directives.private && fieldValue(head.nominated, 'cookie') === undefined
  return { ...head, memoryOnly, ...(isNew && { nominated: [...head.nominated, ['cookie', cookie] as const] }) }
}

/** The labels by which a purge of a URL that means the same finds this response. */
const labelsOf = ({ headers, url }: StoredResponse, { keyUrl }: Presented): string[] => [
  label(keyUrl),
  ...(fieldValue(headers, 'no-vary-search') === undefined ? [] : [pathLabel(url)]),
]

const partOf = (headers: HeaderList): StoredPart | undefined => contentRange(fieldValue(headers, 'content-range') ?? '')

/**
 * Shares the body, and stores the response when it is whole: never before, and never when its stream failed. Whoever takes time to accept it keeps only the store waiting, and that not
 * without end.
 */
function collect(
  raw: Response,
  head: StoredResponse,
  presented: Presented,
  before: StoredResponse | undefined,
  core: Core,
  landing: Landing,
  accept: Accept = (bytes) => isJson(head) === false || parses(bytes),
): Required<Pick<Arrival, 'shared' | 'kept'>> {
  let writing: Promise<unknown> | undefined
  const shared = shareBody(raw.body ?? emptyBody(), core.settings.maxEntryBytes, {
    ...landing,
    async onWhole(received) {
      const bytes = sameAsBefore(received, before, presented, core) ?? received
      const body = { id: head.body.id, size: bytes.byteLength, bytes }
      const stored = { ...head, delta: core.elapsed(raw, head.requestTime), body }
      if (!isWhole(head, bytes)) return bytes
      const verdict = head.part ? true : accept(bytes)
      if (verdict === true) writing = keep(stored, presented, core)
      else if (verdict) {
        writing = isDoneWithin(verdict, BACKGROUND_MS, core)
          .then((isDone) => isDone && verdict)
          .catch(() => false)
          .then((isAccepted) => (isAccepted ? keep(stored, presented, core) : false))
      }
      return bytes
    },
  })
  const kept = shared.whole.then(
    () => writing ?? false,
    () => writing,
  )
  return { shared, kept }
}

/** The same bytes as they are held already, so that what was parsed of them keeps its reference; not of what must never be seen again. */
function sameAsBefore(
  received: Uint8Array,
  before: StoredResponse | undefined,
  { key }: Presented,
  core: Core,
): Uint8Array<ArrayBuffer> | undefined {
  const log = core.store.log()
  const held = [...(before ? [before] : []), ...(core.store.peek(key)?.responses ?? [])]
  return held.find(
    (one) => one.body.bytes && sameBytes(received, one.body.bytes) && purgeEffect(one, log)?.mode !== 'hard',
  )?.body.bytes
}

/** What a HEAD says of the stored responses that it would have selected (RFC 9111 §4.3.5). */
async function updateFromHead(raw: Response, presented: Presented, core: Core, dispatch: Dispatch): Promise<void> {
  if (raw.status !== 200 || raw.redirected || presented.request.directives.noStore) return
  const headers = headerList(raw.headers)
  const responseTime = core.now()
  const update = { headers, ...dispatch, responseTime }
  let isFreshened = false
  const log = core.store.log()
  const each = (stored: StoredResponse): StoredResponse => {
    // It says nothing of what was asked for after it, and validates nothing that was purged.
    const isLater = stored.context === dispatch.context && stored.sequence > dispatch.sequence
    if (isLater || purgeEffect(stored, log)) return stored
    if (headUpdates(stored, headers) === 'stale') return { ...stored, staleSince: stored.staleSince ?? responseTime }
    isFreshened = true
    // How long a HEAD takes says nothing of a revalidation.
    const { epoch, delta } = stored
    return { ...scoped(freshen(stored, { ...update, delta }, presented.request, core.settings), core), epoch }
  }
  await change(each, presented, core)
  if (isFreshened) core.emit({ type: 'freshened', url: presented.request.url }, presented)
}

/** Whether the browser's own cache answered with a copy that the origin has just confirmed: the same validator as ours. */
function isConfirmedBelow(
  raw: Response,
  { sameOrigin }: Presented,
  before: StoredResponse | undefined,
  core: Core,
): boolean {
  if (!core.settings.browserCache || sameOrigin || !before || raw.status !== 200) return false
  const etag = raw.headers.get('etag') ?? undefined
  const modified = raw.headers.get('last-modified') ?? undefined
  if (etag !== undefined || before.etag !== undefined) return etag === before.etag
  return modified !== undefined && modified === fieldValue(before.headers, 'last-modified')
}

const emptyBody = (): ReadableStream<Uint8Array> => new ReadableStream({ start: (controller) => controller.close() })
