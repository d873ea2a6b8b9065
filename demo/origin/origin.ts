import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPurgeHub, toNodeHandler } from 'nearcache/server'
import { pieces } from './catalogue.ts'
import { prepare } from './respond.ts'
import { type Answer, type Call, elsewhere, type Route, routes } from './routes.ts'
import { type EpochMs, openShop, preferredLanguage } from './shop.ts'

/** How the origin feels: it answers, takes two seconds, answers 503, or closes each connection without a word. */
const moods = ['well', 'slow', 'ill', 'dead'] as const
export type Mood = (typeof moods)[number]

/** What the origin saw of one request, for those who want to check what a cache has really asked. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly acceptLanguage?: string | undefined
  readonly ifNoneMatch?: string | undefined
  readonly ifModifiedSince?: string | undefined
  /** 0: the connection was closed. */
  readonly status: number
}

/** The shop's API, and the switches that make it slow, ill or dead. */
export interface Origin {
  /** Answers below `/api/`. */
  readonly api: RequestListener
  /** Answers below `/control`, always, and never from a cache. */
  readonly control: RequestListener
  /** Tells every browser what was purged. */
  readonly purges: RequestListener
  /** Whether nothing is to answer, the page's own server included. */
  isDead(): boolean
}

const SLOW_MS = 2_000
const MAX_BODY_BYTES = 16_384
const MAX_RECEIVED = 1_000

/** Opens the shop's origin. */
export function createOrigin(): Origin {
  let mood: Mood = 'well'
  /** How far the presenter has put the clocks forward, so that nobody has to wait for a lifetime to end. */
  let skippedMs = 0
  const now = (): EpochMs => Date.now() + skippedMs
  let shop = openShop(now)
  let received: Received[] = []
  let hub = createPurgeHub()

  async function api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (mood === 'slow') {
      const left = new AbortController()
      response.once('close', () => left.abort())
      await sleep(SLOW_MS, undefined, { signal: left.signal }).catch(() => {})
      if (response.destroyed) return
    }
    const note = (status: number) => {
      const { method = 'GET', url: path = '/', headers } = request
      received.push({
        method,
        path,
        acceptLanguage: headers['accept-language'],
        ifNoneMatch: headers['if-none-match'],
        ifModifiedSince: headers['if-modified-since'],
        status,
      })
      received = received.slice(-MAX_RECEIVED)
    }
    if (mood === 'dead') {
      note(0)
      request.socket.destroy()
      return
    }
    if (mood === 'ill') {
      note(503)
      send(response, 503, { 'Retry-After': '5', 'Cache-Control': 'no-store' }, { message: 'The origin is ill' })
      return
    }
    const { status, headers, content } = await answer(request)
    note(status)
    response.sendDate = false
    response.writeHead(status, headers).end(content)
  }

  async function answer(request: IncomingMessage) {
    const { method = 'GET', headers } = request
    const url = new URL(request.url ?? '/', 'http://shop')
    const language = preferredLanguage(headers['accept-language'])
    const asked = method === 'HEAD' ? 'GET' : method
    const found = routes
      .filter((route) => route.method === asked)
      .map((route) => ({ route, name: nameIn(route.path, url.pathname) }))
      .find(({ name }) => name !== undefined)
    const route: Route = found?.route ?? elsewhere
    const body = asked === 'POST' ? await readJson(request) : undefined
    const visitor = visitorOf(headers.cookie) ?? 'nobody'
    const call: Call = { shop, visitor, language, name: found?.name ?? '', query: url.searchParams, body, now: now() }
    const refused: Answer = { status: 400, json: { message: 'The body must be a JSON object' } }
    const given = asked === 'POST' && (typeof body !== 'object' || body === null) ? refused : route.answer(call)
    return prepare(given, route, { method, headers }, call)
  }

  async function control(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const tell = (status = 200) => send(response, status, { 'Cache-Control': 'no-store' }, { mood, skippedMs })
    const path = new URL(request.url ?? '/', 'http://shop').pathname
    if (request.method === 'GET' && path === '/control') return tell()
    if (request.method === 'GET' && path === '/control/received') {
      return send(response, 200, { 'Cache-Control': 'no-store' }, received)
    }
    const body = ((await readJson(request)) ?? {}) as { mood?: unknown; ms?: unknown }
    if (request.method === 'POST' && path === '/control/mood') {
      const wanted = moods.find((one) => one === body.mood)
      if (!wanted) return tell(422)
      mood = wanted
      return tell()
    }
    if (request.method === 'POST' && path === '/control/skip') {
      if (typeof body.ms !== 'number' || !(body.ms >= 0 && body.ms <= 86_400_000)) return tell(422)
      skippedMs += body.ms
      return tell()
    }
    if (request.method === 'POST' && path === '/control/price') {
      const { slug, price } = body as { slug?: unknown; price?: unknown }
      const piece = pieces.find((one) => one.slug === slug)
      if (!piece || !Number.isInteger(price) || !((price as number) > 0 && (price as number) < 1_000_000))
        return tell(422)
      shop.setPrice(piece, price as number)
      // The piece, and what shows its price beside others: everything else stays as it is in every browser.
      await hub.purge({ tags: [`product-${piece.slug}`, 'lists', 'offer'] })
      return tell()
    }
    if (request.method === 'POST' && path === '/control/prices') {
      shop.changePrices()
      return tell()
    }
    if (request.method === 'POST' && path === '/control/reset') {
      mood = 'well'
      skippedMs = 0
      shop = openShop(now)
      received = []
      await hub.close()
      hub = createPurgeHub()
      return tell()
    }
    return tell(404)
  }

  const listener =
    (handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): RequestListener =>
    (request, response) => {
      handle(request, response).catch(() => response.destroy())
    }
  const purges = toNodeHandler((request) => hub.feed(request))
  return { api: listener(api), control: listener(control), purges, isDead: () => mood === 'dead' }
}

/** What a path has in the place of the route's placeholder; the empty string where there is none; `undefined` when the route is another. */
function nameIn(route: string, path: string): string | undefined {
  if (route === path) return ''
  const start = route.indexOf(':')
  if (start < 0 || !path.startsWith(route.slice(0, start))) return undefined
  const name = path.slice(start)
  return name === '' || name.includes('/') ? undefined : name
}

/** Who asks: the cookie that came with the page. */
export const visitorOf = (cookie: string | undefined): string | undefined =>
  /(?:^|;\s*)visitor=([\w-]{1,64})/.exec(cookie ?? '')?.[1]

/** The body as JSON; `undefined` when it is none, or too long to be ours. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, headers: Record<string, string>, json: unknown): void {
  const content = Buffer.from(JSON.stringify(json))
  response
    .writeHead(status, { ...headers, 'Content-Type': 'application/json', 'Content-Length': content.byteLength })
    .end(content)
}
