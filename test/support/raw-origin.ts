import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** One request on a connection of its own, and the bare socket that answers it: every byte is the test's. */
export interface RawExchange {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Writes these bytes, and resolves when they have left for the network (or can not any more). */
  send(...parts: ReadonlyArray<string | Uint8Array>): Promise<void>
  /** Ends the connection in an orderly way, as the end of a body that nothing else frames. */
  end(): void
  /** Breaks the connection: a TCP reset. */
  reset(): void
  /** Resolves when the connection is closed, by whichever side. */
  readonly closed: Promise<void>
}

type Play = (exchange: RawExchange) => void | Promise<void>

/** An origin on a real port that is no HTTP server: for what goes wrong below HTTP. */
export interface RawOrigin {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** Every request that came, in order. */
  readonly requests: readonly RawExchange[]
  /** How a path is answered from now on. What no path fits is answered 404. */
  plays(path: string, play: Play): void
  /** Resolves with the exchange when so many requests have come: a barrier without time. */
  request(count: number): Promise<RawExchange>
  /** Breaks what is open, and gives the port back. */
  close(): Promise<void>
}

/** Starts one on a free port of this machine. */
export async function rawOrigin(): Promise<RawOrigin> {
  const plays = new Map<string, Play>()
  const requests: RawExchange[] = []
  const sockets = new Set<Socket>()
  let arrived: Array<() => void> = []

  const server = createServer(async (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}) // a connection that breaks is what these tests are about
    socket.once('close', () => sockets.delete(socket))
    const head = await readHead(socket)
    if (head === undefined) {
      socket.destroy()
      return
    }
    const exchange = exchangeOn(socket, head)
    requests.push(exchange)
    for (const wake of arrived) wake()
    arrived = []
    const notFound: Play = async ({ send, end }) => {
      await send(head404)
      end()
    }
    await (plays.get(exchange.path) ?? notFound)(exchange)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    plays(path, play) {
      plays.set(path, play)
    },
    async request(count) {
      for (;;) {
        const exchange = requests[count - 1]
        if (exchange) return exchange
        await new Promise<void>((resolve) => arrived.push(resolve))
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const head404 = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

/** The bytes of a response head: `Connection: close` is part of it, so that each request has a connection of its own. */
export const rawHead = (status: number, fields: Readonly<Record<string, string>> = {}): string =>
  [
    `HTTP/1.1 ${status} Whatever`,
    ...Object.entries({ connection: 'close', ...fields }).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\r\n')

/** One chunk of the chunked coding (RFC 9112 §7.1). */
export function rawChunk(data: string | Uint8Array): Uint8Array {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  return Buffer.concat([Buffer.from(`${bytes.byteLength.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

/** What stands before the body; `undefined` when it is no HTTP (a TLS client's first byte is 22), or the other side has gone before its end. */
function readHead(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let received = ''
    const listen = (data: Buffer) => {
      received += data.toString('latin1')
      if (!/^[A-Z]/.test(received)) return resolve(undefined)
      const end = received.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', listen)
      socket.resume() // so that its end is noticed
      resolve(received.slice(0, end))
    }
    socket.on('data', listen)
    socket.once('close', () => resolve(undefined))
  })
}

function exchangeOn(socket: Socket, head: string): RawExchange {
  const [requestLine = '', ...lines] = head.split('\r\n')
  const [method = '', path = ''] = requestLine.split(' ')
  return {
    method,
    path,
    headers: Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    ),
    async send(...parts) {
      for (const part of parts) {
        if (socket.destroyed) return
        await new Promise<void>((resolve) => {
          socket.write(part, () => resolve())
        })
      }
    },
    end: () => {
      socket.end()
    },
    reset: () => {
      socket.resetAndDestroy()
    },
    closed: new Promise((resolve) => {
      socket.once('close', () => resolve())
    }),
  }
}
