import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const found = [
  process.env.REDIS_PATH,
  '/usr/bin/redis-server',
  '/usr/local/bin/redis-server',
  '/opt/homebrew/bin/redis-server',
].find((path) => path && existsSync(path))

/** Whether this machine has a redis-server. In CI a missing one is an error, elsewhere a line that says so. */
export function hasRedis(): boolean {
  if (found) return true
  if (process.env.CI) throw new Error('Not on this machine: redis-server. Run test/support/install-browsers.sh')
  process.stderr.write('SKIPPED: the tests on Redis: redis-server is not on this machine (REDIS_PATH=… names one)\n')
  return false
}

export interface RedisServer {
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

/** Starts a redis-server of its own, in memory alone, on this machine alone. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'nearcache-redis-'))
  const port = await freePort()
  const options = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder, daemonize: 'no' }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const server = spawn(found as string, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((ready, failed) => {
    let said = ''
    server.stdout.on('data', (chunk: Buffer) => {
      said += chunk
      if (said.includes('Ready to accept connections')) ready()
    })
    server.once('exit', () => failed(new Error(`redis-server ended: ${said.slice(-500)}`)))
  })
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    async stop() {
      const ended = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening))
  const { port } = probe.address() as AddressInfo
  await new Promise((closed) => probe.close(closed))
  return port
}
