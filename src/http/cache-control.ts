import { directiveMembers, fieldValue, isToken, listMembers } from './fields.ts'
import { bare, given } from './given.ts'
import type { HeaderList, Ms, RequestDirectives, ResponseDirectives } from './message.ts'

/** What greater numbers of seconds count as (RFC 9111 §1.2.2): 2^31, about 68 years. */
const MAX_SECONDS = 2 ** 31

/** Seconds as milliseconds, overflow clamped (RFC 9111 §1.2.2); `undefined` for anything but digits. */
export const deltaSeconds = (text: string | undefined): Ms | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Math.min(Number(text), MAX_SECONDS) * 1000 : undefined

/** The arguments of all copies of one directive: `undefined` without one, `null` where the copy is malformed. */
type Copies = ReadonlyArray<string | undefined | null>
/** How each directive is read, by its name in camel case. */
type Reading<T> = { readonly [K in keyof Required<T>]: (copies: Copies) => T[K] | undefined | false }

/** What is said without the field, as by most requests. */
const NOTHING = /* @__PURE__ */ bare({})

function read<T extends object>(headers: HeaderList, field: string, reading: Reading<T>): T {
  const value = fieldValue(headers, field)
  if (value === undefined) return NOTHING as T
  // A Map, since a directive may be called `__proto__`.
  const said = new Map<string, Array<string | undefined | null>>()
  for (const [name, argument, malformed] of directiveMembers(value)) {
    const copies = said.get(name) ?? []
    copies.push(malformed ? null : argument)
    said.set(name, copies)
  }
  const directives = Object.entries<(copies: Copies) => unknown>(reading).map(([key, of]) => {
    const copies = said.get(key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))
    return [key, copies && of(copies)]
  })
  return given(Object.fromEntries(directives)) as T
}

/** One duration from all copies, each malformed one counting as `malformed`. */
const duration =
  (malformed: Ms, combine: (a: Ms, b: Ms) => Ms, withoutArgument: Ms = malformed) =>
  (copies: Copies): Ms =>
    copies
      .map((argument) =>
        argument === undefined ? withoutArgument : (deltaSeconds(argument ?? undefined) ?? malformed),
      )
      .reduce((a, b) => combine(a, b))

/** The smallest duration that is permitted; none when a copy is malformed. */
const permitted = (withoutArgument?: Ms) => (copies: Copies) => {
  const smallest = duration(-1, Math.min, withoutArgument)(copies)
  return smallest >= 0 && smallest
}

/** A permission does not count when a copy of it is malformed. */
const isPermitted = (copies: Copies) => !copies.includes(null) || undefined

/** A restriction counts, however malformed. */
const isRestricted = () => true as const

/** The fields of a qualified `no-cache`; `true` where any copy has none, or something that is no field name (RFC 9111 §5.2.2.4). */
function withoutFields(copies: Copies): true | string[] {
  const lists = copies.map((argument) => listMembers(argument?.toLowerCase() ?? ''))
  return lists.every((names) => names.length > 0 && names.every(isToken)) ? lists.flat() : true
}

const ofRequests: Reading<RequestDirectives> = {
  maxAge: duration(0, Math.min),
  maxStale: permitted(Number.POSITIVE_INFINITY),
  minFresh: duration(Number.POSITIVE_INFINITY, Math.max),
  noCache: isRestricted,
  noStore: isRestricted,
  onlyIfCached: isRestricted,
  staleIfError: permitted(),
}

const ofResponses: Reading<ResponseDirectives> = {
  maxAge: duration(0, (a, b) => (a === b ? a : 0)),
  noCache: withoutFields,
  noStore: isRestricted,
  mustRevalidate: isRestricted,
  mustUnderstand: isRestricted,
  private: isRestricted,
  public: isPermitted,
  immutable: isPermitted,
  staleWhileRevalidate: permitted(),
  staleIfError: permitted(),
}

/**
 * What a request says of the use of stored responses (RFC 9111 §5.2.1, RFC 5861 §4).
 *
 * These directives are advisory, so doubt costs a request, never a wrong answer: what restricts (`no-cache`, `no-store`,
 * `only-if-cached`, `max-age`, `min-fresh`) counts in its strictest form when it is malformed, and of several copies the strictest;
 * what permits (`max-stale`, `stale-if-error`) is absent then. Without any `Cache-Control`, `Pragma: no-cache` means `no-cache` (§5.4).
 */
export function requestDirectives(headers: HeaderList): RequestDirectives {
  if (fieldValue(headers, 'cache-control') !== undefined) return read(headers, 'cache-control', ofRequests)
  return read<Pick<RequestDirectives, 'noCache'>>(headers, 'pragma', { noCache: isRestricted })
}

/**
 * What a response says to a private cache (RFC 9111 §5.2.2, RFC 5861, RFC 8246).
 *
 * A malformed restriction counts as the unqualified directive, a malformed permission as absent. `max-age` is 0, stale at once, when
 * it is malformed or its copies disagree (RFC 9111 §4.2.1 encourages it). `s-maxage`, `proxy-revalidate` and unknown directives have no meaning here.
 */
export const responseDirectives = (headers: HeaderList): ResponseDirectives =>
  read(headers, 'cache-control', ofResponses)
