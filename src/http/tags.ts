import { fieldValue, listMembers } from './fields.ts'
import type { HeaderList } from './message.ts'
import { parseList } from './structured-fields.ts'

/** A longer field is not read, and more tags are not kept: what an origin sends is bounded. */
const MAX_FIELD_LENGTH = 16_384
export const MAX_TAGS = 1000

/** The field in which `nearcache/server` sends tags: CDNs pass on what they do not know. */
export const TAG_FIELD = 'nearcache-tag'

/**
 * The groups that a field of RFC 9875 names, as `origin NUL group`: another origin's group of the same name is another group, and no
 * other tag can look like one. A member that is no String makes the field invalid as a whole (RFC 9651 §4.2).
 */
export function groupsOf(headers: HeaderList, name: string, url: string): string[] {
  const value = fieldValue(headers, name)
  const members = value === undefined || value.length > MAX_FIELD_LENGTH ? undefined : parseList(value)
  if (!members?.every((member) => member.type === 'string')) return []
  const { origin } = new URL(url)
  return members.map(({ value: group }) => `${origin}\0${group}`).slice(0, MAX_TAGS)
}

/**
 * The labels by which a response may be purged: the groups of `Cache-Groups` (RFC 9875 §2), and the tags of the fields that content
 * delivery networks use. Case-sensitive, each once, at most 1,000; a field over 16 KiB counts as absent.
 *
 * @param field - lower-case name of a field of the project's own, a comma-separated list
 */
export function tagsOf(headers: HeaderList, url: string, field?: string): string[] {
  const read = (name: string | undefined, split: (value: string) => string[]): string[] => {
    const value = name && fieldValue(headers, name)
    return value && value.length <= MAX_FIELD_LENGTH ? split(value).filter(Boolean) : []
  }
  // Lines that were combined have a comma before the space.
  const bySpaces = (value: string) => value.split(/,?[ \t]/)
  const tags = new Set([
    ...groupsOf(headers, 'cache-groups', url),
    ...[field, 'cache-tag', 'edge-cache-tag'].flatMap((name) => read(name, listMembers)),
    ...['surrogate-key', 'xkey'].flatMap((name) => read(name, bySpaces)),
  ])
  return [...tags].slice(0, MAX_TAGS)
}
