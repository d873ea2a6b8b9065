import { CacheError } from '../errors.ts'
import type { Epoch, EpochMs, StoredResponse } from '../http/message.ts'
import { purgeEffect } from '../http/purge-effect.ts'
import { storability } from '../http/storable.ts'
import { storedResponse } from '../http/stored-response.ts'
import type { CacheKey } from '../ports/store.ts'
import type { Dehydrated } from './api.ts'
import { label } from './cache-key.ts'
import { isConstructible } from './cached-response.ts'
import type { Core } from './core.ts'
import { headerList, toHeaders } from './header-list.ts'
import { MAX_RESPONSES, sameBytes } from './keep.ts'

type Filter = (response: { url: string; tags: readonly string[]; scoped: boolean }) => boolean

/** A stored response as it travels: what came and when. Everything else is read from that anew. */
type Travelling = Pick<
  StoredResponse,
  'url' | 'status' | 'statusText' | 'type' | 'headers' | 'requestTime' | 'responseTime' | 'delta' | 'nominated' | 'tags'
> & { readonly memoryOnly?: true }

/** What memory holds, JSON-safe. What belongs to one user only when the filter asks for it; nothing that was purged, and no `Set-Cookie`. */
export function dehydrate(core: Core, filter: Filter = ({ scoped }) => !scoped): Dehydrated {
  const responses: Array<Dehydrated['responses'][number]> = []
  const log = core.store.log()
  for (const [key, record] of core.store.records()) {
    for (const stored of record.responses) {
      const { url, status, statusText, type, requestTime, responseTime, delta, nominated, memoryOnly, body } = stored
      const tags = publicTags(stored.tags)
      const scoped = memoryOnly === true || core.place.partition !== ''
      if (!body.bytes || stored.part || stored.staleSince !== undefined || purgeEffect(stored, log)) continue
      if (!filter({ url, tags, scoped })) continue
      const headers = stored.headers.filter(([name]) => name !== 'set-cookie')
      const exchange = { url, status, statusText, type, headers, requestTime, responseTime, delta, nominated, tags }
      const travelling: Travelling = { ...exchange, ...(memoryOnly && { memoryOnly }) }
      responses.push({ key, stored: travelling, body: toBase64(body.bytes) })
    }
  }
  return { v: 1, responses }
}

/** Labels without those that we made ourselves. */
export const publicTags = (tags: readonly string[]): string[] => tags.filter((tag) => !tag.startsWith('\0'))

/**
 * Takes over what another cache had. A response counts as asked for before every purge that this one knows and that is not older than it, so that
 * nothing purged comes back with a page. One that is damaged is left out.
 */
export function hydrate(state: Dehydrated, core: Core): void {
  if (state?.v !== 1 || !Array.isArray(state.responses)) {
    throw new CacheError(
      'state',
      'hydrate() needs what dehydrate() of this version of nearcache gave; render the page with the same version',
    )
  }
  for (const one of state.responses) {
    let arrived: ReturnType<typeof unpack>
    try {
      arrived = unpack(one, core)
    } catch {
      continue
    }
    const { key, stored, said } = arrived
    const { url, body } = stored
    core.place.keys.learn(url, stored.headers)
    let replaced: readonly StoredResponse[] | undefined
    core.background(
      core.store.update(key, (record) => {
        const others = record?.responses ?? []
        const isAnother = ({ vary, nominated }: StoredResponse) =>
          String(vary) === String(stored.vary) && String(nominated) !== String(stored.nominated)
        const same = others.filter((other) => !isAnother(other))
        if (same.some(({ responseTime }) => responseTime >= said)) return record
        replaced = same
        // The same bytes stay the same object, so that what was parsed of them keeps its reference.
        const bytes = same.find((one) => one.body.bytes && sameBytes(one.body.bytes, body.bytes as Uint8Array))?.body
          .bytes
        const kept = bytes ? { ...stored, body: { ...body, bytes } } : stored
        return { v: 1, responses: [...others.filter(isAnother), kept].slice(-MAX_RESPONSES) }
      }),
    )
    if (replaced) core.emit({ type: 'stored', url, bytes: body.size }, { key, replaced, stored })
    if (core.settings.durable) core.background(placeAnew(key, stored, core))
  }
}

/** The log of the disk may not have been known yet: when it is, the response gets its place in it. */
async function placeAnew(key: CacheKey, { body: { id }, requestTime }: StoredResponse, core: Core): Promise<void> {
  await core.store.read(key)
  await core.store.update(key, (record) => {
    const index = record?.responses.findIndex(({ body }) => body.id === id) ?? -1
    if (!record || index < 0) return record
    try {
      const epoch = epochOf(requestTime, core)
      return { ...record, responses: record.responses.map((one) => (one.body.id === id ? { ...one, epoch } : one)) }
    } catch {
      return record
    }
  })
}

/** Reads one response as if it came from the origin now, since nobody knows who wrote it. @throws whatever is wrong with it */
function unpack({ key, stored: plain, body }: Dehydrated['responses'][number], core: Core) {
  const travelled = plain as Travelling
  const { url, status, statusText, type, headers, delta, nominated, tags, memoryOnly } = travelled
  // Another clock may be ahead of ours; nothing has come later than now.
  const ahead = Math.max(0, travelled.responseTime - core.now())
  const [requestTime, responseTime] = [travelled.requestTime - ahead, travelled.responseTime - ahead]
  const texts = [url, statusText, body, ...key, ...tags, ...[...headers, ...nominated].flat()]
  const isSound =
    texts.every((text) => typeof text === 'string') &&
    [requestTime, responseTime, delta].every(Number.isFinite) &&
    isConstructible(status) &&
    (type === 'basic' || type === 'cors' || type === 'default') &&
    new URL(url).href === url &&
    Array.isArray(key) &&
    key[0] !== undefined
  if (!isSound) throw new TypeError('A damaged response')
  const init = { status, statusText, headers: toHeaders(headers) }
  const fields = headerList(new Response(null, init).headers)
  const bytes = fromBase64(body)
  const sequence = core.nextSequence()
  const stored = storedResponse({
    url,
    status,
    statusText,
    type,
    headers: fields,
    request: { headers: headerList(toHeaders(nominated)) },
    requestTime,
    responseTime,
    delta,
    tags: [...publicTags(tags), label(key[0] as string)],
    epoch: epochOf(requestTime, core),
    context: 'hydrated',
    sequence,
    body: { id: `${core.settings.context}.${sequence}`, size: bytes.byteLength, bytes },
    ...(memoryOnly && { memoryOnly }),
  })
  const request = { method: 'GET', url, headers: [], cacheMode: 'default', directives: {} } as const
  // Whether it is worth it was for the rules of whoever stored it.
  if (storability({ request, status, headers: fields, directives: stored.directives, maxAgeMs: 0 }) !== 'storable')
    throw new TypeError('A response that must not be stored')
  return { key, stored, said: travelled.responseTime }
}

/**
 * Where in the log something stands that was asked for at a moment, elsewhere: before every purge that is not older.
 *
 * @throws when purges that may be younger are not known any more
 */
function epochOf(requestTime: EpochMs, core: Core): Epoch {
  const { purges, floor, incarnation } = core.store.log()
  if (floor > 0 && !((purges[0]?.at ?? requestTime) < requestTime))
    throw new TypeError('What was purged since is not known any more')
  const later = purges.find(({ at }) => at >= requestTime)
  return later ? { incarnation, number: later.number - 1 } : core.store.epoch()
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

/** @throws DOMException when it is something else */
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
