import { CachedResponse, type ResponseFacts, type ResponseInitOfOurs, ResponseWithFacts } from './cached-response.ts'

const decoder = new TextDecoder()

/**
 * A `CachedResponse` that is made when someone looks at more than its status or its data. For where whoever takes a response reads it by its public members, as in Node: a browser
 * reads inside of it (`respondWith()`, `cache.put()`, `WebAssembly.compileStreaming()`), and would find nothing there.
 */
export class LazyResponse extends ResponseWithFacts {
  readonly #make: () => CachedResponse
  #made: CachedResponse | undefined
  /** The content, until it is given or the response is made. */
  #bytes: Uint8Array | undefined
  #isTaken = false
  readonly #signal: AbortSignal | undefined

  /** @param signal - the caller's: see `CachedResponse` */
  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    init: Omit<ResponseInitOfOurs, 'headers'>,
    headers: () => HeadersInit,
    facts: ResponseFacts,
    signal?: AbortSignal,
  ) {
    super(null, init, facts)
    this.#bytes = bytes
    this.#signal = signal
    this.#make = () => new CachedResponse(bytes, { ...init, headers: headers() }, facts, signal)
  }

  override get headers(): Headers {
    return this.#whole().headers
  }

  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#whole().body
  }

  override get bodyUsed(): boolean {
    return this.#isTaken || (this.#made?.bodyUsed ?? false)
  }

  override async text(): Promise<string> {
    const bytes = this.#take()
    return bytes ? decoder.decode(bytes) : this.#whole().text()
  }

  // biome-ignore lint/suspicious/noExplicitAny: as the platform declares it
  override async json(): Promise<any> {
    const bytes = this.#take()
    return bytes ? JSON.parse(decoder.decode(bytes)) : this.#whole().json()
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#whole().arrayBuffer()
  }

  override bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#whole().bytes()
  }

  override blob(): Promise<Blob> {
    return this.#whole().blob()
  }

  override formData(): Promise<FormData> {
    return this.#whole().formData()
  }

  override clone(): Response {
    return this.#whole().clone()
  }

  #take(): Uint8Array | undefined {
    const bytes = this.#made || this.#signal?.aborted ? undefined : this.#bytes
    this.#isTaken ||= bytes !== undefined
    this.#bytes = undefined
    return bytes
  }

  /** The response itself, used where the content was given before. */
  #whole(): CachedResponse {
    if (!this.#made) {
      this.#made = this.#make()
      // Only its state is wanted: where the caller has gone since, reading fails.
      if (this.#isTaken) this.#made.text().catch(() => {})
    }
    return this.#made
  }
}
