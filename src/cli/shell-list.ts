/// <reference types="node" />
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { CacheError } from '../errors.ts'
import type { Shell } from '../validate/worker-options.ts'
import { isWritten } from './write-worker.ts'

/** What is no part of a page; nor are the workers that were written here before, by whatever name. */
const LEFT_OUT = /(?:^|\/)\.|\.map$|(?:^|\/)nearcache-sw\.js$|(?:^|\/)nearcache\.config\.json$/

/**
 * The app shell of a folder as it is now: every file in it with its hash, `index.html` under the address of its folder. The version is that of the content: the same files have the same one.
 *
 * @param base - the path under which the folder is served
 */
export function shellOf(folder: string, base = '/'): Pick<Shell, 'version' | 'files'> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => !LEFT_OUT.test(path) && statSync(join(folder, path)).isFile())
    .sort()
    .flatMap((path) => {
      const content = readFileSync(join(folder, path))
      if (isWritten(content)) return []
      const url = path
        .split('/')
        .map(encodeURIComponent)
        .join('/')
        .replace(/(^|\/)index\.html$/, '$1')
      return [{ url: base + url, hash: `sha256-${createHash('sha256').update(content).digest('base64')}` }]
    })
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16)
  return { version, files }
}

/** The shell with a page for all navigations. @throws CacheError with code `option` when it is no file of the shell: no visitor would ever see it */
export function withPage(
  shell: Pick<Shell, 'version' | 'files'>,
  page: string | undefined,
  option: string,
  where: string,
): Shell {
  if (!page) return shell
  const urls = shell.files.map(({ url }) => url)
  if (urls.includes(page)) return { ...shell, page }
  const message = `${option} is ${page}, which is no file ${where}; there is ${urls.slice(0, 5).join(', ')}`
  throw new CacheError('option', message, { path: 'page' })
}
