// What runs in the page: bundled with the production build of the package, and called by what `runInBrowser` gives it.
import { createCache } from 'nearcache'
import { runSuite } from './run-suite.ts'
import type { Results, SuiteModules } from './suite.ts'

/** Runs the suite, or some of its tests, through a cache with its defaults (memory and IndexedDB), but that a disk that a busy machine makes late is waited for. */
async function runInPage(modules: SuiteModules, only?: readonly string[]): Promise<Results> {
  const load = (path: string): Promise<unknown> => import(`/suite/${path}`)
  const cache = createCache({ fetch: globalThis.fetch.bind(globalThis), deadlines: { diskMs: 60_000 } })
  // A page that has been used: what a POST brings that is the first request of all is not stored, since nobody knows what was purged before it was sent.
  await cache.explain('/')
  const results = await runSuite(modules, load, location.origin, cache.fetch, only)
  await cache.close()
  return results
}

/** Does so, and posts what came of it to the server. */
export async function report(modules: SuiteModules, only?: readonly string[]): Promise<void> {
  const outcome = await runInPage(modules, only).then(
    (results) => ({ results }),
    (error: unknown) => ({ error: String(error) }),
  )
  await fetch('/report', { method: 'POST', body: JSON.stringify(outcome) })
}
