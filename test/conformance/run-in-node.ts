import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { startOrigin } from './origin.ts'
import { runSuite } from './run-suite.ts'
import type { Results, Suite } from './suite.ts'

/** Runs the suite in this process, once, with the tests' own requests going through `cached`. */
export async function runInNode(suite: Suite, cached: typeof fetch): Promise<Results> {
  const origin = await startOrigin(suite)
  try {
    const load = (path: string): Promise<unknown> =>
      import(/* @vite-ignore */ pathToFileURL(join(suite.folder, path)).href)
    return await runSuite(suite.modules, load, origin.base, cached)
  } finally {
    await origin.stop()
  }
}
