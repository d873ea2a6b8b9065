import type { Handler } from './http-cache.ts'

/** What is needed of Node's `IncomingMessage`; Express's request is one, too. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined
  readonly url?: string | undefined
  /** The whole URL, where Express has taken off what its router is mounted on. */
  readonly originalUrl?: string | undefined
  readonly rawHeaders: readonly string[]
  /** `encrypted` on it says that it is TLS. */
  readonly socket: object
}

/** What is needed of Node's `ServerResponse`. */
export interface NodeResponse {
  readonly writableFinished: boolean
  readonly destroyed: boolean
  statusCode: number
  statusMessage: string
  headersSent: boolean
  setHeader(name: string, value: string | readonly string[]): unknown
  flushHeaders(): void
  write(chunk: Uint8Array): boolean
  end(): unknown
  destroy(error?: Error): unknown
  on(event: 'close' | 'drain', listener: () => void): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
  off(event: 'close' | 'drain', listener: () => void): unknown
}

/**
 * A handler of `Request` and `Response` as a listener of Node's `http` and `https`, and as a handler of Express and Connect.
 *
 * Bodies stream both ways, no faster than the client reads. `request.signal` aborts when the client is gone. An error before the first byte is a 500 without content.
 *
 * @example
 * createServer(toNodeHandler(withHttpCache(handler, { maxAge: 60 }))).listen(8080)
 */
export function toNodeHandler(handler: Handler<[]>): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  return async (incoming, outgoing) => {
    const gone = new AbortController()
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) gone.abort(new DOMException('The client is gone', 'AbortError'))
    })
    try {
      await send(await handler(requestOf(incoming, gone.signal)), outgoing, incoming.method === 'HEAD', gone.signal)
    } catch (error) {
      if (outgoing.headersSent || gone.signal.aborted) outgoing.destroy(error instanceof Error ? error : undefined)
      else {
        outgoing.statusCode = 500
        outgoing.end()
      }
    }
  }
}

function requestOf(incoming: NodeRequest, signal: AbortSignal): Request {
  const headers = new Headers()
  const { rawHeaders, method = 'GET' } = incoming
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    // Pseudo-fields of HTTP/2 are no fields.
    if (!name.startsWith(':')) headers.append(name, rawHeaders[at + 1] as string)
  }
  const origin = `${'encrypted' in incoming.socket ? 'https' : 'http'}://${headers.get('host') ?? 'localhost'}`
  const target = incoming.originalUrl ?? incoming.url ?? '/'
  // A path that begins with two slashes is no authority.
  const url = /^[a-z][a-z\d+.-]*:/i.test(target) ? target : origin + target
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const init = { method, headers, signal, ...(hasBody && { body: bodyOf(incoming), duplex: 'half' }) }
  return new Request(url, init as RequestInit)
}

function bodyOf(incoming: NodeRequest): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(new Uint8Array(value))
      },
      async cancel() {
        await chunks.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

async function send(response: Response, outgoing: NodeResponse, isHead: boolean, gone: AbortSignal): Promise<void> {
  outgoing.statusCode = response.status
  if (response.statusText) outgoing.statusMessage = response.statusText
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  // What nobody reads is let go.
  if (isHead) response.body?.cancel().catch(() => {})
  const reader = isHead ? undefined : response.body?.getReader()
  if (!reader) {
    outgoing.end()
    return
  }
  // Who follows a stream wants to know that it has begun.
  outgoing.flushHeaders()
  const cancel = () => void reader.cancel(gone.reason).catch(() => {})
  gone.addEventListener('abort', cancel)
  if (gone.aborted) cancel()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (!outgoing.write(value)) await drained(outgoing)
    if (outgoing.destroyed) return
  }
  outgoing.end()
}

const drained = (outgoing: NodeResponse): Promise<void> =>
  new Promise((resolve) => {
    if (outgoing.destroyed) return resolve()
    const done = () => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.once('drain', done)
    outgoing.once('close', done)
  })
