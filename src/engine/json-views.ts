import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CacheError } from '../errors.ts'
import type { Cause } from '../http/decide.ts'
import type { StoredResponse } from '../http/message.ts'
import type { CacheKey } from '../ports/store.ts'
import type { Peek } from './api.ts'

/** Parsed once, for as long as the bytes live: the same bytes, the same reference. */
export interface Parsed {
  readonly data: unknown
  /** By schema: the same value for all who ask, also at the same moment. */
  readonly schemas: WeakMap<object, Promise<unknown>>
  peek?: PeekView | undefined
}

/** A value that a caller put in front of what is stored, until a response is stored that can know of it. */
interface Overlay {
  base: unknown
  readonly changes: Change[]
  parsed: Parsed
}

/** One change by `update()`, and the request that makes it true. */
interface Change {
  readonly change: (data: unknown) => unknown
  /** What was asked for before this place in the order of dispatch knows nothing of the change. */
  since: number
  /** The place of the unsafe request that makes it true: the first that began after it. Its own response knows of it. */
  by?: number
}

/** The parsed side of what memory holds. */
export interface JsonViews {
  /** The data of a body. @throws SyntaxError when it is not JSON */
  parse(bytes: Uint8Array<ArrayBuffer>): Parsed
  /** That a body is JSON. @throws SyntaxError when it is not */
  isJson(bytes: Uint8Array<ArrayBuffer>): true
  /** The data as a schema has it. @throws CacheError with code `schema` */
  validate<T>(parsed: Parsed, schema: StandardSchemaV1<unknown, T>): Promise<T>
  /** What a caller put in front of this body. */
  overlaid(key: CacheKey, bytes: Uint8Array<ArrayBuffer>): Parsed | undefined
  peek(
    key: CacheKey,
    stored: StoredResponse,
    stale: boolean,
    cause: Cause,
    ageMs: () => number,
  ): Peek<unknown> | undefined
  /**
   * Puts a change on top; returns the function that takes it back, which says whether it was still there. `undefined`: there is no data to change.
   *
   * @throws what `change` throws, and changes nothing
   */
  update(
    key: CacheKey,
    stored: StoredResponse | undefined,
    change: (data: unknown) => unknown,
    sequence: number,
  ): (() => boolean) | undefined
  /**
   * An unsafe request begins, and is taken for the one that makes true what was changed before it. Until it has been answered, no other response can know of these changes; what is asked for
   * from then on does. Returns the function that ends it; both take their place in the order of dispatch.
   */
  write(sequence: number): (sequence: number) => void
  /** These have been replaced by a response, or confirmed by it: of what was put in front of them stays what the response cannot know of. */
  settle(key: CacheKey, replaced: readonly StoredResponse[], by: StoredResponse): void
}

