/**
 * What must and must not compile for a user. `npm run check:types` is the test: a line under `@ts-expect-error` that
 * compiles is an error, and so is any other line that does not.
 */
import * as z from 'zod'
import { type CacheEvent, type CacheRequestInit, createCache, type NearCache } from '../../src/index.ts'
import { installCache } from '../../src/service-worker/index.ts'
import { type RegisteredWorker, registerServiceWorker } from '../../src/service-worker/register.ts'

interface Product {
  readonly id: number
  readonly name: string
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles only when `T` is `true`. */
function holds<T extends true>(): T | undefined {
  return undefined
}

const cache: NearCache = createCache()

/** `cache.fetch` fits wherever a fetch fits, and another cache is one such place. */
export const fetchLike: typeof globalThis.fetch = cache.fetch
export const above = createCache({ fetch: cache.fetch })

/** Every option, with the values that its type must take. */
export const all = createCache({
  name: 'shop',
  store: 'auto',
  partition: 'user-7',
  clock: { now: () => 0, sleep: () => Promise.resolve() },
  random: () => 0.5,
  memory: { maxBytes: 1_000_000, maxEntryBytes: 10_000 },
  disk: { maxBytes: 0 },
  key: { ignore: ['utm_*'], allow: ['page'], sort: true },
  rules: [
    { match: '/api/*', name: 'api', maxAgeMs: 60_000, staleWhileRevalidateMs: 1_000, override: true },
    { match: /\.png$/, durable: false, earlyExpiry: false },
    { match: (request) => request.method === 'GET', staleIfErrorMs: 86_400_000, tags: ['page'] },
    { match: '/list', fallback: { status: 200, body: '[]' }, openCircuitGraceMs: 1_000, negativeMaxAgeMs: 1_000 },
    { match: '/page', fallback: (request) => new Response(request.url) },
    { match: { test: (url) => url.includes('/cart') }, softMs: 100, hardMs: 5_000, key: { sort: true } },
  ],
  earlyExpiry: { beta: 1, phase: 0 },
  retry: { attempts: 2, baseMs: 100, maxMs: 1_000 },
  circuit: { failures: 3, baseMs: 500, maxMs: 30_000 },
  base: 'https://shop.example/',
  deadlines: { softMs: 500, hardMs: 10_000, diskMs: 50 },
  cacheStatus: false,
})

// @ts-expect-error a misspelt option
createCache({ maxBytes: 1 })
// @ts-expect-error one level down
createCache({ memory: { maxByte: 1 } })
// @ts-expect-error sizes are numbers of bytes
createCache({ memory: { maxBytes: '32 MiB' } })
// @ts-expect-error a store is 'auto', 'memory', 'indexeddb' or an object
createCache({ store: 'localStorage' })
// @ts-expect-error with exactOptionalPropertyTypes an option that is left out is left out
createCache({ name: undefined })
// @ts-expect-error a rule says what it is for
createCache({ rules: [{ maxAgeMs: 1 }] })
// @ts-expect-error durations are in milliseconds and their names say so
createCache({ rules: [{ match: '/', maxAge: 60 }] })
// @ts-expect-error early expiry is an object or false
createCache({ earlyExpiry: true })

export async function read(): Promise<void> {
  const init: CacheRequestInit = {
    cache: 'no-cache',
    nearcache: { tags: ['cart'], maxStaleMs: 1_000, priority: 'user' },
  }
  const response = await cache.fetch(new URL('https://shop.example/'), init)
  holds<Equal<typeof response, Response>>()
  // @ts-expect-error the cache's own part of init is checked like the rest
  await cache.fetch('/', { nearcache: { tag: 'cart' } })
  // @ts-expect-error one of two
  await cache.fetch('/', { nearcache: { priority: 'low' } })

  const unchecked = await cache.json('/api/product/42')
  holds<Equal<typeof unchecked, unknown>>()
  // @ts-expect-error nothing is known of a body without a schema
  unchecked.id

  const named = await cache.json<Product>('/api/product/42')
  holds<Equal<typeof named, Product>>()

  // any Standard Schema: the result is the schema's output, not its input
  const schema = z.object({ id: z.number(), at: z.string().transform((text) => new Date(text)) })
  const checked = await cache.json('/api/product/42', { schema })
  holds<Equal<typeof checked, { id: number; at: Date }>>()
  // @ts-expect-error a schema is an object with '~standard'
  await cache.json('/api/product/42', { schema: { parse: () => 1 } })
}

export async function lookAndForget(): Promise<void> {
  const peeked = cache.peek<Product>('/api/product/42')
  holds<Equal<NonNullable<typeof peeked>['data'], Product>>()
  // @ts-expect-error there may be nothing in memory
  peeked.data
  // @ts-expect-error what is in the cache belongs to all readers
  if (peeked) peeked.stale = false

  cache.update<Product>('/api/product/42', (product) => ({ ...product, name: 'Kettle' })).rollback()
  // @ts-expect-error the change gives what it was given
  cache.update<Product>('/api/product/42', () => 'Kettle')

  await cache.purge({ url: '/api/product/42' })
  await cache.purge({ pattern: '/api/*' }, { mode: 'hard' })
  await cache.purge({ all: true }, { mode: 'soft' })
  // @ts-expect-error a selector is an object
  await cache.purge('/api/product/42')
  // @ts-expect-error all or nothing
  await cache.purge({ all: false })
  // @ts-expect-error soft or hard
  await cache.purge({ all: true }, { mode: 'medium' })

  const { decision, numbers } = await cache.explain('/api/product/42')
  // @ts-expect-error not one of the decisions
  if (decision === 'hit') return
  // @ts-expect-error a bypass has no numbers
  numbers.ageMs

  cache.hydrate(await cache.dehydrate(({ url, scoped }) => !scoped && url.includes('/api/')))
  // @ts-expect-error only what dehydrate() gave
  cache.hydrate({})
}

/** Events are one union, told apart by `type`: a listener that forgets one does not compile. */
export function describe(event: CacheEvent): string {
  switch (event.type) {
    case 'answered':
      return `${event.method} ${event.url}: ${event.cause}`
    case 'rejected':
    case 'failed':
    case 'store-failed':
      return String(event.error)
    case 'stored':
    case 'freshened':
    case 'refreshing':
    case 'updated':
    case 'keys-exploded':
      return event.url
    case 'purged':
      return event.mode
    case 'evicted':
      return event.tier
    case 'partition-entered':
    case 'partition-left':
      return event.type
    default:
      return event satisfies never
  }
}
export const stop: () => void = cache.on((event) => void describe(event))
export const stopOne: () => void = cache.subscribe('/api/product/42', () => {})

export const { requests, byCause }: { requests: number; byCause: { readonly fresh?: number } } = cache.stats()
// @ts-expect-error not a cause
byCause.hit

declare const anyScope: { addEventListener(type: string, listener: EventListener, options?: object): void }
installCache(anyScope, { routes: [{ kind: 'navigation', strategy: 'network-first', fallback: '/offline.html' }] })
// A project may type its `self` as a window: nothing of the worker's own types is asked for.
installCache(globalThis as unknown as Window)
// @ts-expect-error not a kind
installCache(anyScope, { routes: [{ kind: 'picture' }] })
// @ts-expect-error a worker has no partition of its own
installCache(anyScope, { partition: 'anna' })
export const registered: Promise<RegisteredWorker> = registerServiceWorker('/sw.js', { cache, type: 'module' })
