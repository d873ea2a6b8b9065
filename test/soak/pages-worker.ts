import { installCache, type WorkerScope } from '../../src/service-worker/index.ts'
import { stamped } from './stamped.ts'

// The worker of the pages that are soaked: it shares their database.

installCache(globalThis as unknown as WorkerScope, {
  name: 'pages',
  claim: true,
  skipWaiting: true,
  fetch: stamped,
  memory: { maxBytes: 2 ** 20 },
  disk: { maxBytes: 4 * 2 ** 20 },
})
