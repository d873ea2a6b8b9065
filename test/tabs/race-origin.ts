import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { bundle } from '../size/bundle.ts'

/** Serves the race's page and its worker. */
export async function startRaceOrigin(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const [page, worker] = await Promise.all(
    [new URL('./race-page.ts', import.meta.url), new URL('./race-worker.ts', import.meta.url)].map((file) =>
      bundle({ path: fileURLToPath(file) }, { format: 'iife' }),
    ),
  )
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    '/': ['text/html', `<!doctype html><meta charset="utf-8"><title>race</title><script>${page?.code}</script>`],
    '/worker.js': ['text/javascript', worker?.code ?? ''],
  }
  const server = createServer(({ url = '/' }, response) => {
    const [type, text] = files[url] ?? ['text/plain', '']
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
