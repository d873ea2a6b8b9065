import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MiniBrowserOptions {
  /** Path of MiniBrowser. */
  executablePath: string
  /** Features that Safari has on and WebKitGTK 2.50 ships switched off. */
  features?: string[]
}

/** What Safari has switched on and WebKitGTK ships switched off. */
export const safariFeatures = ['StorageAPI', 'StorageAPIEstimate', 'FileSystem']

/** Starts Xvfb on a display number that it picks itself; with -terminate it ends when its last window is gone. */
async function startXvfb(): Promise<string> {
  const args = ['-displayfd', '3', '-terminate', '-screen', '0', '1280x900x24', '-nolisten', 'tcp']
  const child = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)))
    child.stdio[3]?.once('data', (data: Buffer) => resolve(`:${data.toString().trim()}`))
  })
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** A running MiniBrowser with a profile of its own. */
export interface MiniBrowser {
  /** Ends it with all its processes, and removes its profile. */
  close(): Promise<void>
}

/** Opens a page in WebKitGTK's MiniBrowser. It ends with this process at the latest. */
export async function openMiniBrowser(options: MiniBrowserOptions, url: string): Promise<MiniBrowser> {
  const display = process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? undefined : await startXvfb()
  const profile = mkdtempSync(join(tmpdir(), 'webkitgtk-'))
  const features = options.features?.length ? [`--features=${options.features.join(',')}`] : []
  // its own process group: MiniBrowser's network and web processes must go with it
  const child = spawn(options.executablePath, [...features, url], {
    detached: true,
    stdio: 'ignore',
    env: {
      ...process.env,
      ...(display ? { DISPLAY: display } : {}),
      HOME: profile,
      XDG_DATA_HOME: join(profile, 'data'),
      XDG_CACHE_HOME: join(profile, 'cache'),
      XDG_CONFIG_HOME: join(profile, 'config'),
    },
  })
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  const group = -(child.pid as number)
  const kill = () => signal(group, 'SIGTERM')
  process.once('exit', kill)
  return {
    async close() {
      process.off('exit', kill)
      kill()
      for (let i = 0; i < 100 && signal(group, 0); i++) await sleep(20)
      signal(group, 'SIGKILL')
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
