// The worker of the site that the browser tests visit. Its address says its options, as JSON.
import { installCache, type WorkerScope } from '../../src/service-worker/index.ts'

const options = new URL(location.href).searchParams.get('options')
installCache(globalThis as unknown as WorkerScope, options ? JSON.parse(options) : {})
