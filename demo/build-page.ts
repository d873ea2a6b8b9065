import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import react from '@vitejs/plugin-react'
import { build } from 'vite'
import { buildWorker } from './build-worker.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/**
 * Builds the page for production, where its scripts and styles get names with hashes, into a folder that is this
 * server's alone: several may run at once, from one checkout.
 */
export async function buildPage(): Promise<URL> {
  const outDir = join(mkdtempSync(join(tmpdir(), 'nearcache-demo-')), '/')
  await build({
    configFile: false,
    root: here('.'),
    logLevel: 'warn',
    plugins: [react()],
    // The page imports the package by its name, as its users do; here the name stands for the source.
    resolve: {
      alias: [
        { find: /^nearcache$/, replacement: here('../src/index.ts') },
        { find: /^nearcache\/purge-feed$/, replacement: here('../src/purge-feed/index.ts') },
        { find: /^nearcache\/register$/, replacement: here('../src/service-worker/register.ts') },
        { find: /^nearcache\/react$/, replacement: here('../src/react/index.ts') },
      ],
    },
    build: { outDir, emptyOutDir: true, target: 'es2022' },
  })
  const folder = pathToFileURL(outDir)
  await buildWorker(folder)
  return folder
}
