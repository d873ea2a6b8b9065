import { fieldValue, listMembers } from './fields.ts'
import type { HeaderList } from './message.ts'
import { parseList } from './structured-fields.ts'

/** A longer field is not read, a longer tag neither, and more tags are not kept: what an origin sends is bounded. */
const MAX_FIELD_LENGTH = 16_384
const MAX_TAG_LENGTH = 1024
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

/** The name of a group, without its origin; a plain tag as it is. */
export const groupName = (tag: string): string => (tag.indexOf('\0') > 0 ? tag.slice(tag.indexOf('\0') + 1) : tag)

/**
 * The labels by which a response may be purged: the groups of `Cache-Groups` (RFC 9875 §2), then the tags of the project's own field, and of those that content
 * delivery networks use. Case-sensitive, each once, at most 1,000; a field over 16 KiB counts as absent, and so does a tag over 1,024 characters, in `Surrogate-Key` with all after it
 * (as Fastly documents).
 *
 * @param field - lower-case name of the project's own field, a comma-separated list
 */
export function tagsOf(headers: HeaderList, url: string, field = TAG_FIELD): string[] {
  const read = (name: string, split: (value: string) => string[]): string[] => {
    const value = fieldValue(headers, name)
    return value && value.length <= MAX_FIELD_LENGTH ? split(value).filter(Boolean) : []
  }
  const isShort = ({ length }: string) => length <= MAX_TAG_LENGTH
  // Lines that were combined have a comma before the space.
  const bySpaces = (value: string) => {
    const tags = value.split(/,?[ \t]/)
    const tooLong = tags.findIndex((tag) => !isShort(tag))
    return tooLong < 0 ? tags : tags.slice(0, tooLong)
  }
  const tags = new Set([
    ...groupsOf(headers, 'cache-groups', url),
    ...[field, 'cache-tag', 'edge-cache-tag'].flatMap((name) => read(name, listMembers).filter(isShort)),
    ...['surrogate-key', 'xkey'].flatMap((name) => read(name, bySpaces)),
  ])
  return [...tags].slice(0, MAX_TAGS)
}
