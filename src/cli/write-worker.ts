/// <reference types="node" />
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { CacheError } from '../errors.ts'
import { checkWorkerConfig, type WorkerConfig } from '../validate/worker-options.ts'

/** The first line of every file that is written: by it a file of somebody else's is known. */
const HEAD = '// Written by nearcache sw. Do not edit: run it again.'

/** Whether this command has written the file. */
export const isWritten = (content: Buffer): boolean => content.subarray(0, HEAD.length).toString('latin1') === HEAD

/** The bundled workers. */
export type Template = (kind: 'worker' | 'kill-switch') => string

/** The templates lie beside this file in the built package. */
export const builtTemplate: Template = (kind) => readFileSync(new URL(`./${kind}.js`, import.meta.url), 'utf8')

/** The text of a worker with this configuration in it. @throws CacheError with code `option` when it is wrong */
export const workerText = (config: WorkerConfig, template: Template): string =>
  textOf(checkWorkerConfig(config, 'the configuration'), template('worker'))

/** The text of a worker that removes itself and what it has stored. */
export const killSwitchText = (
  config: { readonly name?: string; readonly reload?: boolean },
  template: Template,
): string => textOf(config, template('kill-switch'))

const textOf = (config: object, code: string): string =>
  // JSON is JavaScript, but for two line separators of old; `</script` and the like stand in no page here.
  `${HEAD}\nconst NEARCACHE = ${JSON.stringify(config)};\n${code}`

/** Writes a worker's file, over an earlier one of ours. @throws CacheError with code `option` when the file is somebody else's, or cannot be written */
export function writeWorker(path: string, text: string): void {
  if (existsSync(path) && !isWritten(readFileSync(path)))
    throw new CacheError(
      'option',
      `${path} is there already, and was not written by nearcache. Remove it, or give another name with --out`,
      { path: 'out' },
    )
  try {
    writeFileSync(path, text)
  } catch (cause) {
    throw new CacheError('option', `${path} cannot be written: ${(cause as Error).message}`, { path: 'out', cause })
  }
}
