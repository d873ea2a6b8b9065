import { CacheError } from '../errors.ts'

/** Limits of the strictest that carry tags: 1,024 bytes a tag, 16 KiB a field. */
const MAX_TAG = 1024
const MAX_FIELD = 16_384

/**
 * Tags as a comma-separated field. Visible ASCII without commas and spaces, so that no CDN reads them in another way.
 *
 * @throws CacheError with code `option` when a tag cannot be written so, or all together are too long: what is cut off could not be purged
 */
export function tagList(tags: readonly string[]): string {
  for (const tag of tags) {
    if (typeof tag !== 'string' || !/^[!-+\--~]+$/.test(tag) || tag.length > MAX_TAG)
      throw new CacheError(
        'option',
        `${JSON.stringify(String(tag).slice(0, 80))} is no tag: it must be 1 to ${MAX_TAG} characters of visible ASCII, without spaces and commas`,
        { path: 'tags' },
      )
  }
  const list = [...new Set(tags)].join(',')
  if (list.length > MAX_FIELD)
    throw new CacheError(
      'option',
      `${tags.length} tags make a field of ${list.length} bytes; caches read ${MAX_FIELD}. Use fewer or shorter ones`,
      {
        path: 'tags',
      },
    )
  return list
}
