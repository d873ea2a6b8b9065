/** What a page sees of a response beside its body, and cannot be said to `new Response()`. */
export interface ResponseFacts {
  readonly url: string
  readonly type: ResponseType
  /** @default false */
  readonly redirected?: boolean
}

/** A `Response` that a page cannot tell from fetch's own: with `url`, `type` and `redirected`, in its clones too. */
export class CachedResponse extends Response {
  readonly #facts: ResponseFacts
  /** The content, where it is all at hand. */
  readonly #bytes: Uint8Array | undefined

  constructor(
    body: BodyInit | null,
    init: { status: number; statusText: string; headers: HeadersInit },
    facts: ResponseFacts,
  ) {
    super(isNullBodyStatus(init.status) ? null : body, init)
    this.#facts = facts
    this.#bytes = body instanceof Uint8Array ? body : undefined
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

  override async text(): Promise<string> {
    const bytes = this.#take()
    return bytes ? new TextDecoder().decode(bytes) : super.text()
  }

  // biome-ignore lint/suspicious/noExplicitAny: as the platform declares it
  override async json(): Promise<any> {
    const bytes = this.#take()
    return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : super.json()
  }

  /** The bytes at hand, which costs half of reading the stream; whoever looks finds the body used and locked, as after reading. `undefined`: there are none, or it has been touched. */
  #take(): Uint8Array | undefined {
    const stream = this.#bytes && super.body
    if (!stream || super.bodyUsed || stream.locked) return undefined
    stream.getReader().cancel()
    return this.#bytes
  }

  override clone(): Response {
    const { body, status, statusText, headers } = super.clone()
    return new CachedResponse(body, { status, statusText, headers }, this.#facts)
  }
}

/** Statuses whose responses have no body: a constructor given one throws (Fetch Standard, null body status). */
const isNullBodyStatus = (status: number): boolean =>
  status === 101 || status === 103 || status === 204 || status === 205 || status === 304

/** Whether a `Response` can be made anew with this status: error, opaque and informational ones can not. */
export const isConstructible = (status: number): boolean => status >= 200 && status <= 599
