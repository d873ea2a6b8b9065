import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener, ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { renderToPipeableStream } from 'react-dom/server'
import { dehydratedScript } from '../../../src/hydration/index.ts'
import type { NearCache } from '../../../src/index.ts'
import { CacheProvider } from '../../../src/react/index.ts'
import { App } from './app.tsx'

/**
 * A page by plain `react-dom/server`, streamed: what is ready goes out at once, with the script that takes over from it; what suspends follows, each part behind the state that it needs.
 *
 * @param cacheFor - one cache for each request, or one for all
 */
export const plainServer =
  (cacheFor: (cookie: string | undefined) => NearCache, clientScript: string): RequestListener =>
  (request, response) => {
    const cache = cacheFor(request.headers.cookie)
    const nonce = randomBytes(16).toString('base64')
    const { pipe, abort } = renderToPipeableStream(
      <CacheProvider cache={cache}>
        <App />
      </CacheProvider>,
      {
        nonce,
        onShellReady() {
          response.writeHead(200, {
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': `default-src 'self'; img-src data:; script-src 'self' 'nonce-${nonce}'`,
          })
          pipe(around(cache, response, nonce, clientScript))
        },
        onShellError: (error) => response.writeHead(500).end(String(error)),
        onError: (error) => void process.emitWarning(String(error)),
      },
    )
    response.once('close', () => abort())
  }

/** The page around what React renders, and before each part of it what the cache has come to hold since the one before. */
function around(cache: NearCache, response: ServerResponse, nonce: string, clientScript: string): Writable {
  const sent = new Set<string>()
  let part: Buffer[] = []
  let isShell = true
  let sending = Promise.resolve()
  response.write(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"></head><body><div id="root">',
  )

  async function state(): Promise<string> {
    const { v, responses } = await cache.dehydrate(({ url, scoped }) => !scoped && !sent.has(url))
    for (const { key } of responses) sent.add(key[0] ?? '')
    return responses.length > 0 ? dehydratedScript({ v, responses }, { nonce }) : ''
  }

  async function send(html: Buffer): Promise<void> {
    const script = `<script type="module" async src="${clientScript}"></script>`
    const text = isShell ? `${html}</div>${await state()}${script}` : `${await state()}${html}`
    isShell = false
    if (!response.write(text)) await once(response, 'drain')
  }

  /** React calls it when it has written a part to its end. */
  function flush(): void {
    const html = Buffer.concat(part)
    part = []
    if (html.length > 0) sending = sending.then(() => send(html))
  }

  const page = new Writable({
    write(chunk, _encoding, done) {
      part.push(chunk)
      done()
    },
    final(done) {
      flush()
      sending.then(() => response.end('</body></html>')).then(() => done(), done)
    },
  })
  return Object.assign(page, { flush })
}
