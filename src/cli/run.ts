/// <reference types="node" />
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { CacheError } from '../errors.ts'
import { checkWorkerConfig, type WorkerConfig } from '../validate/worker-options.ts'
import { shellOf, withPage } from './shell-list.ts'
import { killSwitchText, type Template, workerText, writeWorker } from './write-worker.ts'

const HELP = `nearcache sw DIR [options]    writes DIR/nearcache-sw.js, a service worker that caches as the site's headers say

  --config FILE     its options, as JSON (default: nearcache.config.json where you are, if there is one)
  --shell           with an app shell: every file in DIR, kept whole and served together
  --page URL        with --shell: the page for every navigation that has no file of its own
  --base PATH       the path under which DIR is served (default: /)
  --claim           take over the pages that are open, at once
  --skip-waiting    take over from an earlier worker without waiting for its pages
  --exclude URL     leave these requests alone; * stands for anything; may be given several times
  --out NAME        another name than nearcache-sw.js
  --kill            writes a worker that removes itself and what nearcache has stored
  --reload          with --kill: and loads the open pages again
  --help            this text
`

const options = {
  config: { type: 'string' },
  shell: { type: 'boolean' },
  page: { type: 'string' },
  base: { type: 'string' },
  claim: { type: 'boolean' },
  'skip-waiting': { type: 'boolean' },
  exclude: { type: 'string', multiple: true },
  out: { type: 'string' },
  kill: { type: 'boolean' },
  reload: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** What running takes from outside. */
export interface Surroundings {
  /** Where relative paths start. */
  readonly cwd: string
  readonly template: Template
  print(text: string): void
  complain(text: string): void
}

/** Runs one command. @returns the exit code: 0 when it is done, 1 when it was not understood or could not be done */
export function run(args: readonly string[], around: Surroundings): number {
  try {
    const { values, positionals } = parsed(args)
    if (values.help || args.length === 0) {
      around.print(HELP)
      return 0
    }
    const [command, folder, ...more] = positionals
    if (command !== 'sw') throw wrong(`There is no command ${command ?? '(none)'}; there is: sw DIR`, 'command')
    if (!folder) throw wrong('sw needs the folder that is served, as in: nearcache sw public/', 'DIR')
    if (more.length > 0)
      throw wrong(`sw takes one folder, not ${more.length + 1}: ${positionals.slice(1).join(' ')}`, 'DIR')
    around.print(sw(folder, values, around))
    return 0
  } catch (error) {
    if (!(error instanceof CacheError)) throw error
    around.complain(`${error.message}\n`)
    return 1
  }
}

type Values = ReturnType<typeof parsed>['values']

const wrong = (message: string, path: string, cause?: unknown): CacheError =>
  new CacheError('option', message, { path, ...(cause !== undefined && { cause }) })

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (cause) {
    throw wrong(`${(cause as Error).message}. See nearcache --help`, 'arguments', cause)
  }
}

function sw(given: string, values: Values, { cwd, template }: Surroundings): string {
  const folder = join(cwd, given)
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw wrong(`${given} is no folder. Give the one that is served as your site's root`, 'DIR')
  const name = values.out ?? 'nearcache-sw.js'
  if (basename(name) !== name || !name.endsWith('.js'))
    throw wrong(`--out is ${name}; it must be a file name that ends in .js`, 'out')
  if (values.reload && !values.kill) throw wrong('--reload goes with --kill', 'reload')
  if (values.page && !values.shell) throw wrong('--page goes with --shell', 'page')
  const config = readConfig(values.config, cwd)
  const path = join(folder, name)
  if (values.kill) {
    const { name: database } = config
    writeWorker(
      path,
      killSwitchText({ ...(database && { name: database }), ...(values.reload && { reload: true }) }, template),
    )
    return `${join(given, name)}: a worker that removes itself and what nearcache has stored.
Next: deploy it in the place of the worker that is to go, and leave it there for as long as visitors may still have that one.
`
  }
  const { base = '/' } = values
  if (!/^\/(?:.*\/)?$/.test(base)) throw wrong(`--base is ${base}; it must begin and end with /`, 'base')
  const shell = values.shell
    ? withPage(shellOf(folder, base), values.page, '--page', `in ${given}`)
    : config.shell && withPage(config.shell, config.shell.page, 'shell.page', 'of shell.files')
  const text = workerText(
    {
      ...config,
      ...(shell && { shell }),
      ...(values.claim && { claim: true }),
      ...(values['skip-waiting'] && { skipWaiting: true }),
      routes: [
        ...(values.exclude ?? []).map((match) => ({ match, strategy: 'network' as const })),
        ...(config.routes ?? []),
      ],
    },
    template,
  )
  writeWorker(path, text)
  const size = `${Math.round(Buffer.byteLength(text) / 1000)} kB`
  const kept = shell
    ? `, with an app shell of ${shell.files.length} ${shell.files.length === 1 ? 'file' : 'files'} (version ${shell.version})`
    : ''
  return `${join(given, name)}: ${size}${kept}.
Next: serve it with Cache-Control: no-cache, and in your page:

  import { registerServiceWorker } from 'nearcache/register'
  await registerServiceWorker('${base}${name}')
${shell ? '\nRun this again after each build: the list must be that of the files which are deployed.\n' : ''}`
}

function readConfig(given: string | undefined, cwd: string): WorkerConfig {
  const name = given ?? 'nearcache.config.json'
  const path = join(cwd, name)
  if (!existsSync(path)) {
    if (given) throw wrong(`${given} is not there`, 'config')
    return {}
  }
  let config: unknown
  try {
    config = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw wrong(`${name} is not JSON: ${(cause as Error).message}`, 'config', cause)
  }
  return checkWorkerConfig(config, name)
}
