import type { PurgeMode, PurgeRecord } from './message.ts'
import { groupName } from './tags.ts'
import { withoutFragment } from './url.ts'

type Place = Pick<PurgeRecord, 'number' | 'mode' | 'at'>

/**
 * The purges of one selector, by mode. In each list the numbers and the moments both rise: a later purge from an earlier moment has whatever an earlier one of the list has, and more, so that one is left out. Of
 * those after a number the first is then the one from the earliest moment.
 */
type Ranks = Partial<Record<PurgeMode, Place[]>>

/** A purge log by what its purges select: what bears on a response is found by its URL and its tags, however many purges there are. */
interface PurgeIndex {
  /** By URL, and by tag with a line break before it, which no URL has. */
  readonly names: Map<string, Ranks>
  /** By pattern; that of everything is `*`. */
  readonly patterns: Map<string, Ranks>
}

/** Strictest first. */
const modes: readonly PurgeMode[] = ['hard', 'invalidate', 'soft']

/** A list of purges is never changed, so its index is made once: by the first read after a purge. */
const indexes = new WeakMap<readonly PurgeRecord[], PurgeIndex>()

/** The strictest of the purges after number `asked` that bear on a response, of equal ones the one from the earliest moment. */
export function strictestAfter(
  asked: number,
  url: string,
  tags: readonly string[],
  purges: readonly PurgeRecord[],
): Place | undefined {
  const { names, patterns } = indexOf(purges)
  const plain = withoutFragment(url)
  let found: Place | undefined
  let rank = modes.length - 1
  const look = (ranks: Ranks | undefined) => {
    for (let mode = 0; ranks && mode <= rank; mode++) {
      const place = firstAfter(asked, ranks[modes[mode] as PurgeMode])
      if (!place || (found?.mode === place.mode && found.at <= place.at)) continue
      found = place
      rank = mode
    }
  }
  look(names.get(plain))
  for (const tag of tags) {
    look(names.get(`\n${tag}`))
    look(names.get(`\n${groupName(tag)}`))
  }
  for (const [pattern, ranks] of patterns) if (matchesPattern(pattern, plain)) look(ranks)
  return found && { mode: found.mode, at: found.at, number: found.number }
}

function indexOf(purges: readonly PurgeRecord[]): PurgeIndex {
  const known = indexes.get(purges)
  if (known) return known
  const index: PurgeIndex = { names: new Map(), patterns: new Map() }
  indexes.set(purges, index)
  for (const place of purges) {
    const { selector } = place
    const under = (map: Map<string, Ranks>) => (name: string) => {
      const ranks = map.get(name) ?? {}
      map.set(name, ranks)
      append(ranks, place)
    }
    if ('all' in selector) under(index.patterns)('*')
    else if ('pattern' in selector) under(index.patterns)(withoutFragment(selector.pattern))
    else if (!('partition' in selector)) {
      if ('urls' in selector) selector.urls.map(withoutFragment).forEach(under(index.names))
      selector.tags?.map((tag) => `\n${tag}`).forEach(under(index.names))
    }
  }
  return index
}

function append(ranks: Ranks, place: Place): void {
  const list = ranks[place.mode] ?? []
  ranks[place.mode] = list
  // A moment that is no number is as late as any.
  while (list.length > 0 && !((list.at(-1) as Place).at < place.at)) list.pop()
  list.push(place)
}

/** The first with a greater number, found by halves. */
function firstAfter(asked: number, list: readonly Place[] = []): Place | undefined {
  let [from, to] = [0, list.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((list[middle] as Place).number > asked) to = middle
    else from = middle + 1
  }
  return list[from]
}

/** Whether `url` is `pattern`, in which `*` stands for any run of characters. Each part is looked for once, from the left. */
export function matchesPattern(pattern: string, url: string): boolean {
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
