import { isToken } from '../http/fields.ts'
import type { PurgeRecord, StoredResponse } from '../http/message.ts'
import { isPurge } from '../http/purge-log.ts'
import type { StoredRecord } from '../ports/store.ts'

/** Bytes that a stored response costs beside its body and its fields, about. */
const OVERHEAD = 1024

/** What a record counts for in a budget, in bytes: bodies wherever they lie, texts, and an estimate of the rest. */
export const sizeOf = ({ responses }: StoredRecord): number => responses.reduce((sum, one) => sum + sizeOfOne(one), 0)

/** The URL counts twice: it is the key, too. */
function sizeOfOne({ url, headers, nominated, tags, body }: StoredResponse): number {
  let size = body.size + 2 * url.length + OVERHEAD
  // By their index: a page that was just loaded takes pairs apart at ten times the cost.
  for (const line of headers) size += line[0].length + line[1].length
  for (const line of nominated) size += line[0].length + line[1].length
  for (const tag of tags) size += tag.length
  return size
}

export type Route = NonNullable<StoredResponse['route']>

/** The route that a record counts for: that of the response that was stored last. */
export const routeOf = (record: StoredRecord | undefined): Route | undefined => record?.responses.at(-1)?.route

export const isPinned = ({ responses }: StoredRecord): boolean => responses.some(({ pinned }) => pinned)

/** Of the responses of one key, the most recently stored that stay within half of a budget, at least one: one key must not push out everything else. */
export function withinHalf(responses: readonly StoredResponse[], maxBytes: number): readonly StoredResponse[] {
  if (responses.length < 2) return responses
  let room = maxBytes / 2
  const from = responses.findLastIndex((one) => {
    room -= sizeOfOne(one)
    return room < 0
  })
  return from < 0 ? responses : responses.slice(Math.min(from + 1, responses.length - 1))
}

/**
 * Whether what was read is a record of this format, whole. What lies on disk may be damaged, of another version, or written by someone else: everything that a rule relies on is
 * looked at, and anything odd makes the record absent.
 */
export const isStoredRecord = (value: unknown): value is StoredRecord =>
  isObject(value) &&
  value.v === 1 &&
  Array.isArray(value.responses) &&
  value.responses.length > 0 &&
  (looked.has(value.responses) ||
    (value.responses.every(isStoredResponse) && looked.add(value.responses) !== undefined))

/** What was looked at: a record is never changed, and is not looked at in each tier that it passes. */
const looked = new WeakSet<readonly unknown[]>()

/** A record that somebody has looked at already, before it was written. */
export function vouchFor(record: StoredRecord): StoredRecord {
  looked.add(record.responses)
  return record
}

function isStoredResponse(value: unknown): boolean {
  if (!isObject(value)) return false
  const { v, url, status, statusText, type, headers, directives, vary, nominated, tags, epoch, body, part } = value
  return (
    v === 1 &&
    isUrl(url) &&
    isText(value.context) &&
    // A Response can be made of it.
    TYPES.includes(type) &&
    Number.isInteger(status) &&
    (status as number) >= 200 &&
    (status as number) <= 599 &&
    isLine(statusText) &&
    [value.dateValue, value.ageValue, value.requestTime, value.responseTime, value.sequence, value.delta].every(
      isNumber,
    ) &&
    [value.lastModified, value.staleSince].every(isMissingOr(isNumber)) &&
    isMissingOr(isText)(value.etag) &&
    (value.expires === 'unreadable' || isMissingOr(isNumber)(value.expires)) &&
    isFields(headers) &&
    isFields(nominated) &&
    isObject(directives) &&
    Object.values(directives).every((one) => one === true || isNumber(one) || isTexts(one)) &&
    (vary === '*' || vary === 'unknown' || isTexts(vary)) &&
    isTexts(tags) &&
    isObject(epoch) &&
    isText(epoch.incarnation) &&
    isNumber(epoch.number) &&
    isMissingOr((one) => isObject(one) && isNumber(one.first) && isNumber(one.last) && isMissingOr(isNumber)(one.size))(
      part,
    ) &&
    isMissingOr((one) => one === true)(value.pinned) &&
    isMissingOr((one) => isObject(one) && isText(one.name) && isNumber(one.maxKeys))(value.route) &&
    isObject(body) &&
    isText(body.id) &&
    isNumber(body.size) &&
    (body.bytes === undefined || (body.bytes instanceof Uint8Array && body.bytes.byteLength === body.size))
  )
}

/** Whether what was read is the list of purges up to number `last`. */
export const arePurges = (value: unknown, last: number): value is PurgeRecord[] =>
  Array.isArray(value) &&
  value.every((one) => isPurge(one) && 'number' in one && isNumber(one.number)) &&
  (value.at(-1)?.number ?? 0) === last

const TYPES: readonly unknown[] = ['basic', 'cors', 'default']

/** Whether a partition is another user's than the one that the store was entered for. What has no name is everyone's. */
export const isForeign = (partition: string, entered: string | undefined): boolean =>
  partition !== '' && entered !== undefined && partition !== entered

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
export const isText = (value: unknown): value is string => typeof value === 'string'
export const isNumber = (value: unknown): value is number => Number.isFinite(value)
export const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isFields = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((line) => isTexts(line) && line.length === 2 && isToken(line[0]) && isLine(line[1]))
/** Whether it may stand in a field or a reason phrase (RFC 9110 §5.5). */
const isLine = (value: unknown): boolean => isText(value) && !/[\0\r\n]|[^\0-\xff]/.test(value)
function isUrl(value: unknown): boolean {
  try {
    return isText(value) && new URL(value).href === value
  } catch {
    return false
  }
}
const isMissingOr =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || is(value)
