import { Profiler, type ReactNode, StrictMode, Suspense, startTransition, useState } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { renderToReadableStream, renderToString } from 'react-dom/server.browser'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { NearCache } from '../../src/index.ts'
import { CacheProvider, useFetch } from '../../src/react/index.ts'
import { harness } from '../engine/harness.ts'
import { App } from './ssr/app.tsx'

let root: Root | undefined
let element: HTMLElement
let errors: unknown[]

beforeEach(() => {
  errors = []
  vi.spyOn(console, 'error').mockImplementation((...all) => {
    // Server and page are one realm here, as nowhere else: they share React's context object.
    if (!String(all[0]).startsWith('Detected multiple renderers')) errors.push(all)
  })
  element = document.body.appendChild(document.createElement('div'))
})

afterEach(() => {
  root?.unmount()
  element.remove()
  vi.restoreAllMocks()
})

/** A server and a page before one origin. */
function world() {
  const server = harness()
  const { origin, clock } = server
  origin.serves('/api/product', { cacheControl: 'max-age=60', json: { name: 'Cup' } })
  origin.serves('/api/reviews', { cacheControl: 'max-age=60', json: ['fine', 'blue'] })
  origin.serves('/api/me', { cacheControl: 'max-age=60', json: { user: 'ada' } })
  origin.serves('/api/stock', { cacheControl: 'no-store', json: { left: 5 } })
  const page = harness({ clock, fetch: origin.fetch, base: origin.url })
  const asked = () => origin.requests.map(({ path }) => path).sort()
  return { server: server.cache, page: page.cache, origin, asked }
}

const provided = (cache: NearCache, children: ReactNode = <App />) => (
  <CacheProvider cache={cache}>{children}</CacheProvider>
)

/** What a server would stream, whole. WebKitGTK has no byte streams; what React writes needs none. */
async function streamed(node: ReactNode): Promise<string> {
  const Native = globalThis.ReadableStream
  globalThis.ReadableStream = new Proxy(Native, {
    construct(_target, [{ type: _, ...source }, strategy]) {
      return new Native(source, strategy)
    },
  })
  try {
    const stream = await renderToReadableStream(node)
    await stream.allReady
    return await new Response(stream).text()
  } finally {
    globalThis.ReadableStream = Native
  }
}

const options = { onRecoverableError: (error: unknown) => errors.push(error) }
const untilShown = () => expect.poll(() => element.textContent).toBe('Cupfine,blueada5 false false')

/** Hydrates what a server has made, and looks whether React has kept it. */
async function takeOver(html: string, cache: NearCache, wrap = (all: ReactNode) => all): Promise<void> {
  element.innerHTML = html
  const made = element.querySelector('h1')
  root = hydrateRoot(element, wrap(provided(cache)), options)
  await untilShown()
  expect(element.querySelector('h1')).toBe(made)
  expect(made).not.toBeNull()
  expect(errors).toEqual([])
}

test('in the page alone', async () => {
  const { page, asked } = world()
  root = createRoot(element)
  root.render(provided(page))
  await untilShown()
  expect(asked()).toEqual(['/api/me', '/api/product', '/api/reviews', '/api/stock'])
  expect(errors).toEqual([])
})

test('rendered on a server at once, and hydrated: nothing is asked for twice', async () => {
  const { server, page, asked } = world()
  await Promise.all(['/api/product', '/api/reviews', '/api/me'].map((path) => server.json(path)))
  const html = renderToString(provided(server))
  page.hydrate(await server.dehydrate())
  await takeOver(html, page)
  expect(asked()).toEqual(['/api/me', '/api/product', '/api/reviews', '/api/stock'])
})

test('streamed with Suspense, and hydrated', async () => {
  const { server, page, asked } = world()
  const html = await streamed(provided(server))
  page.hydrate(await server.dehydrate())
  await takeOver(html, page)
  expect(asked()).toEqual(['/api/me', '/api/product', '/api/reviews', '/api/stock'])
})

test('in StrictMode', async () => {
  const { server, page, asked } = world()
  const html = await streamed(<StrictMode>{provided(server)}</StrictMode>)
  page.hydrate(await server.dehydrate())
  await takeOver(html, page, (all) => <StrictMode>{all}</StrictMode>)
  expect(asked()).toEqual(['/api/me', '/api/product', '/api/reviews', '/api/stock'])
})

test('what was rendered on the server and is not in the state is asked for, and stays meanwhile', async () => {
  const { server, page } = world()
  const html = await streamed(provided(server))
  page.hydrate(await server.dehydrate(({ url }) => url.endsWith('/api/product')))
  await takeOver(html, page)
})

test('1,000 components: one flight, one commit for each change, none for a 304, and no two versions at once while React yields', async () => {
  const { page, origin } = world()
  let version = 1
  origin.serves('/n', () => ({ cacheControl: 'max-age=60', etag: `"${version}"`, json: version }))
  let work = 0
  let commits = 0
  let renderings = 0
  const torn: string[][] = []
  let again = (_: number) => {}
  const Part = () => {
    renderings++
    for (let turn = 0; turn < 5_000; turn++) work += Math.sqrt(turn) // so long that a transition is interrupted
    return <i>{useFetch<number>('/n').data}</i>
  }
  const All = () => {
    const [turn, setTurn] = useState(0)
    again = setTurn
    return (
      <Suspense>
        {Array.from({ length: 1000 }, (_, index) => (
          <Part key={`${turn} ${String(index)}`} />
        ))}
      </Suspense>
    )
  }
  root = createRoot(element, options)
  root.render(
    provided(
      page,
      <Profiler id="all" onRender={() => commits++}>
        <All />
      </Profiler>,
    ),
  )
  const shown = () => [...new Set([...element.querySelectorAll('i')].map(({ textContent }) => textContent ?? ''))]
  const look = () => shown().length > 1 && torn.push(shown())
  const watching = new MutationObserver(look)
  watching.observe(element, { subtree: true, childList: true, characterData: true })

  await expect.poll(shown).toEqual(['1'])
  expect(origin.requests).toHaveLength(1)
  expect([commits, renderings]).toEqual([2, 2000])

  await page.json('/n', { cache: 'no-cache' }) // 304
  await page.settled()
  expect([commits, renderings]).toEqual([2, 2000])

  version = 2
  await page.json('/n', { cache: 'no-cache' })
  await expect.poll(shown).toEqual(['2'])
  expect([commits, renderings]).toEqual([3, 3000])

  // A change while a transition renders the same anew, slice by slice.
  startTransition(() => again(1))
  await new Promise((resolve) => setTimeout(resolve, 10))
  version = 3
  await page.json('/n', { cache: 'no-cache' })
  await expect.poll(shown).toEqual(['3'])
  await expect.poll(() => element.querySelectorAll('i').length).toBe(1000)
  watching.disconnect()
  expect(work).toBeGreaterThan(0)
  expect(torn).toEqual([])
  expect(errors).toEqual([])
})
