import { describe, expect, test } from 'vitest'
import { requestDirectives, responseDirectives } from '../../src/http/cache-control.ts'
import { isNoStore, isUnderstood, storability } from '../../src/http/storable.ts'
import { fields, httpDate, presentedWith, start, url } from './builders.ts'

interface Exchange {
  readonly method?: string
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly maxAgeMs?: number
  readonly redirected?: boolean
}

function storabilityOf({ method = 'GET', requestHeaders = {}, status = 200, headers = {}, ...more }: Exchange) {
  const list = fields(headers)
  const request = { ...presentedWith(requestHeaders), method, directives: requestDirectives(fields(requestHeaders)) }
  return storability({ request, status, headers: list, directives: responseDirectives(list), ...more })
}

const fresh = { 'cache-control': 'max-age=60' }

describe('a response is stored (RFC 9111 §3)', () => {
  test.each([
    ['with max-age', { headers: fresh }],
    ['with max-age=0: it may be served stale or validated', { headers: { 'cache-control': 'max-age=0' } }],
    ['with Expires, though it is unreadable', { headers: { expires: '0' } }],
    ['with a validator alone and a heuristically cacheable status', { headers: { etag: '"1"' } }],
    ['with Last-Modified alone', { status: 404, headers: { 'last-modified': httpDate(start) } }],
    [
      'with no-cache and a validator: it is validated before each use',
      { headers: { 'cache-control': 'no-cache', etag: '"1"' } },
    ],
    ['with public, whatever its status', { status: 599, headers: { 'cache-control': 'public', etag: '"1"' } }],
    [
      'with private, whatever its status (§5.2.2.7)',
      { status: 302, headers: { 'cache-control': 'private', etag: '"1"' } },
    ],
    ['with explicit freshness, whatever its status', { status: 599, headers: fresh }],
    ['with a lifetime by a rule', { maxAgeMs: 5000 }],
    ['with a lifetime by a rule, where its status allows a heuristic one (§4.2.2)', { status: 404, maxAgeMs: 5000 }],
    ['with Set-Cookie (§7.3)', { headers: { ...fresh, 'set-cookie': 'a=b' } }],
    [
      'in answer to a request with Authorization: that binds shared caches (§3.5)',
      { requestHeaders: { authorization: 'x' }, headers: fresh },
    ],
    [
      'with no-store beside must-understand, its status being understood (§5.2.2.3)',
      { headers: { 'cache-control': 'max-age=60, no-store, must-understand' } },
    ],
    ['with Vary', { headers: { ...fresh, vary: 'accept-language' } }],
    [
      'that is a part which says where it belongs',
      { status: 206, headers: { ...fresh, 'content-range': 'bytes 0-4/10' } },
    ],
  ] as ReadonlyArray<[string, Exchange]>)('%s', (_sentence, exchange) => {
    expect(storabilityOf(exchange)).toBe('storable')
  })
})

