// The process in which the suite runs in Node, through a cache in memory: it is told which tests, and tells what came of them.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createCache } from '../../src/index.ts'
import { startOrigin } from './origin.ts'
import { runSuite } from './run-suite.ts'
import { openSuite } from './suite.ts'

const suite = await openSuite()
const load = (path: string): Promise<unknown> => import(pathToFileURL(join(suite.folder, path)).href)

process.on('message', async ({ only }: { readonly only?: readonly string[] }) => {
  const cache = createCache({ store: 'memory', fetch: globalThis.fetch })
  const origin = await startOrigin(suite)
  const results = await runSuite(suite.modules, load, origin.base, cache.fetch, only)
  await Promise.all([cache.close(), origin.stop()])
  process.send?.({ results }, () => process.disconnect())
})
process.send?.('ready')
