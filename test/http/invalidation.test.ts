import { describe, expect, test } from 'vitest'
import { invalidatedBy, isUnsafe } from '../../src/http/invalidation.ts'
import { fields, url } from './builders.ts'

const origin = 'https://shop.example'
const answered = (method: string, status: number, headers: Readonly<Record<string, string>> = {}) =>
  invalidatedBy({ method, url }, { status, headers: fields(headers) })

test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY'])(
  '%s is safe and invalidates nothing (RFC 9110 §9.2.1, RFC 10008)',
  (method) => {
    expect(isUnsafe(method)).toBe(false)
    expect(answered(method, 200, { location: '/a', 'cache-group-invalidation': '"g"' })).toBeUndefined() // RFC 9875 §3
  },
)

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH', 'INVENTED', 'query', '__proto__', 'constructor', ''])(
  '%s is not known to be safe and invalidates its URL (RFC 9111 §4.4)',
  (method) => {
    expect(isUnsafe(method)).toBe(true)
    expect(answered(method, 200)).toEqual({ urls: [url] })
  },
)

describe('an unsafe request (RFC 9111 §4.4)', () => {
  test.each([200, 201, 204, 299, 301, 303, 304, 399])('that is answered with %d invalidates', (status) => {
    expect(answered('POST', status)).toEqual({ urls: [url] })
  })

  test('that is answered with a redirect unseen by script may have succeeded, so it invalidates', () => {
    expect(answered('POST', 0)).toEqual({ urls: [url] })
  })

  test.each([400, 404, 409, 500, 503, 599])('that fails with %d invalidates nothing', (status) => {
    expect(answered('POST', status, { location: '/a', 'cache-group-invalidation': '"g"' })).toBeUndefined()
  })

  test('invalidates Location and Content-Location, relative ones too, without fragments and each once', () => {
    expect(answered('POST', 201, { location: '43#x', 'content-location': `${origin}/list?a=1` })).toEqual({
      urls: [url, `${origin}/products/43`, `${origin}/list?a=1`],
    })
    expect(answered('POST', 201, { location: url, 'content-location': '' })).toEqual({ urls: [url] })
  })

  test.each([
    ['of another host', 'https://other.example/a'],
    ['of another scheme', 'http://shop.example/a'],
    ['of another port', 'https://shop.example:8443/a'],
    ['of another host without a scheme', '//other.example/a'],
    ['that is no URL', 'https://['],
    ['that has no origin', 'data:,x'],
  ])('never invalidates a Location %s', (_sentence, location) => {
    expect(answered('POST', 201, { location, 'content-location': location })).toEqual({ urls: [url] })
  })

  test.each([
    ['of its own origin, which may have had it, too', 200, `${origin}/list#x`, [url, `${origin}/list`]],
    ['of its own origin, which has failed', 404, `${origin}/list`, [url]],
    ['of another origin', 200, 'https://other.example/list', [url]],
    ['that is its own', 200, url, [url]],
  ])('that a redirect has led to a URL %s: what is named there does not count', (_sentence, status, reached, urls) => {
    const headers = fields({ location: '/a', 'content-location': '/b', 'cache-group-invalidation': '"g"' })
    expect(invalidatedBy({ method: 'POST', url }, { status, headers, reached })).toEqual({ urls })
    expect(invalidatedBy({ method: 'GET', url }, { status, headers, reached })).toBeUndefined()
  })

  test('leaves the fragment of its own URL out', () => {
    expect(invalidatedBy({ method: 'POST', url: `${url}#a` }, { status: 200, headers: [] })).toEqual({ urls: [url] })
  })
})

describe('Cache-Group-Invalidation (RFC 9875 §3)', () => {
  test('invalidates the groups of this origin', () => {
    expect(answered('POST', 200, { 'cache-group-invalidation': '"eurovision", "A b";x=1' })).toEqual({
      urls: [url],
      tags: [`${origin}\0eurovision`, `${origin}\0A b`],
    })
  })

  test.each(['token', '"a", token', '("a")', '1', '"a', ''])('is ignored as a whole when it is %j', (value) => {
    expect(answered('POST', 200, { 'cache-group-invalidation': value })).toEqual({ urls: [url] })
  })

  test('reads at least 32 groups of 32 characters', () => {
    const groups = Array.from({ length: 32 }, (_, index) => String(index).padStart(32, 'g'))
    const value = groups.map((group) => `"${group}"`).join()
    expect(answered('PATCH', 204, { 'cache-group-invalidation': value })).toEqual({
      urls: [url],
      tags: groups.map((group) => `${origin}\0${group}`),
    })
  })
})