describe('a response is not stored (RFC 9111 §3)', () => {
  test.each([
    ['with no-store', 'no-store', { headers: { 'cache-control': 'max-age=60, No-Store' } }],
    ['with no-store, however malformed', 'no-store', { headers: { 'cache-control': 'max-age=60; no-store' } }],
    [
      'to a request with no-store (§5.2.1.5)',
      'request-no-store',
      { requestHeaders: { 'cache-control': 'no-store' }, headers: fresh },
    ],
    [
      'of a status that is not understood, with must-understand (§5.2.2.3)',
      'not-understood',
      { status: 599, headers: { 'cache-control': 'max-age=60, must-understand' } },
    ],
    [
      'of a status that is not understood, with no-store and must-understand (§5.2.2.3)',
      'no-store',
      { status: 599, headers: { 'cache-control': 'max-age=60, must-understand, no-store' } },
    ],
    ['that is not final', 'status', { status: 103, headers: fresh }],
    ['that has no status, as an opaque one', 'status', { status: 0, headers: fresh }],
    ['with a status out of range (RFC 9110 §15)', 'status', { status: 600, headers: fresh }],
    ['that is a 304', 'status', { status: 304, headers: fresh }],
    ['that answers a precondition', 'status', { status: 412, headers: fresh }],
    ['that answers a range', 'status', { status: 416, headers: fresh }],
    [
      'with nothing but stale-while-revalidate (§5.2.3)',
      'not-cacheable',
      { status: 403, headers: { 'cache-control': 'stale-while-revalidate=60', etag: '"1"' } },
    ],
    [
      'with s-maxage alone and another status',
      'not-cacheable',
      { status: 403, headers: { 'cache-control': 's-maxage=60', etag: '"1"' } },
    ],
    ['with CDN-Cache-Control alone (RFC 9213)', 'useless', { headers: { 'cdn-cache-control': 'max-age=60' } }],
    ['that has neither lifetime nor validator', 'useless', {}],
    ['that is private and has neither', 'useless', { headers: { 'cache-control': 'private' } }],
    ['with Vary: *, which matches nothing (§4.1)', 'vary', { headers: { ...fresh, vary: 'accept, *' } }],
    ['that came by way of a redirect', 'redirected', { headers: fresh, redirected: true }],
    [
      'that is a part of several ranges',
      'partial',
      { status: 206, headers: { ...fresh, 'content-type': 'multipart/byteranges' } },
    ],
    [
      'that is a part with an invalid Content-Range (RFC 9110 §14.4)',
      'partial',
      { status: 206, headers: { ...fresh, 'content-range': 'bytes 5-4/10' } },
    ],
    [
      'that is a part of an encoded whole (RFC 9110 §14.1.2)',
      'partial',
      { status: 206, headers: { ...fresh, 'content-range': 'bytes 0-4/10', 'content-encoding': 'gzip' } },
    ],
  ] as ReadonlyArray<[string, string, Exchange]>)('%s', (_sentence, reason, exchange) => {
    expect(storabilityOf(exchange)).toBe(reason)
  })

  test.each(['HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'get', 'INVENTED'])(
    'when the method is %s (RFC 9110 §9.2.3)',
    (method) => {
      expect(storabilityOf({ method, headers: { ...fresh, 'content-location': url } })).toBe('method')
    },
  )
})

describe('a response to POST (RFC 9110 §9.3.3)', () => {
  const of = (headers: Readonly<Record<string, string>>, status = 200) =>
    storabilityOf({ method: 'POST', headers, status })

  test.each([
    ['as an absolute URL', url],
    ['as a path', '/products/42'],
    ['as an empty reference', ''],
    ['with a fragment', '/products/42#reviews'],
  ])(
    'is stored for later GETs when it has explicit freshness and Content-Location is the target, %s',
    (_sentence, location) => {
      expect(of({ ...fresh, 'content-location': location })).toBe('storable')
      expect(of({ expires: httpDate(start), 'content-location': location })).toBe('storable')
    },
  )

  test.each([
    ['without explicit freshness', { etag: '"1"', 'content-location': url }],
    ['without Content-Location', fresh],
    ['when Content-Location is another URL', { ...fresh, 'content-location': '/products/43' }],
    [
      'when Content-Location is of another origin',
      { ...fresh, 'content-location': 'https://other.example/products/42' },
    ],
    ['when Content-Location is no URL', { ...fresh, 'content-location': 'https://[' }],
  ])('is not stored %s', (_sentence, headers) => {
    expect(of(headers as Record<string, string>)).toBe('method')
  })

  test('is not stored when it is an error or a part', () => {
    expect(of({ ...fresh, 'content-location': url }, 404)).toBe('method')
    expect(of({ ...fresh, 'content-location': url, 'content-range': 'bytes 0-1/2' }, 206)).toBe('method')
  })
})

test('the understood statuses are final ones of RFC 9110 §15', () => {
  const understood = Array.from({ length: 700 }, (_, status) => status).filter(isUnderstood)
  const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)
  expect(understood).toEqual([
    ...range(200, 206),
    ...range(300, 308),
    ...range(400, 417),
    421,
    422,
    426,
    ...range(500, 505),
  ])
})

test('no-store binds unless must-understand stands beside it and the status is understood (RFC 9111 §5.2.2.3)', () => {
  expect(isNoStore({ noStore: true }, 200)).toBe(true)
  expect(isNoStore({ noStore: true, mustUnderstand: true }, 200)).toBe(false)
  expect(isNoStore({ noStore: true, mustUnderstand: true }, 599)).toBe(true)
  expect(isNoStore({ mustUnderstand: true }, 599)).toBe(false)
})
