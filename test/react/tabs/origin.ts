import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { build } from 'esbuild'

export interface ShopOrigin {
  readonly url: string
  /** The methods by which `/stock` was asked for, in order; a validation says so. */
  readonly asked: string[]
  /** What a page has shown since it came back from the back/forward cache: the page tells it, since not every driver finds such a page again. */
  readonly restored: string[]
  /** What is left changes at the origin. */
  sell(): void
  close(): Promise<void>
}

/** An origin whose pages show one number by the hook. It is fresh for ten minutes, and a POST takes one away. */
export async function startShop(): Promise<ShopOrigin> {
  const { outputFiles } = await build({
    absWorkingDir: new URL('../../..', import.meta.url).pathname,
    entryPoints: ['test/react/tabs/page.tsx'],
    bundle: true,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    tsconfigRaw: {},
    write: false,
  })
  const code = outputFiles[0]?.text ?? ''
  const asked: string[] = []
  const restored: string[] = []
  let left = 9
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://origin')
    if (pathname === '/favicon.ico') return response.writeHead(204).end()
    if (pathname === '/restored') {
      text(request).then((left) => restored.push(left))
      return response.writeHead(204).end()
    }
    if (pathname !== '/stock') {
      response.setHeader('content-type', 'text/html')
      return response.end(
        `<!doctype html><meta charset="utf-8"><title>Shop</title><body>${pathname === '/' ? `<script>${code}</script>` : ''}`,
      )
    }
    const etag = `"${left}"`
    const isKnown = request.headers['if-none-match'] === etag
    asked.push(`${request.method}${isKnown ? ' 304' : ''}`)
    if (request.method === 'POST') {
      left--
      return response.writeHead(204).end()
    }
    response.writeHead(isKnown ? 304 : 200, {
      'content-type': 'application/json',
      'cache-control': 'max-age=600',
      etag,
    })
    response.end(isKnown ? undefined : JSON.stringify({ left }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    restored,
    sell() {
      left--
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
