import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { Language } from './catalogue.ts'
import type { Answer, Route } from './routes.ts'
import type { EpochMs } from './shop.ts'

/** A response, ready to be sent. */
export interface Prepared {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly content: Buffer | undefined
}

/** Makes an HTTP response of an answer: the route's policy, the validators, and 304 where the client has it already. */
export function prepare(
  answer: Answer,
  { policy, etag, spoken }: Route,
  request: { readonly method: string; readonly headers: IncomingHttpHeaders },
  { language, now }: { readonly language: Language; readonly now: EpochMs },
): Prepared {
  const { status = 200, json, bytes, changedAt } = answer
  const { content, type } = bytes ?? { content: Buffer.from(JSON.stringify(json)), type: 'application/json' }
  const good = status === 200
  const headers: OutgoingHttpHeaders = {
    Date: new Date(now).toUTCString(),
    // What is said of a piece is not said of its absence.
    ...(status < 400 && policy),
    ...(good && etag && { ETag: entityTag(content) }),
    ...(good && changedAt !== undefined && { 'Last-Modified': new Date(changedAt).toUTCString() }),
    ...answer.headers,
  }
  if (good && isUnchanged(request, headers)) return { status: 304, headers, content: undefined }
  return {
    status,
    headers: {
      ...headers,
      'Content-Type': type,
      'Content-Length': content.byteLength,
      ...(spoken && { 'Content-Language': language }),
    },
    content: request.method === 'HEAD' ? undefined : content,
  }
}

/** A strong validator: the same bytes, the same tag (RFC 9110 §8.8.3). */
export const entityTag = (content: Buffer): string =>
  `"${createHash('sha256').update(content).digest('base64url').slice(0, 16)}"`

/** Whether the client's copy is still what we would send. `If-None-Match` goes before `If-Modified-Since` (RFC 9110 §13.2.2). */
export function isUnchanged(
  { method, headers }: { readonly method: string; readonly headers: IncomingHttpHeaders },
  current: OutgoingHttpHeaders,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const weak = (tag: string) => tag.trim().replace(/^W\//, '')
  const known = headers['if-none-match']
  if (known !== undefined) {
    const { ETag: tag } = current
    return typeof tag === 'string' && (known.trim() === '*' || known.split(',').some((one) => weak(one) === weak(tag)))
  }
  const since = Date.parse(headers['if-modified-since'] ?? '')
  const { 'Last-Modified': modified } = current
  return typeof modified === 'string' && since >= Date.parse(modified)
}
