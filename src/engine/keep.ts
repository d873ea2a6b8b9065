import { fieldValue } from '../http/fields.ts'
import type { StoredResponse } from '../http/message.ts'
import { matchesNominated } from '../http/nominated-fields.ts'
import { purgeEffect } from '../http/purge-effect.ts'
import { MAX_TAGS, tagsOf } from '../http/tags.ts'
import type { StoredRecord } from '../ports/store.ts'
import { type Core, decisionContext } from './core.ts'
import type { Presented } from './presented.ts'

/** Variants and parts kept under one key; beyond it the least recently stored goes. */
export const MAX_RESPONSES = 16

/**
 * Puts a response whose body has come whole under its key, in the place of everything that the same request would have selected.
 *
 * A response that was dispatched earlier than what is stored stays out, and so does one that a hard purge has overtaken. A failure of the origin never takes
 * the place of a good response, which may still be served instead of it (RFC 5861 §4).
 */
export function keep(stored: StoredResponse, presented: Presented, core: Core): Promise<unknown> {
  const context = decisionContext(presented, core)
  const selectsIt = (other: StoredResponse) =>
    other.part?.first === stored.part?.first &&
    other.part?.last === stored.part?.last &&
    matchesNominated(other, presented.request, context)
  let replaced: readonly StoredResponse[] | undefined
  const writing = core.store.update(presented.key, (record) => {
    const log = core.store.log()
    const others = (record?.responses ?? []).filter((other) => purgeEffect(other, log)?.mode !== 'hard')
    const overtaken =
      purgeEffect(stored, log)?.mode === 'hard' ||
      others.some(
        (other) =>
          ((other.context === stored.context && other.sequence > stored.sequence) ||
            (stored.status >= 500 && other.status < 500)) &&
          selectsIt(other),
      )
    if (overtaken) return record
    // Memory comes first: what is there is what is seen.
    replaced ??= others.filter(selectsIt)
    const labels = others.filter(selectsIt).flatMap((one) => callersTags(one, core.settings.tagField))
    return asRecord([...others.filter((other) => !selectsIt(other)), withTags(stored, labels)].slice(-MAX_RESPONSES))
  })
  const isHeld =
    (core.settings.durable && !stored.memoryOnly) ||
    core.store.peek(presented.key)?.responses.some(({ body }) => body.id === stored.body.id)
  if (replaced && isHeld)
    core.emit({ type: 'stored', url: stored.url, bytes: stored.body.size }, { ...presented, replaced, stored })
  return writing
}

/** The same with these labels, too: as many again as a response may bring. What it has already stays, or a purge would miss it. */
export const withTags = (stored: StoredResponse, tags: readonly string[]): StoredResponse =>
  tags.every((tag) => stored.tags.includes(tag))
    ? stored
    : {
        ...stored,
        tags: [...new Set([...stored.tags, ...tags])].slice(0, Math.max(stored.tags.length, 2 * MAX_TAGS)),
      }

/** The labels that did not come with the response: who gave them purges by them, whoever refreshes it. */
function callersTags({ tags, headers, url }: StoredResponse, field: string | undefined): string[] {
  const own = tagsOf(headers, url, field)
  return tags.filter((tag) => !own.includes(tag) && !tag.startsWith('\0'))
}

/** Memory alone may have what is one user's and in nobody's partition; a validation may be the first to say so. */
export const scoped = (stored: StoredResponse, core: Core): StoredResponse =>
  stored.directives.private && core.place.partition === '' ? { ...stored, memoryOnly: true } : stored

/** Replaces stored responses by what a validation made of them; what has been evicted meanwhile and is at hand is put back. */
export function keepFreshened(
  freshened: readonly StoredResponse[],
  presented: Presented,
  core: Core,
): Promise<unknown> {
  const writing = core.store.update(presented.key, (record) => {
    const responses = record?.responses ?? freshened.filter(({ body }) => body.bytes)
    return asRecord(
      responses.map((one) => {
        const other = freshened.find(
          ({ body, context, sequence }) =>
            body.id === one.body.id && (context !== one.context || sequence >= one.sequence),
        )
        return other ? { ...other, body: one.body } : one
      }),
    )
  })
  for (const one of freshened)
    core.emit({ type: 'freshened', url: one.url }, { key: presented.key, replaced: [one], stored: one })
  return writing
}

/** Changes each response that the request would have selected; in memory before this returns. */
export function change(
  each: (stored: StoredResponse) => StoredResponse,
  presented: Presented,
  core: Core,
): Promise<unknown> {
  const context = decisionContext(presented, core)
  return core.store.update(
    presented.key,
    (record) =>
      record &&
      asRecord(record.responses.map((one) => (matchesNominated(one, presented.request, context) ? each(one) : one))),
  )
}

/** Removes stored responses that must not be used again. */
export function drop(ids: readonly string[], presented: Presented, core: Core): Promise<unknown> {
  return core.store.update(
    presented.key,
    (record) => record && asRecord(record.responses.filter(({ body }) => !ids.includes(body.id))),
  )
}

const asRecord = (responses: readonly StoredResponse[]): StoredRecord | undefined =>
  responses.length > 0 ? { v: 1, responses } : undefined

/** Whether a body is as long as its fields say, where that is visible and the body is not coded. */
export function isWhole(stored: StoredResponse, bytes: Uint8Array): boolean {
  const length = fieldValue(stored.headers, 'content-length')
  return (
    length === undefined ||
    stored.type === 'cors' ||
    fieldValue(stored.headers, 'content-encoding') !== undefined ||
    Number(length) === bytes.byteLength
  )
}

/**
 * Whether a body must parse to be stored. A stream that ended normally proves nothing: a coded body cut short inside well-formed framing does too. So JSON is looked at, where there is some.
 */
export const isJson = (stored: StoredResponse): boolean =>
  /[/+]json\b/i.test(fieldValue(stored.headers, 'content-type') ?? '')

/** Whether a body is JSON, or empty. */
export function parses(bytes: Uint8Array): boolean {
  try {
    if (bytes.byteLength > 0) JSON.parse(new TextDecoder().decode(bytes))
    return true
  } catch {
    return false
  }
}

/** Whether two bodies are the same, byte for byte. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index])
}
