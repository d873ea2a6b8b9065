import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { extname } from 'node:path'
import { visitorOf } from './origin.ts'
import { entityTag, isUnchanged } from './respond.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Nothing from elsewhere, and nothing in frames. Pictures are blobs, because they come through the cache. */
const security = {
  'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
}

/**
 * Serves the built page: every path that is no file is the page itself, which knows its own addresses.
 */
export function createPage(folder: URL): RequestListener {
  const files = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => extname(name) !== '')
      .map((name): [string, Buffer] => [`/${name}`, readFileSync(new URL(name, folder))]),
  )
  const html = files.get('/index.html')
  if (!html) throw new Error(`There is no index.html in ${folder}`)

  return (request, response) => {
    const { method = 'GET', headers: asked } = request
    if (method !== 'GET' && method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end()
      return
    }
    const path = new URL(request.url ?? '/', 'http://shop').pathname
    const file = files.get(path)
    if (!file && path.startsWith('/assets/')) {
      response.writeHead(404, { 'Cache-Control': 'no-cache' }).end()
      return
    }
    const content = file ?? html
    const isPage = content === html
    const headers = {
      ...security,
      'Content-Type': types[isPage ? '.html' : extname(path)] ?? 'application/octet-stream',
      // The names of scripts and styles carry a hash of their content; the page names them, and is asked for again each time.
      'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ETag: entityTag(content),
      ...(isPage &&
        visitorOf(asked.cookie) === undefined && {
          'Set-Cookie': `visitor=${randomUUID()}; Path=/; HttpOnly; SameSite=Lax`,
        }),
    }
    if (isUnchanged({ method, headers: asked }, headers)) response.writeHead(304, headers).end()
    else response.writeHead(200, headers).end(method === 'HEAD' ? undefined : content)
  }
}
