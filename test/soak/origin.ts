import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { type BodyFacts, items, makeBody } from './body.ts'

/** What an origin has said, and so may lie in a cache. */
export interface Given {
  /** Every representation that was sent, by its version. */
  readonly bodies: ReadonlyMap<number, BodyFacts>
  /** When the last request was made that was answered by a 304 for this version. */
  readonly confirmed: ReadonlyMap<number, number>
}

export interface SoakOrigin extends Given {
  readonly base: string
  /** Called when the end of a representation has been handed to the network. */
  onSent: () => void
  stop(): Promise<void>
}

/** Fresh for long, stale at once but useful on error, to be validated each time, stale soon. */
const CACHE_CONTROL = [
  'max-age=3600',
  'max-age=0, stale-if-error=86400',
  'no-cache',
  'max-age=1, stale-while-revalidate=600, stale-if-error=600',
]

/** Bytes from 0 to 4,000, to 64,000, to 250,000: inside their record and apart from it. */
const SIZES = [4_000, 4_000, 64_000, 250_000]

/** An origin that hangs does so for this long, in milliseconds. */
const HANG_MS = 2_000

/** What an origin that is ill does with a request: it breaks off, hangs, fails, or asks for quiet. */
function fail(response: ServerResponse, draw: number): void {
  if (draw < 0.4) response.destroy()
  else if (draw < 0.45) setTimeout(() => response.destroy(), HANG_MS)
  else if (draw < 0.85) response.writeHead(503, draw < 0.65 ? { 'retry-after': '1' } : {}).end('ill')
  else response.writeHead(429, { 'retry-after': '1' }).end('busy')
}

/**
 * Serves the page with `script`, a worker where there is one, and for each item representations that change every now and then.
 *
 * @param isIll - whether it fails at the moment, save for the scripts
 */
export async function startOrigin(
  seed: number,
  script: string,
  worker?: string,
  isIll = () => false,
): Promise<SoakOrigin> {
  const random = seededRandom(seed)
  const bodies = new Map<number, BodyFacts>()
  const confirmed = new Map<number, number>()
  const current = new Map<string, number>()

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://origin')
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><title>soak</title><script src="/soak.js"></script>')
      return
    }
    const code = pathname === '/soak.js' ? script : pathname === '/sw.js' ? worker : undefined
    if (code) {
      response.setHeader('content-type', 'text/javascript')
      response.end(code)
      return
    }
    if (isIll()) {
      fail(response, random())
      return
    }
    const variant = request.headers['x-variant']
    const index = items.findIndex((one) => one.path === pathname && one.variant === variant)
    const item = items[index]
    if (!item) {
      response.writeHead(404).end()
      return
    }
    // What a worker leaves to the browser says nothing: it comes now.
    const asked = Number(request.headers['x-asked'] ?? Date.now())
    const version = current.get(item.name)
    response.setHeader('cache-control', CACHE_CONTROL[index % CACHE_CONTROL.length] as string)
    if (item.variant) response.setHeader('vary', 'x-variant')
    if (version && request.headers['if-none-match'] === `"${version}"` && random() < 0.6) {
      confirmed.set(version, Math.max(asked, confirmed.get(version) ?? 0))
      response.writeHead(304, { etag: `"${version}"` }).end()
      return
    }
    const next = bodies.size + 1
    bodies.set(next, { name: item.name, version: next, asked })
    current.set(item.name, next)
    const size = Math.floor(random() * (SIZES[Math.floor(random() * SIZES.length)] as number))
    const body = makeBody({ name: item.name, version: next, asked }, size)
    response.writeHead(200, {
      etag: `"${next}"`,
      'content-type': index % 2 === 0 ? 'application/json' : 'application/octet-stream',
    })
    // In two parts, so that some are cut off in the middle.
    response.write(body.slice(0, body.length / 2))
    setImmediate(() => response.end(body.slice(body.length / 2), () => origin.onSent()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin: SoakOrigin = {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    bodies,
    confirmed,
    onSent: () => {},
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return origin
}
