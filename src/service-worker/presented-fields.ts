import type { HeaderList } from '../http/message.ts'

/**
 * The fields of a request as the page's own cache would have them: without what the browser has added, which engines show a worker to different degrees, so that page and worker find each
 * other's responses whatever `Vary` names (RFC 9111 §4.1).
 *
 * @param languages - the browser's, joined by commas: an `Accept-Language` of these was added by it
 */
export function presentedFields(
  { headers, cache }: { readonly headers: Iterable<readonly [string, string]>; readonly cache: RequestCache },
  languages: string,
): HeaderList {
  return [...headers].filter(
    ([name, value]) =>
      !/^(?:sec-|user-agent$|accept-encoding$|upgrade-insecure-requests$|referer$|dnt$|save-data$|priority$)/.test(
        name,
      ) &&
      !(name === 'accept' && value === '*/*') &&
      !(name === 'accept-language' && isImplied(value, languages)) &&
      // What a browser adds for a cache mode is said by the mode.
      !(cache !== 'default' && (name === 'pragma' || name === 'cache-control')),
  )
}

const isImplied = (value: string, languages: string): boolean => {
  const said = value.replace(/;q=[\d.]+|\s/g, '')
  const [first = ''] = languages.split(',')
  return said === languages || said === first || said.startsWith(`${first},`)
}
