// The program that `startOrigin` runs: the suite's request handlers, its modules for a page to import, and a page that runs the suite by itself and reports.
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'

type Handler = (segments: readonly string[], request: IncomingMessage, response: ServerResponse) => void

const [folder, handlers] = process.argv.slice(2)
if (folder === undefined || handlers === undefined || process.send === undefined)
  throw new Error('This program is started by startOrigin()')

/** What the page runs. */
let script = ''
process.on('message', (message: { readonly script: string }) => {
  script = message.script
  process.send?.({ hasScript: true })
})

async function handler(name: string): Promise<Handler> {
  const module = (await import(pathToFileURL(join(handlers as string, `${name}.mjs`)).href)) as { default: Handler }
  return module.default
}

const routes: Readonly<Record<string, Handler>> = {
  config: await handler('handle-config'),
  test: await handler('handle-test'),
  state: await handler('handle-state'),
  suite: (segments, _request, response) => {
    readFile(join(folder, normalize(`/${segments.join('/')}`))).then(
      (content) => response.writeHead(200, { 'content-type': 'text/javascript' }).end(content),
      () => response.writeHead(404).end(),
    )
  },
  run: (_segments, _request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html><meta charset="utf-8"><title>Conformance</title><script>${script}</script>`)
  },
  report: (_segments, request, response) => {
    text(request).then((report) => {
      process.send?.({ report })
      response.writeHead(204).end()
    })
  },
}

const server = createServer((request, response) => {
  const [first = '', ...segments] = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1).split('/')
  const route = routes[first]
  if (route) route(segments, request, response)
  else response.writeHead(404).end()
})
server.listen(0, 'localhost', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.once('disconnect', () => process.exit())
