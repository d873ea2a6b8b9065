import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../..', import.meta.url))

/** The tarball that `npm publish` would send, built from the sources as they are. */
export interface PackedPackage {
  readonly tarball: string
  /** Paths inside the package. */
  readonly files: readonly string[]
  remove(): void
}

/** Builds and packs this repository into a folder of its own. */
export function packPackage(): PackedPackage {
  const folder = mkdtempSync(join(tmpdir(), 'nearcache-pack-'))
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: repository, encoding: 'utf8', stdio: 'pipe' })
  npm('run', '--silent', 'build')
  const tarball = join(folder, npm('pack', '--silent', '--pack-destination', folder).trim())
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
  return { tarball, files, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** An empty project with the package installed: what a user has after `npm install nearcache`. */
export interface Project {
  readonly path: string
  write(files: Readonly<Record<string, string>>): void
  remove(): void
}

/**
 * Unpacks `tarball` as npm would, and beside it exactly the packages that it depends on, so that a dependency which
 * package.json does not name is missed here as it would be at a user's. Those come from this repository: no network.
 */
export function installPackage(tarball: string, alsoInstalled: readonly string[] = []): Project {
  const path = mkdtempSync(join(tmpdir(), 'nearcache-project-'))
  const installed = join(path, 'node_modules', 'nearcache')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of [...Object.keys(dependencies), ...alsoInstalled]) {
    const link = join(path, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(repository, 'node_modules', name), link)
  }
  const project: Project = {
    path,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(path, name)), { recursive: true })
        writeFileSync(join(path, name), text)
      }
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
  project.write({ 'package.json': JSON.stringify({ name: 'project', private: true, type: 'module' }) })
  return project
}
