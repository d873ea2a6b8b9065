import type { Epoch, PurgeLog, PurgeRecord } from './message.ts'

/** Records kept at most: a read looks at those that are newer than what it reads. */
const MAX_PURGES = 1000

const severity = { soft: 0, invalidate: 1, hard: 2 }

/** The log of a database in which nothing was ever purged. */
export const emptyLog = (incarnation: string): PurgeLog => ({ incarnation, last: 0, floor: 0, purges: [] })

/**
 * The log with one more purge, under the next number.
 *
 * An earlier purge of the same selector that is not stricter is left out: whatever it affects, the new one affects too. Except that a soft purge keeps the
 * earlier ones, from whose moment the windows of what they affect count. Beyond 1,000 records the oldest go, and leave a floor: what was stored before it is
 * not used any more.
 */
export function appendPurge(log: PurgeLog, purge: Omit<PurgeRecord, 'number'>): PurgeLog {
  const number = log.last + 1
  const name = JSON.stringify(purge.selector)
  const isSuperseded = ({ mode, selector }: PurgeRecord) =>
    purge.mode !== 'soft' && severity[mode] <= severity[purge.mode] && JSON.stringify(selector) === name
  const purges = [...log.purges.filter((other) => !isSuperseded(other)), { ...purge, number }]
  const dropped = purges.splice(0, Math.max(0, purges.length - MAX_PURGES)).at(-1)
  return { ...log, last: number, floor: dropped?.number ?? log.floor, purges }
}

/**
 * The log as one partition sees it: a purge of this partition is one of everything, that of another is not there.
 *
 * What is stored does not name its partition: where it lies says it.
 */
export function asSeenFrom(log: PurgeLog, partition: string): PurgeLog {
  if (!log.purges.some(({ selector }) => 'partition' in selector)) return log
  const purges = log.purges.flatMap((purge) =>
    !('partition' in purge.selector)
      ? [purge]
      : purge.selector.partition === partition
        ? [{ ...purge, selector: { all: true } as const }]
        : [],
  )
  return { ...log, purges }
}

/**
 * The place of an epoch in the log. An epoch of a provisional incarnation counts as from before the first purge; of one that is not known, nothing can be said.
 *
 * @returns `undefined` when nothing is known of the purges between
 */
export const numberIn = (log: PurgeLog, { incarnation, number }: Epoch): number | undefined =>
  incarnation === log.incarnation ? number : log.provisional?.includes(incarnation) ? 0 : undefined

/**
 * Whether data that came from outside is a purge, and says what it covers in words that this version knows. One of another kind would be overlooked: then nothing is known of what was purged.
 */
export const isPurge = (value: unknown): value is Omit<PurgeRecord, 'number'> =>
  isObject(value) &&
  Number.isFinite(value.at) &&
  Object.hasOwn(severity, value.mode as PropertyKey) &&
  isObject(value.selector) &&
  isSelector(value.selector)

const isSelector = ({ all, pattern, partition, urls, tags }: Record<string, unknown>): boolean =>
  all === true ||
  typeof pattern === 'string' ||
  typeof partition === 'string' ||
  ((urls !== undefined || tags !== undefined) && [urls, tags].every((one) => one === undefined || areTexts(one)))

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every((one) => typeof one === 'string')
