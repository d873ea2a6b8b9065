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
  const totals = {
    requests: 0,
    hits: 0,
    stale: 0,
    validated: 0,
    misses: 0,
    bypassed: 0,
    rejected: 0,
    requestsSaved: 0,
    bytesSaved: 0,
    msSaved: 0,
  }
  const byCause = new Map<Cause, { count: number }>()
  const byRule = new Map<string, { requests: number; saved: number }>()

  function sink(event: CacheEvent): void {
    if (event.type === 'rejected') {
      totals.requests++
      totals.rejected++
    }
    if (event.type !== 'answered') return
    const group = GROUPS[event.cause] ?? 'misses'
    const saved = group === 'hits' || group === 'stale' || event.cause === 'collapsed' ? 1 : 0
    totals.requests++
    totals[group]++
    totals.requestsSaved += saved
    totals.bytesSaved += event.bytesSaved
    totals.msSaved += event.msSaved
    const same = byCause.get(event.cause)
    if (same) same.count++
    else byCause.set(event.cause, { count: 1 })
    if (event.rule === undefined) return
    const rule = byRule.get(event.rule) ?? { requests: 0, saved: 0 }
    byRule.set(event.rule, { requests: rule.requests + 1, saved: rule.saved + saved })
  }

  return {
    sink,
    stats: (memoryBytes) => ({
      ...totals,
      byCause: Object.fromEntries([...byCause].map(([cause, { count }]) => [cause, count])),
      byRule: Object.fromEntries(byRule),
      memoryBytes,
    }),
  }
}
