// Runs `npm ci` when what is installed is not what package-lock.json names; does nothing when it is.
// `npm test` and `npm run demo` call this first, so that each works in a fresh clone. Uses Node alone.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** The packages that a lock file names, or undefined when there is no such file or it is torn. */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages
  } catch {
    return undefined
  }
}

/** npm writes the second lock file when an installation is complete, so a broken-off one counts as missing. */
function reasonToInstall() {
  const wanted = packagesOf('package-lock.json')
  const installed = packagesOf('node_modules/.package-lock.json')
  if (!wanted) throw new Error('package-lock.json is missing or torn')
  if (!installed) return 'nothing is installed yet'
  for (const [path, { version, integrity, optional, link }] of Object.entries(wanted)) {
    if (path === '' || link) continue
    const found = installed[path]
    if (!found && optional) continue // meant for another platform
    if (found?.version !== version || found?.integrity !== integrity) return `${path} is not ${version}`
  }
  return undefined
}

const reason = reasonToInstall()
if (reason) {
  process.stdout.write(`Installing the dependencies (${reason}): npm ci\n`)
  // npm names its own program in the environment of its scripts; `npm` on the path is for a direct call
  const npm = process.env.npm_execpath
  const [command, before] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const { status, error } = spawnSync(command, [...before, 'ci', '--include=dev'], {
    cwd: root,
    stdio: 'inherit',
    shell: command === 'npm' && process.platform === 'win32',
  })
  if (error) throw error
  process.exit(status ?? 1)
}
