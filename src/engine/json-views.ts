import type { StandardSchemaV1 } from '@standard-schema/spec'
import { CacheError } from '../errors.ts'
import type { Cause } from '../http/decide.ts'
import type { StoredResponse } from '../http/message.ts'
import type { CacheKey } from '../ports/store.ts'
import type { Peek } from './api.ts'

/** Parsed once, for as long as the bytes live: the same bytes, the same reference. */
interface Parsed {
  readonly data: unknown
  /** By schema: the same value for all who ask, also at the same moment. */
  readonly schemas: WeakMap<object, Promise<unknown>>
  peek?: PeekView | undefined
}

/** A value that a caller put in front of what is stored, until the next response is stored. */
interface Overlay {
  readonly base: unknown
  readonly changes: Array<{ readonly change: (data: unknown) => unknown }>
  parsed: Parsed
}

/** The parsed side of what memory holds. */
export interface JsonViews {
  /** The data of a body. @throws SyntaxError when it is not JSON */
  parse(bytes: Uint8Array<ArrayBuffer>): unknown
  /** The data of a body as a schema has it. @throws CacheError with code `schema` */
  validate<T>(bytes: Uint8Array<ArrayBuffer>, schema: StandardSchemaV1<unknown, T>): Promise<T>
  /** What a caller put in front of this body. */
  overlaid(key: CacheKey, bytes: Uint8Array<ArrayBuffer>): { readonly data: unknown } | undefined
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
  ): (() => boolean) | undefined
  /** These have been replaced or confirmed: what was put in front of them has had its time. */
  settle(key: CacheKey, replaced: readonly StoredResponse[]): void
}

export function createJsonViews(freeze: <T>(data: T) => T): JsonViews {
  const parsed = new WeakMap<Uint8Array, Parsed>()
  /** By key and body: another variant under the same key is another value. */
  const overlays = new Map<string, Map<Uint8Array, Overlay>>()
  const asParsed = (data: unknown): Parsed => ({ data: freeze(data), schemas: new WeakMap() })

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
    parse: (bytes) => parse(bytes).data,
    async validate<T>(bytes: Uint8Array<ArrayBuffer>, schema: StandardSchemaV1<unknown, T>): Promise<T> {
      const { data, schemas } = parse(bytes)
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
    update(key, stored, change) {
      const known = stored && parsedBody(stored)
      if (!known) return undefined
      const name = JSON.stringify(key)
      const { bytes } = known
      const ofKey = overlays.get(name) ?? new Map<Uint8Array, Overlay>()
      const { data } = known.parsed
      const overlay = ofKey.get(bytes) ?? { base: data, changes: [], parsed: asParsed(data) }
      const apply = (changes: Overlay['changes'], fallBack = false) => {
        const changed = changes.reduce((value, each) => {
          try {
            return each.change(value)
          } catch (error) {
            if (fallBack) return value // it was made for what has been taken back
            throw error
          }
        }, overlay.base)
        overlay.parsed = asParsed(changed)
      }
      const mine = { change }
      apply([...overlay.changes, mine])
      overlay.changes.push(mine)
      overlays.set(name, ofKey.set(bytes, overlay))
      return () => {
        const at = overlay.changes.indexOf(mine)
        if (at < 0 || overlays.get(name)?.get(bytes) !== overlay) return false
        overlay.changes.splice(at, 1)
        if (overlay.changes.length > 0) apply(overlay.changes, true)
        else if (ofKey.delete(bytes) && ofKey.size === 0) overlays.delete(name)
        return true
      }
    },
    settle(key, replaced) {
      const name = JSON.stringify(key)
      const ofKey = overlays.get(name)
      for (const { body } of replaced) if (body.bytes) ofKey?.delete(body.bytes)
      if (ofKey?.size === 0) overlays.delete(name)
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
