import type { Ms } from '../http/message.ts'

/** How far a wall clock may be set back unnoticed, in milliseconds. */
const TOLERANCE_MS = 5_000

/**
 * A wall clock that is set, by how far it is ahead of even time, and who must have noticed that it was set back: whoever had seen it later than it is now. When somebody looks is known in part only, so
 * what somebody may have seen is a set.
 *
 * Moments are numbers that grow.
 */
export function createWallClock() {
  /** From each moment on. */
  const offsets: { readonly index: number; readonly offset: Ms }[] = [{ index: Number.NEGATIVE_INFINITY, offset: 0 }]
  const seen = new Map<string, Set<Ms>>()
  /** What each has noticed: where it stood then. */
  const noticed = new Map<string, { readonly index: number; readonly offset: Ms }[]>()
  const latest = (): Ms => (offsets.at(-1) as { offset: Ms }).offset

  /** How far it was ahead from one moment to another one. */
  const between = (from: number, to: number): readonly Ms[] =>
    offsets
      .filter(({ index }, at) => index <= to && (offsets[at + 1]?.index ?? Number.POSITIVE_INFINITY) > from)
      .map(({ offset }) => offset)

  return {
    set(index: number, byMs: Ms): void {
      offsets.push({ index, offset: latest() + byMs })
      // Somebody may look now, and be content.
      for (const all of seen.values()) if ([...all].some((one) => latest() >= one - TOLERANCE_MS)) all.add(latest())
    },
    /** A life begins, which has seen nothing. */
    begins(context: string): void {
      seen.delete(context)
      noticed.delete(context)
    },
    /** Somebody looks at it; whether they notice that it was set back. */
    looks(context: string, index: number): boolean {
      const before = seen.get(context)
      const unnoticed = [...(before ?? [])].filter((one) => latest() >= one - TOLERANCE_MS)
      const isNoticed = before !== undefined && unnoticed.length === 0
      if (isNoticed) noticed.set(context, [...(noticed.get(context) ?? []), { index, offset: latest() }])
      seen.set(context, new Set([...unnoticed, latest()]))
      return isNoticed
    },
    /** Whether somebody has noticed since that what came in a span of time is of a later hour than it was then. */
    hasNoticed: (context: string, came: readonly [number, number]): boolean =>
      noticed
        .get(context)
        ?.some(({ index, offset }) => index > came[1] && Math.min(...between(...came)) - TOLERANCE_MS > offset) ===
      true,
    /** By how much older than it says something may be that came in one span of time and is looked at in another. */
    slackBetween: (came: readonly [number, number], looked: readonly [number, number]): Ms =>
      Math.max(0, Math.max(...between(...came)) - Math.min(...between(...looked))),
  }
}
