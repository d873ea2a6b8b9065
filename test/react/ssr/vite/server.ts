import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { createServer } from 'vite'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const template = readFileSync(new URL('index.html', import.meta.url), 'utf8')

/** Server rendering with Vite and no framework: Vite serves the scripts, and loads the entry that renders. */
export async function viteServer() {
  const vite = await createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'error',
    cacheDir: `${root}/.reports/vite-ssr`,
    plugins: [react()],
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
    optimizeDeps: { include: ['react', 'react/jsx-dev-runtime', 'react-dom/client', 'idb-keyval'], noDiscovery: true },
  })
  async function page(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const base = `http://${request.headers.host}/`
    const html = await vite.transformIndexHtml(request.url ?? '/', template)
    const { render } = (await vite.ssrLoadModule(
      '/test/react/ssr/vite/entry-server.tsx',
    )) as typeof import('./entry-server.tsx')
    const content = await render(base, request.headers.cookie ?? '')
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end(html.replace('<!--page-->', () => content))
  }
  return {
    close: () => vite.close(),
    listener: (request: IncomingMessage, response: ServerResponse) =>
      vite.middlewares(request, response, () => {
        page(request, response).catch((error) => response.writeHead(500).end(String(error.stack)))
      }),
  }
}
