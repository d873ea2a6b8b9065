import type { EpochMs, Ms } from '../http/message.ts'
import type { Random } from '../ports/random.ts'
import type { FeedPurge, LoggedPurge, Position, Slice } from '../purge/messages.ts'

/** A purge for later. */
interface ScheduledPurge {
  readonly id: string
  readonly purge: FeedPurge
}

/** A message that asks for a purge, by its name, and for how long that is to be remembered. */
export interface Message {
  readonly name: string
  readonly forMs: Ms
  readonly now: EpochMs
}

/** What a purge comes from. It is noted as done in the very step that keeps the purge: so it is done once, at whatever moment a node dies. */
export type Source = { readonly message: Message } | { readonly scheduled: string }

/**
 * Where a hub keeps its purges: in this process (`memoryPurgeLog`), or in a place that several nodes share (`redisPurgeLog`). Numbers are given here, one after the other, without a gap.
 */
export interface PurgeLogPort {
  /** Gives the purge the next number. Resolves when it is kept; with `undefined` when that source was dealt with before. */
  append(purge: FeedPurge, source?: Source): Promise<LoggedPurge | undefined>
  /** The purges after a position; all that are kept where none is given. A position without a mark is believed. */
  read(after?: { readonly number: number; readonly mark?: string | undefined }): Promise<Slice>
  /** Tells of purges that come in, in their order; some may be left out or told twice. None: something came in, and the log says what. Returns the function that ends it. */
  watch(listener: (purges: readonly LoggedPurge[]) => void): () => void
  /** Keeps a purge until its time. @returns `false` when that message was dealt with before */
  schedule(scheduled: ScheduledPurge, at: EpochMs, message?: Message): Promise<boolean>
  /** Takes what is due, for so long: what has been neither appended nor settled by then is due again. `next`: when to look again at the latest; `undefined` when there is nothing to wait for. */
  takeDue(
    now: EpochMs,
    leaseMs: Ms,
  ): Promise<{ readonly due: readonly ScheduledPurge[]; readonly next: EpochMs | undefined }>
  /** Gives a scheduled purge up. */
  settle(id: string): Promise<void>
  /** Whether what a message asked for was done: only then is it a replay. One that another node has in hand, or had when it died, is none. */
  isDone(name: string, now: EpochMs): Promise<boolean>
  close?(): Promise<void>
}

/** Names of messages kept at most. */
const MAX_NAMES = 100_000

/** A log in this process. When it ends, so does the log; clients notice, and forget everything (softly). */
export function memoryPurgeLog({ retain, random }: { readonly retain: number; readonly random: Random }): PurgeLogPort {
  const purges: LoggedPurge[] = []
  let before: Position = { number: 0, mark: mark(random) }
  const listeners = new Set<(purges: readonly LoggedPurge[]) => void>()
  const waiting = new Map<string, { readonly purge: FeedPurge; at: EpochMs }>()
  const names = new Map<string, EpochMs>()

  /** @returns whether it is new */
  function note({ name, forMs, now }: Message): boolean {
    for (const [other, until] of names) {
      if (until > now && names.size < MAX_NAMES) break
      names.delete(other)
    }
    if (names.has(name)) return false
    names.set(name, now + forMs)
    return true
  }

  return {
    async append(purge, source) {
      if (source && !('message' in source ? note(source.message) : waiting.delete(source.scheduled))) return undefined
      const logged = { ...purge, number: (purges.at(-1) ?? before).number + 1, mark: mark(random) }
      purges.push(logged)
      if (purges.length > retain) before = purges.shift() as LoggedPurge
      for (const listener of listeners) listener([logged])
      return logged
    },
    async read(after) {
      return sliceOf(purges, before, after)
    },
    watch(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    async schedule({ id, purge }, at, message) {
      if (message && !note(message)) return false
      waiting.set(id, { purge, at })
      return true
    },
    async takeDue(now, leaseMs) {
      const due = [...waiting].filter(([, { at }]) => at <= now).sort(([, a], [, b]) => a.at - b.at)
      for (const [, one] of due) one.at = now + leaseMs
      const times = [...waiting.values()].map(({ at }) => at)
      return {
        due: due.map(([id, { purge }]) => ({ id, purge })),
        next: times.length > 0 ? Math.min(...times) : undefined,
      }
    },
    async settle(id) {
      waiting.delete(id)
    },
    async isDone(name, now) {
      return now < (names.get(name) ?? Number.NEGATIVE_INFINITY)
    },
  }
}

/**
 * What a follower at `after` does not have yet, of a log that keeps `purges`, oldest first.
 *
 * @param before - the position in front of the first of them: that of the last purge that is kept no longer, or number 0 with the mark that names the log
 */
export function sliceOf<Entry extends Position>(
  purges: readonly Entry[],
  before: Position,
  after: { readonly number: number; readonly mark?: string | undefined } = { number: 0 },
): Omit<Slice, 'purges'> & { readonly purges: readonly Entry[] } {
  const { number, mark } = purges.at(-1) ?? before
  const had = after.number - before.number
  const known = had === 0 ? before.mark : purges[had - 1]?.mark
  // Without a mark the number is believed, if it can be one of ours.
  const isOurs = after.mark === undefined ? after.number <= number : after.mark === known
  const complete = isOurs && had >= 0
  return { number, mark, complete, purges: complete ? purges.slice(had) : [] }
}

/** A mark by chance: 62 bits. */
export const mark = (random: Random): string => [0, 0].map(() => Math.floor(random() * 2 ** 31).toString(36)).join('-')
