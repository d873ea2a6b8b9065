/** What somebody imports, and what is not counted since the application has it. */
export interface Weighed {
  readonly name: string
  readonly contents: string
  readonly external?: string[]
}

const react = ['react', 'react/jsx-runtime']

/** The entries of the package for browsers, each alone; those that need the core come with it. */
export const entries: readonly Weighed[] = [
  { name: 'nearcache', contents: "export { createCache } from 'nearcache'" },
  {
    name: 'nearcache and nearcache/react',
    contents: "export { createCache } from 'nearcache'\nexport * from 'nearcache/react'",
    external: react,
  },
  { name: 'nearcache/react', contents: "export * from 'nearcache/react'", external: react },
  { name: 'nearcache/hydration', contents: "export * from 'nearcache/hydration'" },
  { name: 'nearcache/purge-feed', contents: "export * from 'nearcache/purge-feed'" },
  { name: 'nearcache/register', contents: "export * from 'nearcache/register'" },
  { name: 'nearcache/service-worker', contents: "export * from 'nearcache/service-worker'" },
  { name: 'nearcache/server', contents: "export * from 'nearcache/server'" },
  { name: 'nearcache/server/redis', contents: "export * from 'nearcache/server/redis'" },
  { name: 'nearcache/unstorage', contents: "export * from 'nearcache/unstorage'" },
  { name: 'nearcache/testing', contents: "export * from 'nearcache/testing'" },
]

/** The least that one would import of what is used instead. */
export const peers: readonly Weighed[] = [
  { name: 'idb-keyval', contents: "export { createStore, get, set } from 'idb-keyval'" },
  { name: 'SWR', contents: "export { default, SWRConfig } from 'swr'", external: react },
  { name: 'cachified', contents: "export { cachified } from '@epic-web/cachified'" },
  { name: 'TanStack Query, core', contents: "export { QueryClient } from '@tanstack/query-core'" },
  {
    name: 'TanStack Query, core and persister',
    contents: `export { QueryClient } from '@tanstack/query-core'
      export { persistQueryClient } from '@tanstack/query-persist-client-core'
      export { del, get, set } from 'idb-keyval'`,
  },
  {
    name: 'TanStack Query, useQuery',
    contents: "export { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'",
    external: react,
  },
  {
    name: 'Workbox, a route with expiration',
    contents: `export { registerRoute } from 'workbox-routing'
      export { CacheFirst, NetworkFirst, StaleWhileRevalidate } from 'workbox-strategies'
      export { CacheableResponsePlugin } from 'workbox-cacheable-response'
      export { ExpirationPlugin } from 'workbox-expiration'`,
  },
  {
    name: 'Serwist, the same',
    contents:
      "export { CacheFirst, NetworkFirst, StaleWhileRevalidate, CacheableResponsePlugin, ExpirationPlugin, Serwist } from 'serwist'",
  },
  {
    name: 'axios and axios-cache-interceptor',
    contents: "export { default } from 'axios'\nexport { setupCache } from 'axios-cache-interceptor'",
  },
  { name: 'http-cache-semantics', contents: "export { default } from 'http-cache-semantics'" },
]
