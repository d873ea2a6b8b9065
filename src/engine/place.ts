import { covers } from '../http/purge-effect.ts'
import { createKeyRules } from './cache-key.ts'
import type { CacheOptions, Rule } from './options.ts'
import type { Place } from './presented.ts'

/** Where a cache lives: what its URLs start from, whose they are, and which rules of the caller apply to them. */
export function createPlace(
  { key, rules = [] }: CacheOptions,
  partition: string,
  base: () => string | undefined,
  origin: string | undefined,
): Place {
  const absolute = (pattern: string) => {
    // `*` is no escape in a path, but a URL parser may refuse it in a host: only what stands before the path is left alone.
    if (/^[a-z][a-z0-9+.-]*:/i.test(pattern) || base() === undefined) return pattern
    return new URL(pattern, base()).href
  }
  const matchers = rules.map((rule) => ({ rule, matches: matcher(rule, absolute) }))
  const ruleFor = (url: string, request: () => Request) => matchers.find(({ matches }) => matches(url, request))?.rule
  return {
    base,
    origin,
    partition,
    key,
    keys: createKeyRules(key, (url) => ruleFor(url, () => new Request(url))?.key),
    absolute,
    ruleFor,
    isSteady: rules.every(({ match }) => typeof match === 'string' || match instanceof RegExp),
  }
}

function matcher(
  { match }: Rule,
  absolute: (pattern: string) => string,
): (url: string, request: () => Request) => boolean {
  if (typeof match === 'function') return (_, request) => match(request())
  if (typeof match === 'string') {
    const selector = { pattern: absolute(match) }
    return (url) => covers(selector, url, [])
  }
  return (url) => {
    // A global or sticky RegExp remembers where it stopped.
    if (match instanceof RegExp) match.lastIndex = 0
    return match.test(url)
  }
}
