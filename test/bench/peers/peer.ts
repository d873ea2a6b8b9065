/** An origin as the peers are given it. */
export interface Origin {
  /** Where it is, without a path. */
  readonly url: string
  /** Reaches it. */
  readonly fetch: typeof fetch
}

/** A cache as an application uses it. */
export interface Peer {
  readonly name: string
  /** Where its documentation recommends to set it up like this. */
  readonly docs: string
  open(origin: Origin): Promise<Opened> | Opened
}

/** A peer at work. */
export interface Opened {
  /** The data at a URL of the origin: from the cache, where it has it. */
  read(url: string): unknown
  close?(): unknown
}
