// The public test suite for HTTP caches, http-tests/cache-tests (https://cache-tests.fyi), in either of its two layouts:
// the npm package http-cache-tests, or a checkout of the project's main branch.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)

/** How the suite weighs a test: a requirement of the RFC, good behaviour that it permits, or only a question. */
export type Kind = 'required' | 'optimal' | 'check'

/** One test, as far as we read it. `kind` left out means required. */
export interface SuiteTest {
  readonly id: string
  readonly name: string
  readonly kind?: Kind
  readonly depends_on?: readonly string[]
  readonly browser_skip?: boolean
  readonly cdn_only?: boolean
}

export interface SuiteSection {
  readonly id: string
  readonly name: string
  readonly tests: readonly SuiteTest[]
}

/** The suite's own record of each test: true, or the name and the message of what went wrong. */
export type Results = Readonly<Record<string, true | readonly [name: string, message: string]>>

/** The results of another cache that the suite publishes with itself. */
interface PublishedResults {
  readonly name: string
  readonly version: string
  readonly file: string
  readonly results: Results
}

/** Where the parts of the suite lie, from its root. The client and the tests also run in a page. */
export interface SuiteModules {
  readonly runner: string
  readonly tests: string
  /** The release's runner is handed a fetch; main's tests call the global one. */
  readonly takesFetch: boolean
}

/** The npm package, or the project's main branch: they may hold a test of one id to different things. */
export type Edition = 'release' | 'main'

export interface Suite {
  readonly folder: string
  readonly edition: Edition
  readonly version: string
  /** A short hash of all that the tests say: two copies with the same one ask the same. */
  readonly fingerprint: string
  readonly modules: SuiteModules
  /** The folder of its server's request handlers. */
  readonly handlers: string
  readonly sections: readonly SuiteSection[]
  readonly published: readonly PublishedResults[]
}

export const kindOf = ({ kind }: SuiteTest): Kind => kind ?? 'required'

/** Whether the suite asks this test of a browser's cache. */
const isForBrowsers = ({ browser_skip, cdn_only }: SuiteTest): boolean => browser_skip !== true && cdn_only !== true

const load = async <Module>(folder: string, path: string): Promise<Module> =>
  (await import(/* @vite-ignore */ pathToFileURL(join(folder, path)).href)) as Module

/**
 * Opens the suite: the folder named by the environment variable HTTP_CACHE_TESTS, else the npm package.
 *
 * Its tests are those for a browser's private cache: the ones that it marks for content delivery networks, or to be
 * left out in browsers, are not among them.
 */
export async function openSuite(): Promise<Suite> {
  const chosen = process.env.HTTP_CACHE_TESTS
  const folder = chosen ? resolve(chosen) : dirname(require.resolve('http-cache-tests/package.json'))
  const takesFetch = !existsSync(join(folder, 'test-engine'))
  const engine = takesFetch ? '' : 'test-engine/'
  const { default: all } = await load<{ default: readonly SuiteSection[] }>(folder, 'tests/index.mjs')
  const { default: index } = await load<{
    default: ReadonlyArray<Omit<PublishedResults, 'results'> & { type: string }>
  }>(folder, 'results/index.mjs')
  return {
    folder,
    edition: takesFetch ? 'release' : 'main',
    version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version,
    fingerprint: createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 12),
    modules: { runner: `${engine}client/runner.mjs`, tests: 'tests/index.mjs', takesFetch },
    handlers: join(folder, engine, 'server'),
    sections: all
      .map((section) => ({ ...section, tests: section.tests.filter(isForBrowsers) }))
      .filter(({ tests }) => tests.length > 0),
    published: index
      .filter(({ type }) => type === 'browser')
      .map((entry) => ({
        ...entry,
        results: JSON.parse(readFileSync(join(folder, 'results', entry.file), 'utf8')) as Results,
      })),
  }
}
