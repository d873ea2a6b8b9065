import { deltaSeconds, responseDirectives } from './cache-control.ts'
import { fieldValue, listMembers } from './fields.ts'
import { bare, given } from './given.ts'
import { parseHttpDate } from './http-date.ts'
import type { EpochMs, HeaderList, PresentedRequest, ResponseDirectives, StoredResponse } from './message.ts'
import { nominatedFields, varyOf } from './nominated-fields.ts'
import { isNoStore } from './storable.ts'
import { storedFields } from './stored-fields.ts'

/** What an exchange gives: the rest of a stored response is read from its header fields. */
export interface StoredResponseParts
  extends Pick<
    StoredResponse,
    | 'url'
    | 'status'
    | 'statusText'
    | 'type'
    | 'headers'
    | 'requestTime'
    | 'responseTime'
    | 'epoch'
    | 'context'
    | 'sequence'
    | 'delta'
    | 'tags'
    | 'body'
  > {
  readonly request: Pick<PresentedRequest, 'headers'>
  readonly part?: StoredResponse['part'] | undefined
  readonly memoryOnly?: true | undefined
  readonly pinned?: true | undefined
  readonly route?: StoredResponse['route'] | undefined
  /** Fields that the platform adds below script. */
  readonly implied?: HeaderList | undefined
}

/** The record of one exchange, every input of later decisions parsed once. */
export function storedResponse(parts: StoredResponseParts): StoredResponse {
  const { headers, request, implied, url, status, type, tags, responseTime, ...rest } = parts
  const directives = bindingDirectives(headers, url, status)
  const vary = varyOf(headers, type)
  return given<StoredResponse>({
    ...rest,
    v: 1,
    url,
    status,
    type,
    headers: dated(storedFields(headers, directives), type, responseTime),
    directives,
    etag: fieldValue(headers, 'etag') || undefined,
    lastModified: dateOf(headers, 'last-modified', responseTime),
    expires: dateOf(headers, 'expires', responseTime) ?? (fieldValue(headers, 'expires') !== undefined && 'unreadable'),
    // RFC 9110 §6.6.1: without a readable Date, the time of receipt
    dateValue: dateOf(headers, 'date', responseTime) ?? responseTime,
    // RFC 9111 §5.1: the first member, and nothing where that is not a number
    ageValue: deltaSeconds(listMembers(fieldValue(headers, 'age') ?? '')[0]) ?? 0,
    responseTime,
    vary,
    nominated: nominatedFields(vary, request.headers, implied),
    tags: [...new Set(tags)],
  })
}

/** With the time of receipt as `Date` where there is none (RFC 9110 §6.6.1). Across origins it may be there, and hidden. */
const dated = (headers: HeaderList, type: StoredResponse['type'], responseTime: EpochMs): HeaderList =>
  type === 'cors' || fieldValue(headers, 'date') !== undefined
    ? headers
    : [...headers, ['date', new Date(responseTime).toUTCString()]]

/**
 * A response's directives, less those that do not bind here: `immutable` outside an authenticated context (RFC 8246 §3; a loopback
 * address counts as one), and `no-store` beside a `must-understand` that we do understand (RFC 9111 §5.2.2.3).
 */
function bindingDirectives(headers: HeaderList, url: string, status: number): ResponseDirectives {
  const { immutable, noStore, ...directives } = responseDirectives(headers)
  return bare({
    ...directives,
    ...(immutable && /^http(?:s:|:\/\/(?:localhost|127(?:\.\d+){3}|\[::1])(?::\d+)?\/)/.test(url) && { immutable }),
    ...(noStore && isNoStore({ ...directives, noStore }, status) && { noStore }),
  })
}

const dateOf = (headers: HeaderList, name: string, now: EpochMs): EpochMs | undefined =>
  parseHttpDate(fieldValue(headers, name) ?? '', now)
