import type { Results, SuiteModules, SuiteSection } from './suite.ts'

interface Runner {
  /** The release's runner takes the fetch under test after the tests, main's does not. */
  runTests(...args: readonly unknown[]): Promise<void>
  getResults(): Results
}

/**
 * How many tests run side by side. Most of a test's time is a pause of three seconds, so many together cost little;
 * but the pauses are real time, and too many would make the answers late.
 */
const testsAtOnce = 100

/**
 * Runs the suite, read as for a browser's private cache, with the tests' own requests going through `cached`.
 *
 * The suite keeps its results in its modules, so they have to be fresh: once in a process, once in a page.
 *
 * @param load - imports a module of the suite by its path from the suite's root
 * @param base - the origin of the suite's server, without a slash at its end
 * @param only - the ids of the tests to run; left out: all
 */
export async function runSuite(
  modules: SuiteModules,
  load: (path: string) => Promise<unknown>,
  base: string,
  cached: typeof fetch,
  only?: readonly string[],
): Promise<Results> {
  const runner = (await load(modules.runner)) as Runner
  const { default: all } = (await load(modules.tests)) as { default: readonly SuiteSection[] }
  const sections = all.map((section) => ({
    ...section,
    tests: section.tests.filter(({ id }) => !only || only.includes(id)),
  }))
  const plain = globalThis.fetch
  // What the suite tells its server, and asks it afterwards, is no part of a test and goes past the cache.
  const divided: typeof fetch = (input, init) =>
    new URL(String(input)).pathname.startsWith('/test/') ? cached(input, init) : plain(input, init)
  const forBrowsers = true
  if (modules.takesFetch) await runner.runTests(sections, divided, forBrowsers, base, testsAtOnce)
  else {
    globalThis.fetch = divided
    try {
      await runner.runTests(sections, forBrowsers, base, testsAtOnce)
    } finally {
      globalThis.fetch = plain
    }
  }
  return runner.getResults()
}
