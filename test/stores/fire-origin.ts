import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { bundle } from '../size/bundle.ts'

export interface FireOrigin {
  readonly url: string
  /** How many answers it has given, by path. */
  asked(path: string): number
  close(): Promise<void>
}

let script: Promise<string> | undefined

/** An origin with a page that holds a cache: of its own, so that each test has storage of its own. `?size=` says how large an answer is. */
export async function startOrigin(): Promise<FireOrigin> {
  script ??= bundle({ path: 'test/stores/fire-page.ts' }, { format: 'iife' }).then(({ code }) => code)
  const code = await script
  const asked = new Map<string, number>()
  let seq = 0
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://origin')
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html')
      response.end(`<!doctype html><meta charset="utf-8"><title>Under fire</title><script>${code}</script>`)
      return
    }
    if (pathname === '/favicon.ico') {
      response.writeHead(204).end()
      return
    }
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1)
    seq++
    response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': 'max-age=600',
      ...(searchParams.has('clear') && { 'clear-site-data': '"storage"' }),
    })
    const pad = `${pathname} ${seq}`.padEnd(Number(searchParams.get('size') ?? 1_000), '.')
    response.end(JSON.stringify({ seq, path: pathname, pad }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: (path) => asked.get(path) ?? 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
