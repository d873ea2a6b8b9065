import { rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buildPage } from './build-page.ts'
import { createOrigin } from './origin/origin.ts'
import { createPage } from './origin/page.ts'

// The demo: a shop with its page and its origin, on one port. PORT chooses the port (0: any), HOST the address to listen on: by
// default this machine alone.
const { PORT, HOST = '127.0.0.1' } = process.env
const port = Number(PORT || 4790)
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  process.stderr.write(`PORT must be an integer from 0 to 65535, and is ${PORT}\n`)
  process.exit(1)
}

const server = createServer()
// A client that sends in the very moment in which an idle connection is closed has an error.
server.keepAliveTimeout = 60_000
const end = () => {
  server.close(() => process.exit(0))
  server.closeAllConnections()
}
process.once('SIGTERM', end)
process.once('SIGINT', end)

const built = await buildPage()
process.once('exit', () => rmSync(built, { recursive: true, force: true }))
const page = createPage(built)
const { api, control, purges, isDead } = createOrigin()
server.on('request', (request, response) => {
  const path = request.url ?? '/'
  const handle = path.startsWith('/api/')
    ? api
    : path.startsWith('/control')
      ? control
      : path.startsWith('/purges')
        ? purges
        : page
  if ((handle === page || handle === purges) && isDead()) request.socket.destroy()
  else handle(request, response)
})
server.on('error', (error: NodeJS.ErrnoException) => {
  const advice =
    error.code === 'EADDRINUSE' ? `Port ${port} is taken. Choose another one: PORT=0 npm run demo` : error.message
  process.stderr.write(`${advice}\n`)
  process.exit(1)
})
server.listen(port, HOST, () => {
  process.stdout.write(`The shop is open: http://localhost:${(server.address() as AddressInfo).port}/\n`)
})
