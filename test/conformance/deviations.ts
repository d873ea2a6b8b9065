import type { Edition } from './suite.ts'

/** Where the suite runs. */
export type Environment = 'Node' | Browser
export type Browser = 'Chromium' | 'Firefox' | 'WebKit'

const BROWSERS: readonly Browser[] = ['Chromium', 'Firefox', 'WebKit']

/** A required or optimal test that we do not pass, and why we must not or cannot. */
export interface Deviation {
  readonly id: string
  /** Left out: in all. */
  readonly only?: readonly Environment[]
  /** Left out: in both. The release is from before RFC 9111, main has followed it. */
  readonly edition?: Edition
  readonly reason: string
  /** What forces it. */
  readonly source: string
}

const each = (ids: readonly string[], why: Omit<Deviation, 'id'>): readonly Deviation[] =>
  ids.map((id) => ({ id, ...why }))

const rejects = {
  reason:
    'The origin closes the connection and nothing may be served stale. The test expects a response that a cache makes for itself; behind fetch this is a rejected promise. ' +
    'That no stale response comes, which is what it is about, holds (and is tested on its own).',
  source:
    'Fetch Standard, fetch() method: a network error rejects with a TypeError; RFC 9111 §5.2.2.2: "MUST generate an error response rather than reuse the stale response", and §4.2.4',
}

const invisible = {
  only: BROWSERS,
  reason: 'A script in a page cannot see this field, with or without a cache: plain fetch fails this test as well.',
} as const

/**
 * All of them. `npm run conformance` fails when a test that is not listed here is not passed, and when one that is listed is:
 * so the list can only shrink.
 */
export const deviations: readonly Deviation[] = [
  {
    id: 'cc-resp-immutable-fresh',
    reason:
      'The test makes its request with `cache: "no-cache"` and expects `immutable` to answer it without asking the origin. A caller who says no-cache has asked for validation.',
    source: 'Fetch Standard, request\'s cache mode "no-cache"; RFC 8246 §2 speaks of fresh responses on a reload',
  },
  ...each(['stale-close-must-revalidate', 'stale-close-no-cache'], rejects),
  ...each(['stale-close-proxy-revalidate', 'stale-close-s-maxage=2'], {
    ...rejects,
    edition: 'release',
    reason: `${rejects.reason} (Main asks this of shared caches only.)`,
  }),
  ...each(
    [
      'age-parse-nonnumeric',
      'age-parse-negative',
      'age-parse-float',
      'age-parse-parameter',
      'age-parse-numeric-parameter',
    ],
    {
      edition: 'release',
      reason:
        'The release expects a response whose Age is not a number to be stale. RFC 9111 says to ignore such a field, and main tests for that (of a parameter it only asks).',
      source: 'RFC 9111 §5.1: "If the field value ... is invalid ..., a cache SHOULD ignore the field"',
    },
  ),
  ...each(['age-parse-prefix-twoline', 'age-parse-dup-0', 'age-parse-dup-0-twoline', 'age-parse-dup-old'], {
    edition: 'release',
    reason:
      'The release expects a response with several Age values to be stale, whatever they are. RFC 9111 says to use the first, and main tests for that.',
    source: 'RFC 9111 §5.1: "a list-based Age field value SHOULD use the first member of the field value"',
  }),
  {
    id: '304-etag-update-response-Content-MD5',
    edition: 'release',
    reason:
      'The release forbids a 304 to update this field. RFC 9111 requires it of all fields but those that it names, and this one is not among them. Main only asks.',
    source: 'RFC 9111 §3.2',
  },
  {
    id: '304-etag-update-response-Content-Type',
    edition: 'release',
    reason:
      'The release requires a 304 to update this field. The stored content has been read by it (parsed JSON is kept), so it stays as it was, which RFC 9111 permits with this example. Main only asks.',
    source: 'RFC 9111 §3.2: "updating the Content-Type header field would not be workable"',
  },
  {
    id: '304-etag-update-response-ETag',
    edition: 'release',
    reason:
      'The origin answers with a 304 whose strong ETag is another than the stored one. Such a 304 selects nothing to freshen, so the request is made again without conditions, ' +
      'and the suite takes that for a retry. Main only asks.',
    source:
      'RFC 9111 §4.3.4: "If none of the stored responses ... contain the same strong validator, then the cache MUST NOT use the new response to update any"',
  },
  ...each(['headers-store-Set-Cookie', 'headers-store-Set-Cookie2'], {
    ...invisible,
    source: 'Fetch Standard, forbidden response-header name',
  }),
  ...each(['304-etag-update-response-Set-Cookie', '304-etag-update-response-Set-Cookie2'], {
    ...invisible,
    edition: 'release',
    source: 'Fetch Standard, forbidden response-header name',
  }),
  {
    id: 'headers-store-Transfer-Encoding',
    only: ['WebKit'],
    reason:
      'The origin names a transfer coding that nobody knows, and WebKit fails the whole response: plain fetch, with or without a cache, rejects.',
    source: 'RFC 9112 §6.1: the field is about one connection; measured with plain fetch in WebKitGTK 2.50',
  },
  {
    ...invisible,
    only: ['Chromium'],
    id: 'headers-store-Clear-Site-Data',
    source:
      'Clear Site Data §4: the browser itself takes the field; Chromium hands none on (measured with plain fetch)',
  },
  {
    ...invisible,
    only: ['Chromium'],
    id: '304-etag-update-response-Clear-Site-Data',
    edition: 'release',
    source:
      'Clear Site Data §4: the browser itself takes the field; Chromium hands none on (measured with plain fetch)',
  },
]
