import { createCache } from '../../src/index.ts'
import { runInNode } from './run-in-node.ts'
import type { Results, Suite } from './suite.ts'

/** Runs the suite in this process, once, through a cache in memory. */
export async function runCacheInNode(suite: Suite): Promise<Results> {
  const cache = createCache({ store: 'memory', fetch: globalThis.fetch })
  try {
    return await runInNode(suite, cache.fetch)
  } finally {
    await cache.close()
  }
}
