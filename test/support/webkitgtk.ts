import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineBrowserProvider } from '@vitest/browser'

export interface WebKitGtkOptions {
  /** Path of MiniBrowser. */
  executablePath: string
  /** Features that Safari has on and WebKitGTK 2.50 ships switched off. */
  features?: string[]
}

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

/** A Vitest browser provider without a driver: it opens the page that Vitest names in WebKitGTK's MiniBrowser. */
export function webkitgtk(options: WebKitGtkOptions): ReturnType<typeof defineBrowserProvider> {
  return defineBrowserProvider({
    name: 'webkitgtk',
    supportedBrowser: ['webkitgtk'],
    options,
    providerFactory() {
      const pages: Array<{ pid: number; profile: string }> = []
      const kill = () => {
        for (const { pid } of pages) signal(-pid, 'SIGTERM')
      }
      process.once('exit', kill)
      return {
        name: 'webkitgtk',
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        async openPage(_session: string, url: string): Promise<void> {
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
          if (child.pid) pages.push({ pid: child.pid, profile })
        },
        async close(): Promise<void> {
          process.off('exit', kill)
          for (const { pid, profile } of pages) {
            signal(-pid, 'SIGTERM')
            for (let i = 0; i < 100 && signal(-pid, 0); i++) await sleep(20)
            signal(-pid, 'SIGKILL')
            rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
          }
          pages.length = 0
        },
      }
    },
  })
}
