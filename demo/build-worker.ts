import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { shellOf } from '../src/cli/shell-list.ts'
import { workerText, writeWorker } from '../src/cli/write-worker.ts'

/** Writes `nearcache-sw.js` beside the built page, as `npx nearcache sw --shell` or the Vite plugin would; here the package's own source stands for it. */
export async function buildWorker(folder: URL): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../src/cli/ready-made.ts', import.meta.url))],
    bundle: true,
    format: 'iife',
    minify: true,
    write: false,
    logLevel: 'error',
  })
  const config = {
    // The page's own cache and the worker share a database, and with it whoever is signed in.
    name: 'lehmhaus',
    claim: true,
    // What the side-by-side page reads without nearcache is read without its worker, too.
    routes: ['/control*', '/api/*lane=fetch', '/api/*lane=tanstack'].map((match) => ({
      match,
      strategy: 'network' as const,
    })),
    shell: { ...shellOf(fileURLToPath(folder)), page: '/' },
  }
  const text = workerText(config, () => outputFiles[0]?.text ?? '')
  writeWorker(fileURLToPath(new URL('nearcache-sw.js', folder)), text)
}
