import { isPurge } from '../http/purge-log.ts'
import type { Hint } from '../ports/tabs.ts'

/** What goes over the channel: hints between caches, and names of turns that are of no use, or were left while their requests were under way. */
export type Told = Hint | { readonly kind: 'unshared' | 'left'; readonly turn: string }

/** Grows when an older version would misread a message; such a version ignores it. */
const VERSION = 1
/** Of one message no more is heard: others tell in ticks. */
const MAX_HINTS = 1000
const MAX_TEXT = 100_000

export const messageOf = (hints: readonly Told[]): unknown => ({ nearcache: VERSION, hints })

/** The hints in what came over the channel. Anybody of this origin may send there: what is not understood is left out, and nothing in it is believed before the store says so. */
export function hintsIn(message: unknown): Told[] {
  if (!isObject(message) || message.nearcache !== VERSION || !Array.isArray(message.hints)) return []
  return message.hints.slice(0, MAX_HINTS).filter(isTold)
}

function isTold(hint: unknown): hint is Told {
  if (!isObject(hint)) return false
  const { kind, purge, epoch, spreadMs, partition, key, turn, at, untold } = hint
  if (kind === 'health') return true
  if (kind === 'look')
    return (
      (partition === undefined || isText(partition)) &&
      (at === undefined || Number.isFinite(at)) &&
      (untold === undefined || typeof untold === 'boolean')
    )
  if (kind === 'unshared' || kind === 'left') return isText(turn)
  if (kind === 'stored') return isText(partition) && Array.isArray(key) && key.length > 0 && key.every(isText)
  return (
    kind === 'purged' &&
    isPurge(purge) &&
    (spreadMs === undefined || (Number.isFinite(spreadMs) && (spreadMs as number) >= 0)) &&
    (epoch === undefined || (isObject(epoch) && isText(epoch.incarnation) && Number.isSafeInteger(epoch.number)))
  )
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= MAX_TEXT
