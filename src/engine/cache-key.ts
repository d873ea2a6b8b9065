import { fieldValue } from '../http/fields.ts'
import type { StoredResponse } from '../http/message.ts'
import { areEquivalent, type NoVarySearch, parseNoVarySearch, searchKey } from '../http/no-vary-search.ts'
import type { KeyRule } from './options.ts'

/** How many paths are remembered for what their origin says of the query, and counted. */
const MAX_PATHS = 1000

/** What of a URL is part of the key: everything, unless a rule or the origin says that it means nothing. */
export interface KeyRules {
  /** The URL that stands for all those that mean the same. */
  urlFor(url: string, rule: KeyRule | undefined): string
  /** The labels by which a purge of `url` finds what is stored under a key that stands for several URLs. */
  labels(url: string): string[]
  /** Takes note of the `No-Vary-Search` of a response that is about to be stored. */
  learn(url: string, headers: StoredResponse['headers']): void
  /** Grows whenever other URLs than before mean the same. */
  version(): number
}

/**
 * Keys for URLs. What an origin says by `No-Vary-Search` is remembered per path, in memory: after a reload the first response of a path says it anew.
 */
export function createKeyRules(general: KeyRule | undefined, ruleFor: (url: string) => KeyRule | undefined): KeyRules {
  const learned = new Map<string, NoVarySearch & { readonly value: string }>()
  let version = 0
  const urlFor = (url: string, rule: KeyRule | undefined = general) => {
    const reduced = rule ? withRule(url, rule) : url
    const said = learned.size > 0 ? learned.get(pathOf(url)) : undefined
    return said ? searchKey(reduced, said) : reduced
  }
  return {
    urlFor,
    labels: (url) => [
      label(urlFor(url, ruleFor(url))),
      // What the origin says of this path is not known (a reload has forgotten it): all that say anything are meant.
      ...(learned.has(pathOf(url)) ? [] : [pathLabel(url)]),
    ],
    learn(url, headers) {
      const value = fieldValue(headers, 'no-vary-search')
      const path = pathOf(url)
      if (learned.get(path)?.value === value) return
      const said = value === undefined ? undefined : parseNoVarySearch(value)
      if (learned.size >= MAX_PATHS) learned.clear()
      if (said) learned.set(path, { ...said, value: value as string })
      else learned.delete(path)
      version++
    },
    version: () => version,
  }
}

/** The label of everything that is stored under a key for this URL. No origin can send one: NUL is not allowed in a field. */
export const label = (keyUrl: string): string => `\0${keyUrl}`

/** The label of everything under a path whose responses say what of the query means nothing. */
export const pathLabel = (url: string): string => label(label(pathOf(url)))

const pathOf = (url: string): string => url.split('?', 1)[0] as string

/** Whether a response stored under a shared key answers this URL: exactly, by rule, or by its own `No-Vary-Search`. */
export function answersUrl(stored: StoredResponse, url: string, rule: KeyRule | undefined): boolean {
  if (stored.url === url) return true
  const [ours, theirs] = rule ? [withRule(url, rule), withRule(stored.url, rule)] : [url, stored.url]
  if (ours === theirs) return true
  const value = fieldValue(stored.headers, 'no-vary-search')
  const said = value === undefined ? undefined : parseNoVarySearch(value)
  return said !== undefined && areEquivalent(ours, theirs, said)
}

function withRule(url: string, { ignore = [], allow, sort }: KeyRule): string {
  const parsed = new URL(url)
  if (!parsed.search) return url
  const matches = (name: string, patterns: readonly string[]) =>
    patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern))
  const before = parsed.search
  // The raw parts are kept as they are written: only what a rule names may change.
  const parts = before.slice(1).split('&')
  const nameOf = (part: string) => [...new URLSearchParams(part).keys()][0] ?? ''
  const kept = parts.filter((part) => (allow ? matches(nameOf(part), allow) : !matches(nameOf(part), ignore)))
  if (sort) kept.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0))
  const search = kept.length > 0 ? `?${kept.join('&')}` : ''
  return search === before ? url : url.replace(before, () => search)
}
