/** A bare item with its type: a String and a Token of the same letters are two things (RFC 9651 §3.3). */
export type BareItem =
  | { readonly type: 'integer' | 'decimal' | 'date'; readonly value: number }
  /** `bytes` has one character per byte. */
  | { readonly type: 'string' | 'token' | 'bytes' | 'display'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean }

type Parameters = { readonly parameters: ReadonlyMap<string, BareItem> }
export type Item = BareItem & Parameters
type InnerList = { readonly type: 'list'; readonly value: readonly Item[] } & Parameters
export type Member = Item | InnerList

/** Parses a List (RFC 9651 §4.2.1). @returns `undefined` on failure: then the whole field is to be ignored */
export const parseList = (text: string): Member[] | undefined =>
  parse(text, (cursor) => {
    const members: Member[] = []
    eachMember(cursor, () => members.push(member(cursor)))
    return members
  })

/** Parses a Dictionary (RFC 9651 §4.2.2); the last of equal keys counts. @returns `undefined` on failure */
export const parseDictionary = (text: string): Map<string, Member> | undefined =>
  parse(text, (cursor) => {
    const members = new Map<string, Member>()
    eachMember(cursor, () => {
      const name = cursor.need(key)
      members.set(name, cursor.take(/=/y) ? member(cursor) : { ...isTrue, ...parameters(cursor) })
    })
    return members
  })

/** Parses an Item (RFC 9651 §4.2.3). @returns `undefined` on failure */
export const parseItem = (text: string): Item | undefined => parse(text, item)

/** A String, or a Token where `text` is one (RFC 9651 §4.1.6, §4.1.7). Characters that neither can hold are left out. */
export const serialiseName = (text: string): string =>
  /^[a-z*][!#-'*+.^-z|~\w:/-]*$/i.test(text) ? text : `"${text.replace(/[^ -~]/g, '').replace(/["\\]/g, '\\$&')}"`

/** Reads on from where the last pattern ended; every pattern is sticky, so each character is looked at a bounded number of times. */
interface Cursor {
  take(pattern: RegExp): string | undefined
  need(pattern: RegExp): string
  isAtEnd(): boolean
}

const key = /[a-z*][a-z\d_.*-]*/y
const isTrue = { type: 'boolean', value: true } as const

function parse<T>(text: string, rule: (cursor: Cursor) => T): T | undefined {
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  const need = (pattern: RegExp): string => take(pattern) ?? fail()
  try {
    take(/ */y)
    const value = rule({ take, need, isAtEnd: () => at === text.length })
    take(/ */y)
    return at === text.length ? value : undefined
  } catch {
    return undefined
  }
}

/** Ends a parse; caught in `parse`. */
function fail(): never {
  throw new SyntaxError()
}

function eachMember({ take, need, isAtEnd }: Cursor, read: () => void): void {
  while (!isAtEnd()) {
    read()
    take(/[ \t]*/y)
    if (isAtEnd()) return
    need(/,[ \t]*/y)
    if (isAtEnd()) fail()
  }
}

const member = (cursor: Cursor): Member => (cursor.take(/\(/y) ? innerList(cursor) : item(cursor))

function innerList(cursor: Cursor): InnerList {
  const value: Item[] = []
  cursor.take(/ */y)
  while (!cursor.take(/\)/y)) {
    value.push(item(cursor))
    cursor.need(/ +|(?=\))/y)
  }
  return { type: 'list', value, ...parameters(cursor) }
}

const item = (cursor: Cursor): Item => ({ ...bareItem(cursor), ...parameters(cursor) })

function parameters(cursor: Cursor): Parameters {
  const found = new Map<string, BareItem>()
  while (cursor.take(/; */y)) {
    const name = cursor.need(key)
    found.set(name, cursor.take(/=/y) ? bareItem(cursor) : isTrue)
  }
  return { parameters: found }
}

/** How each kind of bare item looks. `atob` and `decodeURIComponent` throw on what is neither base64 nor UTF-8. */
const kinds: ReadonlyArray<readonly [BareItem['type'], RegExp, (text: string) => BareItem['value']]> = [
  ['decimal', /-?\d{1,12}\.\d{1,3}/y, Number],
  ['integer', /-?\d{1,15}/y, Number],
  ['string', /"(?:[ !#-[\]-~]|\\["\\])*"/y, (text) => text.slice(1, -1).replace(/\\(.)/g, '$1')],
  ['token', /[a-z*][!#-'*+.^-z|~\w:/-]*/iy, String],
  ['boolean', /\?[01]/y, (text) => text === '?1'],
  ['date', /@-?\d{1,15}/y, (text) => Number(text.slice(1))],
  ['bytes', /:[a-z\d+/=]*:/iy, (text) => atob(text.slice(1, -1))],
  ['display', /%"(?:[ !#$&-~]|%[\da-f]{2})*"/y, (text) => decodeURIComponent(text.slice(2, -1))],
]

/** A number too long, or followed by what does not belong to it, leaves characters that nothing else takes: then the parse fails. */
function bareItem({ take }: Cursor): BareItem {
  for (const [type, pattern, read] of kinds) {
    const text = take(pattern)
    if (text !== undefined) return { type, value: read(text) } as BareItem
  }
  return fail()
}
