import { fieldValue, isToken, listMembers, splitAtCommas, trimmed } from './fields.ts'
import type { HeaderList, PresentedRequest, StoredResponse } from './message.ts'

/** Bodies arrive decoded, and a store belongs to one origin: these differ without meaning anything here. */
const ignored = /^(?:accept-encoding|available-dictionary|origin)$/

/** Added below script and different from user to user: unseen, they match only where the partition stands for the user. */
const personal = /^(?:authorization|cookie|referer)$/

/** Said to caches and origins about this one use, not about which representation is wanted. */
const aboutTheUse = /^(?:cache-control|if-(?:match|modified-since|none-match|range|unmodified-since)|pragma|range)$/

/**
 * The request fields that a response depends on (RFC 9110 §12.5.5): `*` when any member is one, or is no field name;
 * `unknown` when the field is absent from a cross-origin response, where it may be hidden (Fetch, CORS-safelisted response-header name).
 */
export function varyOf(headers: HeaderList, type: StoredResponse['type']): StoredResponse['vary'] {
  const value = fieldValue(headers, 'vary')
  if (value === undefined) return type === 'cors' ? 'unknown' : []
  const names = value.toLowerCase().split(',').map(trimmed).filter(Boolean)
  return names.every((name) => name !== '*' && isToken(name)) ? [...new Set(names)] : '*'
}

/**
 * The nominated fields as a request has them, the platform's own included (RFC 9111 §4.1). Absent ones are left out.
 *
 * @param implied - fields that the platform adds below script where script has not set them
 */
export function nominatedFields(
  vary: StoredResponse['vary'],
  presented: HeaderList,
  implied: HeaderList = [],
): HeaderList {
  const sent = [...presented, ...implied.filter(([name]) => fieldValue(presented, name) === undefined)]
  if (vary === 'unknown') return sent.filter(([name]) => !aboutTheUse.test(name) && !ignored.test(name))
  return vary === '*' ? [] : sent.filter(([name]) => vary.includes(name) && !ignored.test(name))
}

/**
 * Whether the fields that `stored` nominates are in the presented request as they were in the original one. Absent matches absent only.
 *
 * Normalised as RFC 9111 §4.1 allows: whitespace around commas, combined lines; and for `Accept-Language` case, order and explicit
 * weights. A stored response in the one language that the presented request prefers above all others matches too.
 */
export function matchesNominated(
  stored: Pick<StoredResponse, 'vary' | 'nominated' | 'headers' | 'directives'>,
  presented: Pick<PresentedRequest, 'headers'>,
  { implied, partitioned }: { readonly implied?: HeaderList; readonly partitioned?: boolean } = {},
): boolean {
  const { vary, nominated, headers, directives } = stored
  if (vary === '*') return false
  // A cookie that script sets says who asks; what is private is for that one alone.
  if (directives.private && !partitioned && fieldValue(nominated, 'cookie') !== fieldValue(presented.headers, 'cookie'))
    return false
  const now = nominatedFields(vary, presented.headers, implied)
  const names = vary === 'unknown' ? [...nominated, ...now].map(([name]) => name) : vary
  return names.every((name) => {
    if (ignored.test(name)) return true
    const [before, after] = [fieldValue(nominated, name), fieldValue(now, name)]
    if (before === undefined && after === undefined) return partitioned || !personal.test(name)
    if (before === undefined || after === undefined) return false
    return (
      before === after ||
      normalised(name, before) === normalised(name, after) ||
      (name === 'accept-language' && isInPreferred(headers, after))
    )
  })
}

const normalised = (name: string, value: string): string =>
  (name === 'accept-language' && languagesOf(value)?.join()) || splitAtCommas(value).join()

/** Whether the response is in the one language that has a greater weight than all others. */
function isInPreferred(headers: HeaderList, acceptLanguage: string): boolean {
  const [best, second] = languagesOf(acceptLanguage) ?? []
  return (
    best !== undefined &&
    best[0] > (second?.[0] ?? 0) &&
    fieldValue(headers, 'content-language')?.toLowerCase() === best[1]
  )
}

/** `[weight, language]`, the greatest weight first, equal ones by name (RFC 9110 §12.5.4); `undefined` where the value is something else. */
function languagesOf(value: string): Array<[weight: number, language: string]> | undefined {
  const languages: Array<[number, string]> = []
  for (const member of listMembers(value.toLowerCase())) {
    const found = /^([a-z\d*-]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/.exec(member)
    if (!found) return undefined
    languages.push([Number(found[2] ?? 1), found[1] as string])
  }
  return languages.sort(([a, one], [b, other]) => b - a || (one < other ? -1 : 1))
}
