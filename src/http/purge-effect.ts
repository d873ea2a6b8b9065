import type { EpochMs, LogSelector, PurgeLog, PurgeMode, StoredResponse } from './message.ts'
import { numberIn } from './purge-log.ts'
import { withoutFragment } from './url.ts'

/** What the purge log says of one stored response. */
export interface PurgeEffect {
  readonly mode: PurgeMode
  /** From when the windows of a soft purge count. */
  readonly at: EpochMs
  /** The purge's place in the log. */
  readonly number: number
}

const severity: readonly PurgeMode[] = ['soft', 'invalidate', 'hard']

/**
 * What was purged after `stored` was asked for: the strictest purge that covers it, of equal ones the earliest. Membership is a
 * matter of numbers, never of clocks. A response of another incarnation, or from before the floor, counts as hard purged: what
 * was purged since is not known.
 */
export function purgeEffect(
  { epoch, url, tags }: Pick<StoredResponse, 'epoch' | 'url' | 'tags'>,
  log: PurgeLog,
): PurgeEffect | undefined {
  const asked = numberIn(log, epoch)
  if (asked === undefined || asked < log.floor) return { mode: 'hard', at: 0, number: log.floor }
  let effect: PurgeEffect | undefined
  for (let index = log.purges.length - 1; index >= 0; index--) {
    const purge = log.purges[index]
    if (!purge || purge.number <= asked) break
    const { mode, at, number } = purge
    const isStricter = effect ? severity.indexOf(mode) - severity.indexOf(effect.mode) || effect.at - at : 1
    if (isStricter > 0 && covers(purge.selector, url, tags)) effect = { mode, at, number }
  }
  return effect
}

/** Whether a purge bears on the response of `url` with these tags. URLs are compared without their fragments. */
export function covers(selector: LogSelector, url: string, tags: readonly string[]): boolean {
  if ('all' in selector) return true
  if ('partition' in selector) return false // `asSeenFrom` has resolved it
  if ('pattern' in selector) return matchesPattern(withoutFragment(selector.pattern), withoutFragment(url))
  return (
    ('urls' in selector && selector.urls.some((one) => withoutFragment(one) === withoutFragment(url))) ||
    (selector.tags?.some((tag) => tags.includes(tag)) ?? false)
  )
}

/** Whether `url` is `pattern`, in which `*` stands for any run of characters. Each part is looked for once, from the left. */
function matchesPattern(pattern: string, url: string): boolean {
  const [first = '', ...parts] = pattern.split('*')
  const last = parts.pop()
  if (last === undefined) return url === first
  if (!url.startsWith(first)) return false
  let at = first.length
  for (const part of parts) {
    const found = url.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return url.endsWith(last) && url.length - last.length >= at
}
