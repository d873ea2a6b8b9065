import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bundle } from '../size/bundle.ts'

export interface TabsOrigin {
  readonly url: string
  /** How many requests there were for a path; for all, without one. */
  asked(path?: string): number
  /** Answers to this path wait from now on, or only the next one; returns what lets them go. */
  hold(path: string, which?: 'next'): () => void
  close(): Promise<void>
}

let script: Promise<string> | undefined
let worker: Promise<string> | undefined

/** An origin with a worker, whose pages hold a cache, `/plain` holds none; every other path is a number that grows with each answer, fresh for ten minutes. */
export async function startTabsOrigin(): Promise<TabsOrigin> {
  script ??= bundle({ path: 'test/tabs/tabs-page.ts' }, { format: 'iife' }).then(({ code }) => code)
  worker ??= bundle(
    {
      contents:
        "import { installCache } from './src/service-worker/index.ts'\nimport { patientClock } from './test/tabs/patient-clock.ts'\ninstallCache(self, { clock: patientClock })",
    },
    { format: 'iife' },
  ).then(({ code }) => code)
  const [code, workerCode] = await Promise.all([script, worker])
  const asked = new Map<string, number>()
  const held = new Map<string, Promise<void>>()
  const nexts = new Set<string>()
  let seq = 0
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://origin')
    if (pathname === '/favicon.ico') return response.writeHead(204).end()
    if (pathname === '/' || pathname === '/plain' || pathname === '/away') {
      response.setHeader('content-type', 'text/html')
      return response.end(
        `<!doctype html><meta charset="utf-8"><title>${pathname}</title>${pathname === '/' ? `<script>${code}</script>` : ''}`,
      )
    }
    if (pathname === '/worker.js') {
      response.setHeader('content-type', 'text/javascript')
      return response.end(workerCode)
    }
    if (pathname === '/now') {
      response.setHeader('content-type', 'application/json')
      return response.end(JSON.stringify({ seq }))
    }
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1)
    const mine = ++seq
    const waiting = held.get(pathname)
    if (nexts.delete(pathname)) held.delete(pathname)
    await waiting
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=600' })
    response.end(JSON.stringify({ seq: mine }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: (path) =>
      path === undefined ? [...asked.values()].reduce((sum, one) => sum + one, 0) : (asked.get(path) ?? 0),
    hold(path, which) {
      if (which === 'next') nexts.add(path)
      let release = () => {}
      held.set(
        path,
        new Promise((resolve) => {
          release = () => {
            held.delete(path)
            resolve()
          }
        }),
      )
      return () => release()
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
