/** One body under way, for any number of readers, each at its own speed. */
export interface SharedBody {
  /**
   * One more reader, from the first byte on; `undefined` once the beginning is no longer at hand. One that leaves, or whose `signal` aborts, changes nothing for the others.
   */
  open(signal?: AbortSignal): BodyReader | undefined
  /** What `onWhole` made of the body; `undefined` when it grew over the limit. Rejects when the stream failed. */
  readonly whole: Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Whether nobody reads it, though it has not come to its end. */
  idle(): boolean
  /** Ends it for all, and lets go of the source. */
  stop(reason: unknown): void
}

/** One who reads a body, or waits for the whole of it. */
export interface BodyReader {
  /** Made when it is read piece by piece: who waits for the whole needs none. Whoever cancels it leaves. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>
  leave(): void
  /** One more, as by `open()`. */
  another(): BodyReader | undefined
}

/** Who wants to know how it ends. */
export interface BodyEnds {
  /** The last reader has gone before the end: nobody waits for the rest. */
  onIdle(): void
  /** The whole body, ended normally and within the limit. Readers see the end after this is done, so that what it stores is stored for whoever acts on the end. */
  onWhole(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>
}

interface Cursor {
  at: number
  wake?: (() => void) | undefined
  fail(error: unknown): void
}

/** A source that waits for readers who have been collected, all of them, is let go of. */
const forsaken = /* @__PURE__ */ new FinalizationRegistry((reader: ReadableStreamDefaultReader) => {
  reader.cancel().catch(() => {})
})

/**
 * Reads `source` once, as fast as it comes while it is at most `limit` bytes, so that it can be stored whether its readers read or not.
 *
 * Beyond the limit nothing is kept: it is then read only as fast as the fastest reader asks, and a reader that lies more than twice the limit
 * behind another one fails, so memory stays bounded (`Response.clone()` would buffer without bound).
 */
export function shareBody(
  source: ReadableStream<Uint8Array>,
  limit: number,
  { onIdle, onWhole }: BodyEnds,
): SharedBody {
  const reader = source.getReader()
  const cursors = new Set<Cursor>()
  forsaken.register(cursors, reader)
  const chunks: Uint8Array[] = []
  let dropped = 0 // chunks that went before chunks[0]
  let size = 0
  let kept = true
  let end: { readonly error?: unknown } | undefined
  let resume: (() => void) | undefined
  let settle!: { resolve(bytes: Uint8Array<ArrayBuffer> | undefined): void; reject(error: unknown): void }
  const whole = new Promise<Uint8Array<ArrayBuffer> | undefined>((resolve, reject) => {
    settle = { resolve, reject }
  })
  whole.catch(() => {}) // whoever needs it asks for it; that nobody asks is no error

  const idle = () => cursors.size === 0 && !end

  function finish(how: { readonly error?: unknown }): void {
    if (end) return
    end = how
    if ('error' in how) settle.reject(how.error)
    for (const cursor of cursors) cursor.wake?.()
    resume?.()
  }

  /** Forgets what every reader has had, and lets go of readers that hold up more than the limit. */
  function trim(): void {
    for (const cursor of [...cursors].sort((a, b) => a.at - b.at)) {
      while (dropped < cursor.at) {
        size -= chunks.shift()?.byteLength ?? 0
        dropped++
      }
      // Who comes from within the limit has as much again to catch up.
      if (size <= 2 * limit || cursors.size === 1) return
      cursors.delete(cursor)
      cursor.fail(
        new TypeError('This reader is too far behind another one of the same response, which is too large to keep'),
      )
    }
  }

  async function pump(): Promise<void> {
    while (!end) {
      if (!kept && ![...cursors].some((cursor) => cursor.wake)) {
        await new Promise<void>((resolve) => {
          resume = resolve
        })
        if (end) return
      }
      const { done, value } = await reader.read()
      if (end) return // a stopped source ends as a whole one does
      if (done) {
        if (kept) {
          const bytes = concatenate(chunks, size)
          settle.resolve(await onWhole(bytes).catch(() => bytes))
        }
        return finish({})
      }
      if (value.byteLength === 0) continue
      chunks.push(value)
      size += value.byteLength
      if (kept && size > limit) {
        kept = false
        settle.resolve(undefined)
      }
      if (!kept) trim()
      for (const cursor of cursors) cursor.wake?.()
    }
  }
  pump().catch((error: unknown) => finish({ error }))

  function open(signal?: AbortSignal): BodyReader | undefined {
    if (dropped > 0) return undefined
    let failure: { readonly error: unknown } | undefined
    const cursor: Cursor = {
      at: 0,
      fail(error) {
        failure = { error }
      },
    }
    const leave = () => {
      signal?.removeEventListener('abort', abort)
      const left = cursors.delete(cursor)
      cursor.wake?.()
      if (left && idle()) onIdle()
    }
    const abort = () => {
      cursor.fail(signal?.reason)
      leave()
    }
    cursors.add(cursor)
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    const stream = () =>
      new ReadableStream<Uint8Array<ArrayBuffer>>(
        {
          ...asBytes(),
          start(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) {
            cursor.fail = (error) => controller.error(error)
            if (failure) cursor.fail(failure.error)
          },
          async pull(controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) {
            while (cursors.has(cursor) && cursor.at - dropped >= chunks.length && !end) {
              await new Promise<void>((resolve) => {
                cursor.wake = resolve
                resume?.()
              })
              cursor.wake = undefined
            }
            if (!cursors.has(cursor)) return
            const chunk = chunks[cursor.at - dropped]
            if (chunk) {
              cursor.at++
              // A copy: what a caller does to its bytes must reach neither the store nor another caller.
              return controller.enqueue(chunk.slice())
            }
            leave()
            if (end && 'error' in end) return controller.error(end.error)
            closeReader(controller)
          },
          cancel: leave,
        },
        { highWaterMark: 0 },
      )
    return { stream, leave, another: () => open() }
  }

  return {
    open,
    whole,
    idle,
    stop(error) {
      reader.cancel(error).catch(() => {})
      finish({ error })
    },
  }
}

let kind: { type: 'bytes' } | Record<string, never> | undefined

/** fetch's own bodies can be read into buffers of the reader, so ours can where the engine has such streams (Fetch, body stream; Streams, readable byte streams). */
export function asBytes(): object {
  if (kind) return kind
  try {
    new ReadableStream({ type: 'bytes' })
    kind = { type: 'bytes' }
  } catch {
    kind = {}
  }
  return kind
}

/** The end of a stream. Who reads into a buffer of its own gets it back, empty. */
export function closeReader(
  controller: ReadableStreamDefaultController & { readonly byobRequest?: ReadableStreamBYOBRequest | null },
): void {
  controller.close()
  controller.byobRequest?.respond(0)
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}
