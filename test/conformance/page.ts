// What runs in the page: bundled with the production build of the package, and called by what `runInBrowser` gives it.
import { createCache } from 'nearcache'
import { runSuite } from './run-suite.ts'
import type { Results, SuiteModules } from './suite.ts'

/** Runs the suite through a cache with its defaults (memory and IndexedDB), or, to compare, by the browser's own fetch. */
async function runInPage(modules: SuiteModules, through: 'nearcache' | 'fetch'): Promise<Results> {
  const load = (path: string): Promise<unknown> => import(`/suite/${path}`)
  const plain = globalThis.fetch.bind(globalThis)
  if (through === 'fetch') return runSuite(modules, load, location.origin, plain)
  const cache = createCache({ fetch: plain })
  const results = await runSuite(modules, load, location.origin, cache.fetch)
  await cache.close()
  return results
}

/** Does so, and posts what came of it to the server. */
export async function report(modules: SuiteModules, through: 'nearcache' | 'fetch'): Promise<void> {
  const outcome = await runInPage(modules, through).then(
    (results) => ({ results }),
    (error: unknown) => ({ error: String(error) }),
  )
  await fetch('/report', { method: 'POST', body: JSON.stringify(outcome) })
}
