import { CacheError } from '../errors.ts'
import type { LogSelector } from '../http/message.ts'
import { covers } from '../http/purge-effect.ts'
import type { PurgeSelector } from './api.ts'
import { label } from './cache-key.ts'
import type { Core } from './core.ts'
import { type Presented, present } from './presented.ts'

/** A caller's selector as the log has it: absolute, and with everything that is stored for a URL that means the same. */
export function logSelector(selector: PurgeSelector, { place }: Core): LogSelector {
  if ('url' in selector) return { urls: [present(selector.url, undefined, place).request.url] }
  if ('pattern' in selector) return { pattern: place.absolute(selector.pattern) }
  if ('tag' in selector) return { tags: [selector.tag] }
  if ('tags' in selector) return { tags: selector.tags }
  if ('partition' in selector) return { partition: selector.partition }
  if ('all' in selector) return { all: true }
  throw new CacheError(
    'option',
    'purge() needs one of { url }, { tag }, { tags }, { pattern }, { partition }, { all: true }',
    {
      path: 'selector',
    },
  )
}

/** Whether a purge may concern what a subscriber looks at, whether memory holds it or not. */
export const concerns = (selector: LogSelector, { key, keyUrl, request }: Presented, core: Core): boolean =>
  covers(selector, request.url, [label(keyUrl)]) ||
  (core.store.peek(key)?.responses ?? []).some(({ url, tags }) => covers(selector, url, tags))
