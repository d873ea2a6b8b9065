import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// @ts-expect-error it has no types
import fetching from 'make-fetch-happen'
import type { Peer } from './peer.ts'

/** Its cache lies on disk, and has a part in memory (cacache's `memoize`) that it uses by default. */
export const makeFetchHappen: Peer = {
  name: 'make-fetch-happen',
  docs: 'https://github.com/npm/make-fetch-happen#make-fetch-happen-options',
  open() {
    const cachePath = mkdtempSync(join(tmpdir(), 'nearcache-bench-'))
    const fetch = fetching.defaults({ cachePath })
    return {
      read: async (url) => (await fetch(url)).json(),
      close: () => rmSync(cachePath, { recursive: true, force: true }),
    }
  },
}
