import type { EventSink } from '../ports/event-sink.ts'

/** URLs under one path beyond which something that means nothing may be part of them. */
const MANY_URLS = 1000
const MAX_PATHS = 100

/** Tells, once per path, that a path has very many URLs stored: a parameter that means nothing makes every request a miss. */
export function watchKeyCardinality(tell: EventSink): EventSink {
  const urls = new Map<string, Set<string> | 'told'>()
  return (event) => {
    if (event.type !== 'stored') return
    const path = event.url.split('?', 1)[0] as string
    if (path === event.url) return
    const seen = urls.get(path) ?? new Set()
    if (seen === 'told') return
    seen.add(event.url)
    if (urls.size >= MAX_PATHS) urls.clear()
    urls.set(path, seen.size < MANY_URLS ? seen : 'told')
    if (seen.size >= MANY_URLS) tell({ type: 'keys-exploded', url: path, keys: seen.size })
  }
}
