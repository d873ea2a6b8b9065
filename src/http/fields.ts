import type { HeaderList } from './message.ts'

/**
 * The value of a field, its lines combined (RFC 9110 §5.3).
 *
 * @param name - lower case
 * @returns `undefined` when the field is absent; an empty value is `''`
 */
export function fieldValue(headers: HeaderList, name: string): string | undefined {
  let value: string | undefined
  // By its index: taking a pair apart costs more than all of the rest, as often as this is asked.
  for (const line of headers) {
    if (line[0] === name) value = value === undefined ? line[1] : `${value}, ${line[1]}`
  }
  return value
}

/** `text` without optional whitespace (SP, HTAB) at its ends (RFC 9110 §5.6.3). Other white space is content. */
export function trimmed(text: string): string {
  let from = 0
  let to = text.length
  while (isWhitespace(text[from])) from++
  while (to > from && isWhitespace(text[to - 1])) to--
  return text.slice(from, to)
}

const isWhitespace = (character: string | undefined): boolean => character === ' ' || character === '\t'

/** Whether `text` is a token (RFC 9110 §5.6.2), as names of fields and directives are. */
export const isToken = (text: string): boolean => /^[!#-'*+.^-z|~\w-]+$/.test(text)

/**
 * A value split at the commas outside quoted strings, empty parts included. A quote that is never closed is an ordinary
 * character: it hides nothing.
 */
export function splitAtCommas(value: string): string[] {
  const parts: string[] = []
  let from = 0
  let closed = true
  for (let at = 0; at < value.length; at++) {
    if (value[at] === '"' && closed) {
      const end = endOfQuoted(value, at)
      closed = end >= 0
      if (closed) at = end
    } else if (value[at] === ',') {
      parts.push(trimmed(value.slice(from, at)))
      from = at + 1
    }
  }
  return [...parts, trimmed(value.slice(from))]
}

/** Where the quoted string that begins at `from` ends, or -1. `\x` is x, whatever it is (RFC 9110 §5.6.4). */
function endOfQuoted(value: string, from: number): number {
  for (let at = from + 1; at < value.length; at++) {
    if (value[at] === '"') return at
    if (value[at] === '\\') at++
  }
  return -1
}

/** The members of a list-based field: trimmed, empty ones dropped (RFC 9110 §5.6.1.2). */
export const listMembers = (value: string): string[] => splitAtCommas(value).filter(Boolean)

type DirectiveMember = [name: string, argument: string | undefined, malformed: boolean]

/**
 * The directives of a list of `token [ "=" ( token / quoted-string ) ]`, as `Cache-Control` is (RFC 9111 §5.2): the name in
 * lower case, and the argument unquoted.
 *
 * A member of another form gives every word in it, marked as malformed: so a prohibition cannot hide behind a missing comma,
 * a space before `=` or a stray quote.
 */
export const directiveMembers = (
  value: string,
): Array<[name: string, argument: string | undefined, malformed: boolean]> =>
  listMembers(value).flatMap((member) => {
    const equals = member.indexOf('=')
    const name = equals < 0 ? member : member.slice(0, equals)
    const argument = equals < 0 ? undefined : member.slice(equals + 1)
    const quoted = argument?.[0] === '"' && endOfQuoted(argument, 0) === argument.length - 1
    if (isToken(name) && (argument === undefined || quoted || isToken(argument))) {
      return [[name.toLowerCase(), quoted ? argument.slice(1, -1).replace(/\\(.)/gs, '$1') : argument, false]]
    }
    return member.split(/[\s",;=]+/).map((word): DirectiveMember => [word.toLowerCase(), undefined, true])
  })
