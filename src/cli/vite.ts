/// <reference types="node" />
import { join, resolve } from 'node:path'
import type { WorkerConfig } from '../validate/worker-options.ts'
import { shellOf, withPage } from './shell-list.ts'
import { builtTemplate, workerText, writeWorker } from './write-worker.ts'

/** Options of the plugin: those of the worker as JSON can say them, but for the list of files, which the build knows. */
export interface NearcachePluginOptions extends Omit<WorkerConfig, 'shell'> {
  /** The page for every navigation that has no file of its own, as in an app with one page: its address with Vite's `base`, as `/`, or `./` with a relative one. @default none */
  readonly page?: string
}

/** As much of Vite's plugin as this is. */
export interface NearcachePlugin {
  readonly name: string
  readonly apply: 'build'
  readonly enforce: 'post'
  configResolved(config: {
    readonly root: string
    readonly base: string
    readonly build: { readonly outDir: string; readonly ssr?: boolean | string }
  }): void
  closeBundle(): void
}

/**
 * A Vite plugin: writes `nearcache-sw.js` beside what was built, with an app shell of exactly these files. Register it with `registerServiceWorker()` of `nearcache/register` in production.
 *
 * @throws CacheError with code `option`, when the build ends, for a wrong option, and for a page that is no file of it
 */
export function nearcache({ page, ...config }: NearcachePluginOptions = {}): NearcachePlugin {
  let folder: string | undefined
  let base = '/'
  return {
    name: 'nearcache',
    apply: 'build',
    enforce: 'post',
    configResolved(resolved) {
      // What is built for a server has no visitors.
      folder = resolved.build.ssr ? undefined : resolve(resolved.root, resolved.build.outDir)
      // The worker lies beside the files.
      base = resolved.base.startsWith('/') ? resolved.base : './'
    },
    closeBundle() {
      if (!folder) return
      const shell = withPage(shellOf(folder, base), page, 'page', 'of the build')
      writeWorker(join(folder, 'nearcache-sw.js'), workerText({ ...config, shell }, builtTemplate))
    },
  }
}
