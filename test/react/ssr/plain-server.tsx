import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { Transform } from 'node:stream'
import { renderToPipeableStream } from 'react-dom/server'
import { dehydratedScript } from '../../../src/hydration/index.ts'
import type { NearCache } from '../../../src/index.ts'
import { CacheProvider } from '../../../src/react/index.ts'
import { App } from './app.tsx'

/**
 * A page by plain `react-dom/server`, streamed: what is ready goes out at once, what suspends follows. At the end comes what the cache holds, and then the script that takes over from it.
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
          pipe(around(cache, nonce, clientScript)).pipe(response)
        },
        onShellError: (error) => response.writeHead(500).end(String(error)),
        onError: (error) => void process.emitWarning(String(error)),
      },
    )
    response.once('close', () => abort())
  }

/** The page around what React renders. */
function around(cache: NearCache, nonce: string, clientScript: string): Transform {
  const page = new Transform({
    transform: (chunk, _encoding, done) => done(null, chunk),
    async flush(done) {
      const state = dehydratedScript(await cache.dehydrate(), { nonce })
      done(null, `</div>${state}<script type="module" src="${clientScript}"></script></body></html>`)
    },
  })
  page.push(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,"></head><body><div id="root">',
  )
  return page
}
