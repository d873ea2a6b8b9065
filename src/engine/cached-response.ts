import { asBytes, closeReader } from './shared-body.ts'

/** What a page sees of a response beside its body, and cannot be said to `new Response()`. */
export interface ResponseFacts {
  readonly url: string
  readonly type: ResponseType
  /** @default false */
  readonly redirected?: boolean
  /** The platform's own response, whose body this one passes on. Held here, since Node ends the body of a response that is collected. */
  readonly raw?: Response
}

export interface ResponseInitOfOurs {
  readonly status: number
  readonly statusText: string
  readonly headers: HeadersInit
}

/** For whole texts: it keeps nothing from one to the next. */
const decoder = new TextDecoder()

/** A `Response` that says what it is told to say of itself. */
export class ResponseWithFacts extends Response {
  readonly #facts: ResponseFacts

  constructor(body: BodyInit | null, init: ResponseInit, facts: ResponseFacts) {
    super(body, init)
    this.#facts = facts
  }

  override get url(): string {
    return this.#facts.url
  }

  override get type(): ResponseType {
    return this.#facts.type
  }

  override get redirected(): boolean {
    return this.#facts.redirected ?? false
  }
}

/** A `Response` that a page cannot tell from fetch's own: with `url`, `type` and `redirected`, in its clones too. */
export class CachedResponse extends ResponseWithFacts {
  /** The content, where it is all at hand and nobody has touched it. */
  #bytes: Uint8Array | undefined
  /** Whether the content was given without the stream, which nobody has looked at. */
  #isTaken = false
  readonly #signal: AbortSignal | undefined

  /** @param signal - the caller's: it ends content at hand that nobody has read when it aborts, as it ends one that is under way (Fetch, abort a fetch() call) */
  constructor(body: BodyInit | null, init: ResponseInitOfOurs, facts: ResponseFacts, signal?: AbortSignal) {
    const content = isNullBodyStatus(init.status) ? null : body
    super(signal && content instanceof Uint8Array ? unlessEnded(content, signal) : content, init, facts)
    this.#signal = signal
    this.#bytes = content instanceof Uint8Array ? content : undefined
  }

  override get bodyUsed(): boolean {
    return this.#isTaken || super.bodyUsed
  }

  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    this.#show()
    return super.body
  }

  override async text(): Promise<string> {
    const bytes = this.#take()
    return bytes ? decoder.decode(bytes) : this.#read(() => super.text())
  }

  // biome-ignore lint/suspicious/noExplicitAny: as the platform declares it
  override async json(): Promise<any> {
    const bytes = this.#take()
    return bytes ? JSON.parse(decoder.decode(bytes)) : this.#read(() => super.json())
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#read(() => super.arrayBuffer())
  }

  /** Also where the platform has no such method yet. */
  override async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.arrayBuffer())
  }

  override blob(): Promise<Blob> {
    return this.#read(() => super.blob())
  }

  override formData(): Promise<FormData> {
    return this.#read(() => super.formData())
  }

  override clone(): Response {
    this.#show()
    const raw = super.clone()
    const { url, type, redirected } = this
    return new CachedResponse(raw.body, raw, { url, type, redirected, raw }, this.#signal)
  }

  /** The bytes at hand, which costs half of reading the stream. `undefined`: there are none, or it has been touched. */
  #take(): Uint8Array | undefined {
    const bytes = super.bodyUsed || this.#signal?.aborted ? undefined : this.#bytes
    this.#isTaken ||= bytes !== undefined
    this.#bytes = undefined
    return bytes
  }

  /** Reads the stream. Of one that is not fetch's own some engines say TypeError, whatever it ended with: the reason of an abort is told here. */
  async #read<T>(read: () => Promise<T>): Promise<T> {
    this.#show()
    const signal = super.bodyUsed ? undefined : this.#signal
    try {
      return await read()
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  }

  /** Whoever looks at the stream finds it as it should be: used and locked, once the content was given. */
  #show(): void {
    this.#bytes = undefined
    const stream = this.#isTaken ? super.body : null
    if (stream && !stream.locked) stream.getReader().cancel()
  }
}

/** A stream of `bytes` that looks at `signal` when it is read: a listener would live for as long as the signal. */
function unlessEnded(bytes: Uint8Array, signal: AbortSignal): ReadableStream<Uint8Array> {
  let rest: Uint8Array | undefined = bytes.byteLength > 0 ? bytes : undefined
  return new ReadableStream(
    {
      ...asBytes(),
      pull(controller: ReadableStreamDefaultController<Uint8Array>) {
        if (signal.aborted) return controller.error(signal.reason)
        if (!rest) return closeReader(controller)
        controller.enqueue(rest.slice())
        rest = undefined
      },
    },
    { highWaterMark: 0 },
  )
}

/** Statuses whose responses have no body: a constructor given one throws (Fetch Standard, null body status). */
export const isNullBodyStatus = (status: number): boolean =>
  status === 101 || status === 103 || status === 204 || status === 205 || status === 304

/** Whether a `Response` can be made anew with this status: error, opaque and informational ones can not. */
export const isConstructible = (status: number): boolean => status >= 200 && status <= 599
