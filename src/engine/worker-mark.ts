import { withoutFragment } from '../http/url.ts'

/**
 * The fragment by which a service worker knows what a page's own cache has sent, and lets it pass: the page has decided already, and a second cache would add its windows to the page's. A fragment
 * is never sent to the origin, costs no preflight, and is not part of `response.url` or of the browser's cache key; a worker sees it (Fetch, Request and Response URL; Service Workers, `FetchEvent.request`).
 */
export const MARK = '#nearcache'

/** The input of fetch with the mark on it. Only GET has one: a worker answers nothing else. */
export function marked(input: RequestInfo | URL, method: string | undefined): RequestInfo | URL {
  const request = typeof input === 'object' && 'method' in input ? input : undefined
  if ((method ?? request?.method ?? 'GET') !== 'GET') return input
  const url = withoutFragment(request ? request.url : String(input)) + MARK
  return request ? new Request(url, request) : url
}
