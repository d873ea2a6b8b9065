// Service workers that answer what a page asks for again and again, as the text of a module that is bundled.

/** A worker as an application writes it. */
export interface WorkerPeer {
  readonly name: string
  readonly docs: string
  readonly contents: string
}

/** The limit: it answers from its memory, and does nothing else. */
const bare: WorkerPeer = {
  name: 'a bare worker, from its memory',
  docs: 'https://developer.mozilla.org/docs/Web/API/FetchEvent/respondWith',
  contents: `
    const held = fetch('/product/1/worker').then((response) => response.arrayBuffer())
    addEventListener('install', (event) => event.waitUntil(held))
    addEventListener('fetch', (event) => {
      if (event.request.url.endsWith('/product/1/worker'))
        event.respondWith(held.then((bytes) => new Response(bytes, { headers: { 'content-type': 'application/json' } })))
    })`,
}

const nearcache: WorkerPeer = {
  name: 'nearcache, installCache()',
  docs: 'README.md',
  contents: "import { installCache } from 'nearcache/service-worker'; installCache(self)",
}

/** The strategy that asks nobody while it has something, which its documentation names for what need not be new. */
const workbox: WorkerPeer = {
  name: 'Workbox, CacheFirst',
  docs: 'https://developer.chrome.com/docs/workbox/modules/workbox-strategies#cache_first_cache_falling_back_to_network',
  contents: `
    import { registerRoute } from 'workbox-routing'
    import { CacheFirst } from 'workbox-strategies'
    import { CacheableResponsePlugin } from 'workbox-cacheable-response'
    import { ExpirationPlugin } from 'workbox-expiration'
    registerRoute(
      ({ url }) => url.pathname.startsWith('/product/'),
      new CacheFirst({
        cacheName: 'products',
        plugins: [new CacheableResponsePlugin({ statuses: [200] }), new ExpirationPlugin({ maxEntries: 60, maxAgeSeconds: 3600 })],
      }),
    )`,
}

const serwist: WorkerPeer = {
  name: 'Serwist, CacheFirst',
  docs: 'https://serwist.pages.dev/docs/serwist/runtime-caching',
  contents: `
    import { CacheableResponsePlugin, CacheFirst, ExpirationPlugin, Serwist } from 'serwist'
    new Serwist({
      runtimeCaching: [{
        matcher: ({ url }) => url.pathname.startsWith('/product/'),
        handler: new CacheFirst({
          cacheName: 'products',
          plugins: [new CacheableResponsePlugin({ statuses: [200] }), new ExpirationPlugin({ maxEntries: 60, maxAgeSeconds: 3600 })],
        }),
      }],
    }).addEventListeners()`,
}

export const workerPeers: readonly WorkerPeer[] = [bare, nearcache, workbox, serwist]
