import type { CacheKey } from '../ports/store.ts'
import type { Core } from './core.ts'

/** After everything in an order of dispatch. */
const LATEST = Number.MAX_SAFE_INTEGER

/** What another context has stored under `key` is what is shown from now on. */
export async function takeOver(key: CacheKey, { store, emit }: Core): Promise<void> {
  const changed = await store.reread(key)
  if (!changed) return
  for (const one of changed.after) {
    const { url, body, responseTime } = one
    const former = changed.before.find((other) => other.body.id === body.id)
    // Its place in another context's order says nothing here: it knows of every write but those under way.
    const about = { key, replaced: former ? [former] : changed.before, stored: { ...one, sequence: LATEST } }
    if (!former) emit({ type: 'stored', url, bytes: body.size, elsewhere: true }, about)
    else if (former.responseTime < responseTime) emit({ type: 'freshened', url, elsewhere: true }, about)
  }
}
