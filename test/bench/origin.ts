import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ASKED, bodyAt, headersFor } from './sample.ts'

/** A server of this machine, with products and whatever else it is given; it counts how often it is asked for each path. */
export interface BenchOrigin {
  readonly url: string
  readonly asked: ReadonlyMap<string, number>
  close(): void
}

/** How often it was asked for products in all. */
export const productsAsked = ({ asked }: Pick<BenchOrigin, 'asked'>): number =>
  [...asked].reduce((sum, [path, count]) => (path.startsWith('/product/') ? sum + count : sum), 0)

/** @param files - text by path; those that end in `.js` are scripts, `/` is for every other path */
export async function startOrigin(files: Readonly<Record<string, string>> = {}): Promise<BenchOrigin> {
  const asked = new Map<string, number>()
  const server: Server = createServer((request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?', 1)
    asked.set(path, (asked.get(path) ?? 0) + 1)
    const body = path.startsWith('/product/') ? bodyAt(path) : undefined
    if (body) response.writeHead(200, headersFor(body)).end(body)
    else if (path === ASKED) response.writeHead(200, { 'cache-control': 'no-store' }).end(`${productsAsked({ asked })}`)
    else if (files[path] !== undefined && path.endsWith('.js'))
      response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'max-age=3600' }).end(files[path])
    // Isolated, so that the timer's grain is fine (HR-Time §7).
    else
      response
        .writeHead(200, {
          'content-type': 'text/html',
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
        })
        .end(files['/'] ?? '<!doctype html><title>Benchmark</title>')
  })
  // A peer that uses a connection again at the moment when the server gives it up sees a reset: it is never given up.
  server.keepAliveTimeout = 0
  // 1,000 may come at once.
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', 4_096, listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
