/// <reference types="node" />
import { join, resolve } from 'node:path'
import type { WorkerConfig } from '../validate/worker-options.ts'
import { shellOf } from './shell-list.ts'
import { builtTemplate, workerText, writeWorker } from './write-worker.ts'

/** Options of the plugin: those of the worker as JSON can say them, but for the list of files, which the build knows. */
export interface NearcachePluginOptions extends Omit<WorkerConfig, 'shell'> {
  /** The page for every navigation that has no file of its own, as in an app with one page. @default none */
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
    readonly build: { readonly outDir: string }
  }): void
  closeBundle(): void
}

/**
 * A Vite plugin: writes `nearcache-sw.js` beside what was built, with an app shell of exactly these files. Register it with `registerServiceWorker()` of `nearcache/register` in production.
 *
 * @throws CacheError with code `option`, when the build ends, for a wrong option
 */
export function nearcache({ page, ...config }: NearcachePluginOptions = {}): NearcachePlugin {
  let folder: string | undefined
  let base = '/'
  return {
    name: 'nearcache',
    apply: 'build',
    enforce: 'post',
    configResolved(resolved) {
      folder = resolve(resolved.root, resolved.build.outDir)
      // A relative base is that of the worker itself.
      base = resolved.base.startsWith('/') ? resolved.base : '/'
    },
    closeBundle() {
      if (!folder) return
      const shell = { ...shellOf(folder, base), ...(page && { page }) }
      writeWorker(join(folder, 'nearcache-sw.js'), workerText({ ...config, shell }, builtTemplate))
    },
  }
}