export function createJsonViews(freeze: <T>(data: T) => T): JsonViews {
  const parsed = new WeakMap<Uint8Array, Parsed>()
  /** By key and body: another variant under the same key is another value. */
  const overlays = new Map<string, Map<Uint8Array, Overlay>>()
  /** Changes that no unsafe request has followed yet. */
  const unsent = new Set<Change>()
  const asParsed = (data: unknown): Parsed => ({ data: freeze(data), schemas: new WeakMap() })

  /** What was made for what has been taken back or replaced may fail: it is left out. */
  function applyAll(overlay: Overlay): void {
    const changed = overlay.changes.reduce((value, { change }) => {
      try {
        return change(value)
      } catch {
        return value
      }
    }, overlay.base)
    overlay.parsed = asParsed(changed)
  }

  const put = (name: string, bytes: Uint8Array, overlay: Overlay) =>
    overlays.set(name, (overlays.get(name) ?? new Map()).set(bytes, overlay))
  const remove = (name: string, bytes: Uint8Array) => {
    const ofKey = overlays.get(name)
    if (ofKey?.delete(bytes) && ofKey.size === 0) overlays.delete(name)
  }

  function parse(bytes: Uint8Array<ArrayBuffer>): Parsed {
    let known = parsed.get(bytes)
    if (!known) {
      known = asParsed(bytes.byteLength === 0 ? undefined : JSON.parse(new TextDecoder().decode(bytes)))
      parsed.set(bytes, known)
    }
    return known
  }

  /** The data that a stored response stands for; none where it is an error, empty, or not JSON. */
  function parsedBody({ status, body: { bytes } }: StoredResponse) {
    if (status > 299 || !bytes?.byteLength) return undefined
    try {
      return { bytes, parsed: parse(bytes) }
    } catch {
      return undefined
    }
  }

  return {
    parse,
    isJson(bytes) {
      parse(bytes)
      return true
    },
    async validate<T>({ data, schemas }: Parsed, schema: StandardSchemaV1<unknown, T>): Promise<T> {
      const validated =
        schemas.get(schema) ??
        (async () => {
          const result = await schema['~standard'].validate(data)
          if (!result.issues) return freeze(result.value)
          const [first] = result.issues
          throw new CacheError('schema', `The body does not fit the schema: ${first?.message ?? 'no reason given'}`, {
            issues: result.issues,
          })
        })()
      schemas.set(schema, validated)
      // A schema may ask others, and be luckier the next time.
      validated.catch(() => schemas.delete(schema))
      return (await validated) as T
    },
    overlaid: (key, bytes) => (overlays.size > 0 ? overlays.get(JSON.stringify(key))?.get(bytes)?.parsed : undefined),
    peek(key, stored, stale, cause, ageMs) {
      const known = parsedBody(stored)
      if (!known) return undefined
      const shown = overlays.get(JSON.stringify(key))?.get(known.bytes)?.parsed ?? known.parsed
      if (shown.peek?.stale !== stale || shown.peek.cause !== cause) shown.peek = new PeekView(shown.data, stale, cause)
      shown.peek.age = ageMs
      return shown.peek
    },
    update(key, stored, change, sequence) {
      const known = stored && parsedBody(stored)
      if (!known) return undefined
      const name = JSON.stringify(key)
      const { data } = known.parsed
      const overlay = overlays.get(name)?.get(known.bytes) ?? { base: data, changes: [], parsed: asParsed(data) }
      const mine: Change = { change, since: sequence }
      overlay.parsed = asParsed(change(overlay.parsed.data))
      overlay.changes.push(mine)
      unsent.add(mine)
      put(name, known.bytes, overlay)
      return () => {
        unsent.delete(mine)
        const [bytes] = [...(overlays.get(name) ?? [])].find(([, one]) => one === overlay) ?? []
        const at = overlay.changes.indexOf(mine)
        if (at < 0 || !bytes) return false
        overlay.changes.splice(at, 1)
        if (overlay.changes.length > 0) applyAll(overlay)
        else remove(name, bytes)
        return true
      }
    },
    write(by) {
      const sent = [...unsent]
      unsent.clear()
      for (const change of sent) Object.assign(change, { by, since: Number.POSITIVE_INFINITY })
      return (since) => {
        for (const change of sent) change.since = since
      }
    },
    settle(key, replaced, stored) {
      const name = JSON.stringify(key)
      const { sequence } = stored
      for (const { body } of replaced) {
        const overlay = body.bytes && overlays.get(name)?.get(body.bytes)
        if (!body.bytes || !overlay) continue
        remove(name, body.bytes)
        const isUnknown = ({ since, by }: Change) => since > sequence && by !== sequence
        const known = overlay.changes.filter((change) => !isUnknown(change))
        for (const change of known) {
          unsent.delete(change)
          overlay.changes.splice(overlay.changes.indexOf(change), 1)
        }
        const now = parsedBody(stored)
        if (!now || overlay.changes.length === 0) continue
        // What is shown stays as it is: whether the response has the change in it, nobody knows.
        overlay.base = now.parsed.data
        put(name, now.bytes, overlay)
      }
    },
  }
}

class PeekView implements Peek<unknown> {
  readonly data: unknown
  readonly stale: boolean
  readonly cause: Cause
  age: () => number = () => 0

  constructor(data: unknown, stale: boolean, cause: Cause) {
    this.data = data
    this.stale = stale
    this.cause = cause
  }

  get ageMs(): number {
    return this.age()
  }
}
