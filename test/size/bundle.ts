import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'

/** The root of the repository. */
export const repository = fileURLToPath(new URL('../..', import.meta.url))

export interface Bundle {
  /** What the page loads at once. */
  readonly code: string
  /** The minified bytes in it, by the path of the module that they come from. */
  readonly bytes: ReadonlyMap<string, number>
}

const newest = (folder: string, ending: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith(ending))
      .map((path) => statSync(join(folder, path)).mtimeMs),
  )

/** Builds the package when its sources are newer than what was built last. */
export function ensureBuilt(): void {
  const built = existsSync(join(repository, 'dist/index.js'))
  if (built && newest(join(repository, 'dist'), '.js') >= newest(join(repository, 'src'), '.ts')) return
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd: repository, stdio: 'inherit' })
  if (status !== 0) throw new Error('npm run build failed')
}

/**
 * What a page gets that imports the built package for production in a browser, with everything that the package depends on.
 *
 * @param entry - the source of the importing module, or the path of one
 */
export async function bundle(
  entry: { readonly contents: string } | { readonly path: string },
  options: { readonly format: 'esm' | 'iife'; readonly globalName?: string; readonly external?: string[] },
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: repository,
    ...('path' in entry
      ? { entryPoints: [entry.path] }
      : { stdin: { contents: entry.contents, resolveDir: repository, sourcefile: 'entry.js' } }),
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    conditions: ['browser', 'production', 'import'],
    mainFields: ['browser', 'module', 'main'],
    define: { 'process.env.NODE_ENV': '"production"' },
    // the repository's own tsconfig leads `nearcache` to the sources, for the editor
    tsconfigRaw: {},
    jsx: 'automatic',
    metafile: true,
    write: false,
    outdir: 'bundle',
    // What is imported only when it is asked for is a file of its own.
    splitting: options.format === 'esm',
    legalComments: 'none',
    logLevel: 'error',
    ...options,
  })
  const loaded = atOnce(metafile)
  const bytes = new Map<string, number>()
  for (const path of loaded) {
    for (const [input, { bytesInOutput }] of Object.entries(metafile.outputs[path]?.inputs ?? {}))
      bytes.set(input, (bytes.get(input) ?? 0) + bytesInOutput)
  }
  const isLoaded = (file: string) => loaded.some((path) => file.endsWith(`/${path}`))
  return { code: outputFiles.flatMap(({ path, text }) => (isLoaded(path) ? [text] : [])).join('\n'), bytes }
}

/** The output of the entry, and what it imports statically. */
function atOnce({ outputs }: Metafile): string[] {
  const loaded: string[] = []
  const load = (path: string) => {
    if (loaded.includes(path)) return
    loaded.push(path)
    for (const imported of outputs[path]?.imports ?? []) if (imported.kind === 'import-statement') load(imported.path)
  }
  const paths = Object.keys(outputs)
  load(paths.find((path) => path.endsWith('/stdin.js')) ?? (paths[0] as string))
  return loaded
}
