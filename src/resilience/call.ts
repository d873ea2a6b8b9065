/** What a call of `fetch` says, without making a `Request` of it, which would use up its body. */
type Input = RequestInfo | URL

const requestIn = (input: Input): Request | undefined =>
  typeof input === 'object' && 'method' in input ? input : undefined

export const urlOf = (input: Input): string => requestIn(input)?.url ?? String(input)

/** A relative URL, as it comes from a cache that was closed, is of no origin that is known. */
export function originOf(url: string): string {
  try {
    return new URL(url).origin
  } catch {
    return ''
  }
}

export const methodOf = (input: Input, init: RequestInit | undefined): string =>
  (init?.method ?? requestIn(input)?.method ?? 'GET').toUpperCase()

export const signalOf = (input: Input, init: RequestInit | undefined): AbortSignal | undefined =>
  init?.signal ?? requestIn(input)?.signal

/** Whether the same call can be made again: not with a body that is a stream, as that of a `Request` is. */
export const isRepeatable = (input: Input, init: RequestInit | undefined): boolean =>
  init?.body == null ? !requestIn(input)?.body : typeof init.body === 'string' || !isStream(init.body)

const isStream = (body: object): boolean => body instanceof ReadableStream || Symbol.asyncIterator in body
