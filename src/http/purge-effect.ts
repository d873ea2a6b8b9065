import type { EpochMs, LogSelector, PurgeLog, PurgeMode, StoredResponse } from './message.ts'
import { matchesPattern, strictestAfter } from './purge-index.ts'
import { numberIn } from './purge-log.ts'
import { groupName } from './tags.ts'
import { withoutFragment } from './url.ts'

/** What the purge log says of one stored response. */
export interface PurgeEffect {
  readonly mode: PurgeMode
  /** From when the windows of a soft purge count. */
  readonly at: EpochMs
  /** The purge's place in the log. */
  readonly number: number
}

/**
 * What was purged after `stored` was asked for: the strictest purge that covers it, of equal ones the earliest. Membership is a
 * matter of numbers, never of clocks. A response of another incarnation, or from before the floor, counts as hard purged: what
 * was purged since is not known.
 *
 * Costs as much as the response has tags and the log has patterns, however many purges came since.
 */
export function purgeEffect(
  { epoch, url, tags }: Pick<StoredResponse, 'epoch' | 'url' | 'tags'>,
  log: PurgeLog,
): PurgeEffect | undefined {
  const asked = numberIn(log, epoch)
  if (asked === undefined || asked < log.floor) return { mode: 'hard', at: 0, number: log.floor }
  return asked < log.last ? strictestAfter(asked, url, tags, log.purges) : undefined
}

/** Whether a purge bears on the response of `url` with these tags. URLs are compared without their fragments. A tag covers the groups of that name, whatever their origin. */
export function covers(selector: LogSelector, url: string, tags: readonly string[]): boolean {
  if ('all' in selector) return true
  if ('partition' in selector) return false // `asSeenFrom` has resolved it
  if ('pattern' in selector) return matchesPattern(withoutFragment(selector.pattern), withoutFragment(url))
  return (
    ('urls' in selector && selector.urls.some((one) => withoutFragment(one) === withoutFragment(url))) ||
    (selector.tags?.some((tag) => tags.some((one) => one === tag || groupName(one) === tag)) ?? false)
  )
}
