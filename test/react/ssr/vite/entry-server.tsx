import { renderToReadableStream } from 'react-dom/server.edge'
import { dehydratedScript } from '../../../../src/hydration/index.ts'
import { createCache } from '../../../../src/index.ts'
import { CacheProvider } from '../../../../src/react/index.ts'
import { App } from '../app.tsx'

/** Renders the page for one request, with a cache of its own that asks as its user. */
export async function render(base: string, cookie: string): Promise<string> {
  const cache = createCache({
    store: 'memory',
    base,
    fetch: (input, init) => fetch(input, { ...init, headers: { cookie } }),
  })
  const stream = await renderToReadableStream(
    <CacheProvider cache={cache}>
      <App />
    </CacheProvider>,
  )
  await stream.allReady
  return `<div id="root">${await new Response(stream).text()}</div>${dehydratedScript(await cache.dehydrate())}`
}
