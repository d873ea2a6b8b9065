import type { Cause } from '../http/decide.ts'
import type { CacheEvent, EventSink, Stats } from '../ports/event-sink.ts'

type Group = 'hits' | 'stale' | 'validated' | 'misses' | 'bypassed'

/** In which counter a cause counts. What is not named here was fetched from the origin. */
const GROUPS: Partial<Record<Cause, Group>> = {
  fresh: 'hits',
  'early-refresh': 'hits',
  'stale-while-revalidate': 'stale',
  'stale-if-error': 'stale',
  'soft-deadline': 'stale',
  'max-stale': 'stale',
  validated: 'validated',
  'browser-validated': 'validated',
  method: 'bypassed',
  bypass: 'bypassed',
  'only-if-cached': 'bypassed',
}

/** Counts what the events tell: each request once, so that the counters add up. */
export function createCounters(): { readonly sink: EventSink; stats(memoryBytes: number): Stats } {
  let rejected = 0
  const byCause = new Map<Cause, { count: number; bytesSaved: number; msSaved: number }>()
  const byRule = new Map<string, { requests: number; saved: number }>()
  /** Whether the origin was not asked while the caller waited. */
  const isSaved = (cause: Cause) => cause === 'collapsed' || /^(?:hits|stale)$/.test(GROUPS[cause] ?? '')

  // Every hit comes by here: what can be added up later is.
  function sink(event: CacheEvent): void {
    if (event.type === 'rejected') rejected++
    if (event.type !== 'answered') return
    const { cause, rule } = event
    const same = byCause.get(cause) ?? { count: 0, bytesSaved: 0, msSaved: 0 }
    if (same.count++ === 0) byCause.set(cause, same)
    same.bytesSaved += event.bytesSaved
    same.msSaved += event.msSaved
    if (rule === undefined) return
    const { requests, saved } = byRule.get(rule) ?? { requests: 0, saved: 0 }
    byRule.set(rule, { requests: requests + 1, saved: saved + Number(isSaved(cause)) })
  }

  return {
    sink,
    stats(memoryBytes) {
      const totals = {
        requests: rejected,
        hits: 0,
        stale: 0,
        validated: 0,
        misses: 0,
        bypassed: 0,
        rejected,
        requestsSaved: 0,
        bytesSaved: 0,
        msSaved: 0,
      }
      for (const [cause, { count, bytesSaved, msSaved }] of byCause) {
        totals.requests += count
        totals[GROUPS[cause] ?? 'misses'] += count
        totals.requestsSaved += isSaved(cause) ? count : 0
        totals.bytesSaved += bytesSaved
        totals.msSaved += msSaved
      }
      return {
        ...totals,
        byCause: Object.fromEntries([...byCause].map(([cause, { count }]) => [cause, count])),
        byRule: Object.fromEntries(byRule),
        memoryBytes,
      }
    },
  }
}
