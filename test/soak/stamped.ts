/** Says when a request leaves, which may be long after it was called for: what leaves after a purge is newer than it. */
export const stamped: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
  headers.set('x-asked', String(Date.now()))
  return fetch(input, { ...init, headers })
}
