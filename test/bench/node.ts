import { spawnSync } from 'node:child_process'
import { build } from 'esbuild'
import { repository } from '../size/bundle.ts'
import type { Table } from './table.ts'

/** Measures in a fresh Node, with the package as Node gets it, from plain JavaScript, so that no loader is measured. */
export async function measureInNode(): Promise<readonly Table[]> {
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: ['test/bench/in-node.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    tsconfigRaw: {},
    write: false,
    logLevel: 'error',
  })
  const { status, stdout } = spawnSync(process.execPath, ['--expose-gc', '--input-type=module'], {
    cwd: repository,
    input: outputFiles[0]?.text ?? '',
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['pipe', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error('The benchmark in Node failed')
  return JSON.parse(stdout)
}
