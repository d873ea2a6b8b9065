import { isToken } from '../http/fields.ts'
import type { EpochMs, PurgeRecord, StoredResponse } from '../http/message.ts'
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
 * looked at, and anything odd makes the record absent. Each answer from disk comes by here, in a page that was just loaded: nothing is made for a field.
 *
 * @param name - of its key, which says most often that its URL is one
 */
export const isStoredRecord = (value: unknown, name = ''): value is StoredRecord =>
  isObject(value) &&
  value.v === 1 &&
  Array.isArray(value.responses) &&
  value.responses.length > 0 &&
  (looked.has(value.responses) ||
    (value.responses.every((one) => isStoredResponse(one, name)) && looked.add(value.responses) !== undefined))

/** What was looked at: a record is never changed, and is not looked at in each tier that it passes. */
const looked = new WeakSet<readonly unknown[]>()

function isStoredResponse(value: unknown, name: string): boolean {
  if (!isObject(value)) return false
  const { v, url, status, type, expires, directives, vary, epoch, part, pinned, route, body } = value
  return (
    v === 1 &&
    isText(url) &&
    (name.includes(`,["${url}"`) || isUrl(url)) &&
    isText(value.context) &&
    // A Response can be made of it.
    TYPES.includes(type) &&
    Number.isInteger(status) &&
    (status as number) >= 200 &&
    (status as number) <= 599 &&
    isLine(value.statusText) &&
    isNumber(value.dateValue) &&
    isNumber(value.ageValue) &&
    isNumber(value.requestTime) &&
    isNumber(value.responseTime) &&
    isNumber(value.sequence) &&
    isNumber(value.delta) &&
    isNumberOrMissing(value.lastModified) &&
    isNumberOrMissing(value.staleSince) &&
    (value.etag === undefined || isText(value.etag)) &&
    (expires === 'unreadable' || isNumberOrMissing(expires)) &&
    isFields(value.headers) &&
    isFields(value.nominated) &&
    isObject(directives) &&
    Object.values(directives).every(isArgument) &&
    (vary === '*' || vary === 'unknown' || isTexts(vary)) &&
    isTexts(value.tags) &&
    isObject(epoch) &&
    isText(epoch.incarnation) &&
    isNumber(epoch.number) &&
    (part === undefined ||
      (isObject(part) && isNumber(part.first) && isNumber(part.last) && isNumberOrMissing(part.size))) &&
    (pinned === undefined || pinned === true) &&
    (route === undefined || (isObject(route) && isText(route.name) && isNumber(route.maxKeys))) &&
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

/** Whether what was asked for at one time is older than what was asked for at another: a time to come was before the clock was set back. */
export function isOvertaken(at: EpochMs | undefined, other: unknown, now: EpochMs): boolean {
  const since = (time: EpochMs) => (time > now ? time - Number.MAX_SAFE_INTEGER : time)
  return at !== undefined && isNumber(other) && since(at) < since(other)
}

/** Whether a partition is another user's than the one that the store was entered for. What has no name is everyone's. */
export const isForeign = (partition: string, entered: string | undefined): boolean =>
  partition !== '' && entered !== undefined && partition !== entered

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
export const isText = (value: unknown): value is string => typeof value === 'string'
export const isNumber = (value: unknown): value is number => Number.isFinite(value)
export const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isNumberOrMissing = (value: unknown): boolean => value === undefined || isNumber(value)
const isArgument = (value: unknown): boolean => value === true || isNumber(value) || isTexts(value)
/** All names, and all values, are looked at as one. */
function isFields(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  let names = 'x'
  let values = ''
  for (const line of value) {
    if (!isTexts(line) || line.length !== 2 || !line[0]) return false
    names += line[0]
    values += line[1]
  }
  return isToken(names) && isLine(values)
}
/** Whether it may stand in a field or a reason phrase (RFC 9110 §5.5). */
const isLine = (value: unknown): boolean => isText(value) && !/[\0\r\n]|[^\0-\xff]/.test(value)
function isUrl(text: string): boolean {
  try {
    return new URL(text).href === text
  } catch {
    return false
  }
}
