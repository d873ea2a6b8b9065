import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import webpack from 'webpack'
import { type Project, repository } from './install-package.ts'

/** What a bundler made of a project: a folder to serve, and what went into it. */
export interface Bundle {
  readonly folder: string
  /** What the page loads at once; parts that are loaded when they are asked for are not in it. */
  readonly code: string
  /** The files whose code the bundle holds, as the source maps name them. */
  readonly sources: readonly string[]
}

function readBundle(folder: string): Bundle {
  const read = (ending: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(ending))
      .map((path) => readFileSync(join(folder, path), 'utf8'))
  const maps = read('.js.map').map((text) => JSON.parse(text) as { sources: string[] })
  const page = readFileSync(join(folder, 'index.html'), 'utf8')
  const loaded = [...page.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map(([, path = '']) => path)
  const code = loaded.map((path) => readFileSync(join(folder, path), 'utf8')).join('\n')
  return { folder, code, sources: maps.flatMap(({ sources }) => sources) }
}

/** `vite build`, for production, of a project whose page loads `/main.js`. */
export function buildWithVite(project: Project): Bundle {
  project.write({ 'index.html': '<!doctype html><title>Vite</title><script type="module" src="/main.js"></script>' })
  // Vitest sets NODE_ENV to "test", which Vite would take for a development build
  const { NODE_ENV: _, ...env } = process.env
  const vite = join(repository, 'node_modules/vite/bin/vite.js')
  execFileSync(process.execPath, [vite, 'build', '--sourcemap', '--logLevel', 'error', '--outDir', 'out-vite'], {
    cwd: project.path,
    env,
    stdio: 'pipe',
  })
  return readBundle(join(project.path, 'out-vite'))
}

/** webpack's own defaults for a page. Its development mode asks packages for their development build. */
export async function buildWithWebpack(
  project: Project,
  mode: 'production' | 'development' = 'production',
): Promise<Bundle> {
  const folder = join(project.path, `out-webpack-${mode}`)
  const compiler = webpack({
    mode,
    context: project.path,
    entry: './main.js',
    output: { path: folder, filename: 'main.js', clean: true },
    devtool: 'source-map',
  })
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)))
  })
  await new Promise((resolve) => compiler.close(resolve))
  if (!stats || stats.hasErrors()) throw new Error(stats?.toString('errors-only') ?? 'webpack gave no result')
  project.write({
    [`out-webpack-${mode}/index.html`]: '<!doctype html><title>webpack</title><script defer src="/main.js"></script>',
  })
  return readBundle(folder)
}
