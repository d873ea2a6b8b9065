import { createCache } from '../../src/index.development.ts'
import type { CacheEvent, NearCache } from '../../src/index.ts'
import { installCache, type ServiceWorkerOptions, type WorkerScope } from '../../src/service-worker/index.ts'
import type { StaticRoute } from '../../src/service-worker/scope.ts'
import {
  type ScriptedOrigin,
  scriptedOrigin,
  seededRandom,
  type VirtualClock,
  type VirtualIndexedDb,
  virtualClock,
  virtualIndexedDB,
} from '../../src/testing/index.ts'
import { memoryCaches } from './memory-caches.ts'

/** What a page asks for, as the browser tells the worker. */
interface Asking {
  readonly mode?: RequestMode
  readonly destination?: RequestDestination
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly cache?: RequestCache
  readonly credentials?: RequestCredentials
  readonly client?: string
  readonly resultingClient?: string
  /** What the browser has asked for ahead. */
  readonly preload?: Promise<Response | undefined>
}

/** An event that was dispatched, and what came of it. */
export interface Dispatched {
  /** `undefined`: the worker has left it alone. */
  readonly response: Promise<Response> | undefined
  /** Settles when the event no longer keeps the worker. */
  readonly over: Promise<unknown>
}

/** A worker that runs, in a profile. */
interface RunningWorker {
  readonly cache: NearCache
  readonly events: CacheEvent[]
  readonly calls: string[]
  readonly routes: StaticRoute[]
  ask(path: string, asking?: Asking): Dispatched
  /** As `ask`, for a page. */
  visit(path: string, asking?: Asking): Dispatched
  dispatch(type: 'install' | 'activate', more?: object): Promise<unknown>
  say(data: unknown): Promise<unknown>
  /** What the registration shows: an update that waits. */
  registration: { waiting?: unknown }
}

export interface Profile {
  readonly clock: VirtualClock
  readonly origin: ScriptedOrigin & { readonly url: string }
  readonly database: VirtualIndexedDb
  readonly caches: CacheStorage
  /** The clients that are open, by id; one with `worker` in it is no window. */
  readonly clients: string[]
  /** Starts a worker, or starts it again after it was stopped: what it had in memory is gone. */
  worker(options?: ServiceWorkerOptions): RunningWorker
  /** The cache of a page, on the same database. */
  page(options?: Parameters<typeof createCache>[0]): NearCache
}

/** A browser's profile with a worker whose time, chance, origin and storage are in a test's hand. */
export async function profile(): Promise<Profile> {
  const clock = virtualClock()
  const page = 'https://origin.test/'
  const origin = scriptedOrigin({ clock, page })
  const database = await virtualIndexedDB()
  const caches = memoryCaches()
  const clients: string[] = []
  let started = 0

  /** Runs `work` as if it ran there. */
  function inBrowser<T>(work: () => T): T {
    const globals = {
      location: { origin: new URL(page).origin, href: page },
      indexedDB: database.factory,
      IDBKeyRange: database.keyRange,
    }
    for (const [name, value] of Object.entries(globals))
      Object.defineProperty(globalThis, name, { configurable: true, value })
    try {
      return work()
    } finally {
      for (const name of Object.keys(globals)) Reflect.deleteProperty(globalThis, name)
    }
  }

  return {
    clock,
    origin,
    database,
    caches,
    clients,
    page: (options) =>
      inBrowser(() =>
        createCache({ fetch: origin.fetch, clock, random: seededRandom(++started), earlyExpiry: false, ...options }),
      ),
    worker(options) {
      const listeners = new Map<string, (event: never) => void>()
      const calls: string[] = []
      const routes: StaticRoute[] = []
      const registration: RunningWorker['registration'] = {}
      const note = (name: string) => async () => void calls.push(name)
      const scope = {
        location: { origin: origin.url, href: `${origin.url}/nearcache-sw.js` },
        registration: Object.assign(registration, {
          navigationPreload: { enable: note('preload on'), disable: note('preload off') },
        }),
        clients: {
          claim: note('claim'),
          matchAll: async ({ type = 'window' }: { readonly type?: string } = {}) =>
            clients.filter((id) => type === 'all' || !/worker/.test(id)).map((id) => ({ id })),
        },
        caches,
        skipWaiting: note('skip waiting'),
        addEventListener: (type: string, listener: (event: never) => void) => void listeners.set(type, listener),
      } satisfies WorkerScope & Record<string, unknown>
      const { cache } = inBrowser(() =>
        installCache(scope, {
          fetch: origin.fetch,
          clock,
          random: seededRandom(++started),
          earlyExpiry: false,
          ...options,
        }),
      )
      const events: CacheEvent[] = []
      cache.on((event) => events.push(event))

      function dispatch(type: string, more: object): Promise<unknown> {
        const lifetimes: Promise<unknown>[] = []
        let isDispatched = false
        let isActive = true
        const during = (what: string, is: boolean) => {
          if (!is) throw new DOMException(`${what} after the event was dispatched`, 'InvalidStateError')
        }
        listeners.get(type)?.({
          ...more,
          // As a browser has it: extended while it is dispatched, or while what it waits for is under way; answered while it is dispatched.
          waitUntil(work: Promise<unknown>) {
            during('waitUntil()', isActive)
            lifetimes.push(work)
          },
          ...('respondWith' in more && {
            respondWith(given: Promise<Response>) {
              during('respondWith()', !isDispatched)
              ;(more.respondWith as (given: Promise<Response>) => void)(given)
            },
          }),
        } as never)
        isDispatched = true
        isActive = lifetimes.length > 0
        return Promise.all(lifetimes).finally(() => {
          isActive = false
        })
      }
      function ask(path: string, asking: Asking = {}): Dispatched {
        const { mode = 'cors', destination = '', client, resultingClient, preload, ...init } = asking
        const request = new Request(new URL(path, origin.url), {
          ...init,
          ...(mode !== 'navigate' && { mode }),
          ...(mode === 'navigate' && { redirect: 'manual', credentials: 'include' }),
        })
        Object.defineProperty(request, 'mode', { value: mode })
        Object.defineProperty(request, 'destination', { value: destination })
        // A browser keeps quiet about one that fails and is not looked at.
        preload?.catch(() => {})
        let response: Promise<Response> | undefined
        const over = dispatch('fetch', {
          request,
          clientId: client ?? '',
          resultingClientId: resultingClient ?? '',
          preloadResponse: preload,
          respondWith: (given: Promise<Response>) => {
            response = given
          },
        })
        return { response, over: Promise.allSettled([response, over]) }
      }
      return {
        cache,
        events,
        calls,
        routes,
        registration,
        ask,
        visit: (path, asking) => ask(path, { mode: 'navigate', destination: 'document', ...asking }),
        dispatch: (type, more = {}) =>
          dispatch(type, { addRoutes: async (given: StaticRoute[]) => void routes.push(...given), ...more }),
        say: (data) => dispatch('message', { data }),
      }
    },
  }
}

/** The text of a response that must be there. */
export async function textOf({ response }: Dispatched): Promise<string> {
  if (!response) throw new Error('The worker has left the request alone')
  return (await response).text()
}
