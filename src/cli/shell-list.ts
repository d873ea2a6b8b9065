/// <reference types="node" />
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Shell } from '../validate/worker-options.ts'

/** What is no part of a page. */
const LEFT_OUT = /(?:^|\/)\.|\.map$|(?:^|\/)nearcache-sw\.js$|(?:^|\/)nearcache\.config\.json$/

/**
 * The app shell of a folder as it is now: every file in it with its hash, `index.html` under the address of its folder. The version is that of the content: the same files have the same one.
 *
 * @param base - the path under which the folder is served
 */
export function shellOf(folder: string, base = '/'): Pick<Shell, 'version' | 'files'> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => !LEFT_OUT.test(path) && statSync(join(folder, path)).isFile())
    .sort()
  const files = paths.map((path) => ({
    url:
      base +
      path
        .split('/')
        .map(encodeURIComponent)
        .join('/')
        .replace(/(^|\/)index\.html$/, '$1'),
    hash: `sha256-${createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('base64')}`,
  }))
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16)
  return { version, files }
}
