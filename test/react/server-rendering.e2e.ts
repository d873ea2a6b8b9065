import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BrowserContext, expect, type Page, test } from '@playwright/test'
import { build } from 'esbuild'
import { createCache } from '../../src/index.ts'
import { type ExampleApi, exampleApi } from './ssr/api.ts'
import { plainServer } from './ssr/plain-server.tsx'
import { viteServer } from './ssr/vite/server.ts'

const repository = new URL('../..', import.meta.url).pathname

/** An example, with the API that it asks. */
interface Example extends Pick<ExampleApi, 'asked' | 'hold'> {
  readonly url: string
  close(): Promise<void>
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function open(pages: RequestListener, end = async () => {}): Promise<Example> {
  const { listener, asked, hold } = exampleApi()
  const server = createServer((request, response) =>
    (request.url?.startsWith('/api/') ? listener : pages)(request, response),
  )
  const url = await listen(server)
  return {
    url,
    asked,
    hold,
    async close() {
      server.closeAllConnections()
      server.close()
      await end()
    },
  }
}

async function openPlain(): Promise<Example> {
  const { outputFiles } = await build({
    absWorkingDir: repository,
    entryPoints: ['test/react/ssr/client.tsx'],
    bundle: true,
    format: 'esm',
    jsx: 'automatic',
    jsxDev: true,
    define: { 'process.env.NODE_ENV': '"development"' },
    tsconfigRaw: {},
    write: false,
    outdir: 'client',
    splitting: true,
  })
  const script = outputFiles.find(({ path }) => path.endsWith('client.js'))
  const chunks = new Map(outputFiles.map(({ path, contents }) => [`/${path.split('/').at(-1)}`, contents]))
  let url = ''
  const cacheFor = (cookie = '') =>
    createCache({
      store: 'memory',
      base: url,
      fetch: (input, init) => fetch(input, { ...init, headers: { cookie } }),
    })
  const page = plainServer(cacheFor, '/client.js')
  const example = await open((request, response) => {
    const chunk = chunks.get(request.url ?? '/')
    if (chunk) response.writeHead(200, { 'content-type': 'text/javascript' }).end(chunk)
    else if (request.url === '/') page(request, response)
    else response.writeHead(404).end()
  })
  expect(script).toBeDefined()
  url = example.url
  return example
}

async function openVite(): Promise<Example> {
  const { listener, close } = await viteServer()
  return open(listener, close)
}

const examples = { 'plain react-dom/server, streamed': openPlain, 'Vite without a framework': openVite }
const text = (page: Page) => page.locator('#root main').textContent()

/** A page of a user, and what it complains of. */
async function visit(context: BrowserContext, url: string) {
  await context.addCookies([{ name: 'user', value: 'ada', url }])
  const page = await context.newPage()
  const said: string[] = []
  // Vite's own client has nothing to reload here.
  const say = (text: string) => /websocket|ws:/i.test(text) || said.push(text)
  page.on('console', (message) => /error|warning/.test(message.type()) && say(message.text()))
  page.on('pageerror', (error) => say(error.message))
  await page.goto(url, { waitUntil: 'commit' })
  return { page, said }
}

for (const [name, start] of Object.entries(examples)) {
  test(`${name}: hydrated without a warning, and what the server had is not asked for again`, async ({ context }) => {
    const { url, asked, close } = await start()
    try {
      const { page, said } = await visit(context, url)
      await expect.poll(() => text(page)).toBe('Cup </script><b>fine,blueada5 false false')
      expect(said).toEqual([])
      // The server asked as its user; what is that user's alone was not put into the page, and is asked for once more by the page.
      await expect
        .poll(() => asked.sort())
        .toEqual(['/api/me ada', '/api/me ada', '/api/product ada', '/api/reviews ada', '/api/stock ada'])
    } finally {
      await close()
    }
  })
}

test('streamed: the page is taken over while a part inside a part is still awaited, and its state comes with it', async ({
  context,
}) => {
  const { url, asked, hold, close } = await openPlain()
  const release = hold('/api/reviews')
  try {
    const { page, said } = await visit(context, url)
    // What no server reads is read by what has taken over.
    await expect.poll(() => text(page)).toBe('Cup </script><b>…ada5 false false')
    const title = await page.locator('h1').elementHandle()
    release()
    await expect.poll(() => text(page)).toBe('Cup </script><b>fine,blueada5 false false')
    expect(await title?.evaluate((element) => element.isConnected)).toBe(true)
    expect(said).toEqual([])
    expect(asked.filter((one) => /product|reviews/.test(one))).toEqual(['/api/product ada', '/api/reviews ada'])
  } finally {
    release()
    await close()
  }
})
