import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { repository } from '../size/bundle.ts'
import type { Table } from './table.ts'

/** Measures in a fresh Node, with the package as Node gets it, from plain JavaScript, so that no loader is measured: table by table, as they are done. */
export async function* inFreshNode(entry: string): AsyncGenerator<Table> {
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    tsconfigRaw: {},
    write: false,
    logLevel: 'error',
  })
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module'], {
    cwd: repository,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  child.stdin.end(outputFiles[0]?.text ?? '')
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line)
  const [code] = await exit
  if (code !== 0) throw new Error(`${entry} ended with ${code}`)
}
