import type { NearCache } from '../engine/api.ts'
import { CacheError } from '../errors.ts'
import { platform } from '../platform/platform.ts'
import { systemClock } from '../platform/system-clock.ts'
import type { Refresh, ToWorker } from './messages.ts'

/** What becomes of a worker, as a page sees it. */
export type WorkerEvent =
  /** Another version of the worker is there, and is being installed. */
  | { readonly type: 'update-found' }
  /** It is installed, and waits for the last page of the one before; `skipWaiting()` ends that. */
  | { readonly type: 'waiting' }
  /** A worker is active: the first one, or one that has taken over. */
  | { readonly type: 'activated' }
  /** What was found could not be installed, and is gone; the worker before goes on. */
  | { readonly type: 'failed' }

export interface RegisterOptions {
  /** Below which path the worker has its pages. @default the folder of the script */
  readonly scope?: string
  /** `module` for a script with imports. @default 'classic' */
  readonly type?: WorkerType
  /** @default 'imports' */
  readonly updateViaCache?: ServiceWorkerUpdateViaCache
  /** The page's cache: what it refreshes behind a stale answer goes on in the worker when the page is left, and the worker looks at once at whose the database is when the page enters a partition. */
  readonly cache?: NearCache
}

/** A registered worker. Where there are none, everything is there and does nothing, and the page works on. */
export interface RegisteredWorker {
  /** `undefined` where there are no service workers (no secure context, a private window of some browsers). */
  readonly registration: ServiceWorkerRegistration | undefined
  /** Resolves when a worker is active; at once where there can be none. */
  readonly ready: Promise<void>
  /** Tells what becomes of the worker from now on, and at once what is so already (`waiting`, `activated`). Returns the function that ends it. */
  on(listener: (event: WorkerEvent) => void): () => void
  /** Lets the waiting worker take over: resolves when it is active, at once when none waits. Its pages keep what they have; reload to see the new version. */
  skipWaiting(): Promise<void>
  /** Removes the worker, not what it has stored: `npx nearcache sw --kill` makes a worker that does both. Resolves with whether there was one. */
  unregister(): Promise<boolean>
}

/**
 * Registers a service worker, and tells what becomes of it.
 *
 * @param scriptUrl - a fixed URL of this origin. Never make it from what a user has given: a worker of somebody else's would see everything
 * @throws CacheError with code `worker` when there is no such script, or it may not have that scope; `cause` is the browser's error. The page works on without it
 */
export async function registerServiceWorker(
  scriptUrl: string | URL,
  { cache, ...options }: RegisterOptions = {},
): Promise<RegisteredWorker> {
  const container = platform().workers()
  if (!container) return nobody
  const registration = await container.register(scriptUrl, options).catch((cause: unknown) => {
    throw new CacheError(
      'worker',
      `The service worker ${scriptUrl} could not be registered: ${(cause as Partial<Error>)?.message ?? cause}. Look whether it is there, is JavaScript, and lies above its scope (or has Service-Worker-Allowed)`,
      { cause },
    )
  })
  if (cache) handOver(cache, container)

  const listeners = new Set<(event: WorkerEvent) => void>()
  const tell = (event: WorkerEvent) => {
    for (const listener of [...listeners]) listener(event)
  }
  const followed = new WeakSet<ServiceWorker>()
  const follow = (worker: ServiceWorker | null) => {
    if (!worker || followed.has(worker)) return
    followed.add(worker)
    // The first one waits for nobody.
    if (registration.active) tell({ type: 'update-found' })
    let wasActive = false
    worker.addEventListener('statechange', () => {
      if (worker.state === 'installed' && registration.active) tell({ type: 'waiting' })
      if (worker.state === 'activated') {
        wasActive = true
        tell({ type: 'activated' })
      }
      // One that was active has been replaced, or removed.
      if (worker.state === 'redundant' && !wasActive) tell({ type: 'failed' })
    })
  }
  follow(registration.installing)
  registration.addEventListener('updatefound', () => follow(registration.installing))

  return {
    registration,
    ready: whenActive(registration),
    on(listener) {
      // A set holds each once, and ends each by itself.
      const mine = (event: WorkerEvent) => listener(event)
      listeners.add(mine)
      if (registration.active) mine({ type: 'activated' })
      if (registration.waiting) mine({ type: 'waiting' })
      return () => {
        listeners.delete(mine)
      }
    },
    async skipWaiting() {
      const { waiting } = registration
      if (!waiting) return
      const active = stateOf(waiting, 'activated', 'redundant')
      post(waiting, { nearcache: 1, type: 'skip-waiting' })
      await active
    },
    unregister: () => registration.unregister(),
  }
}

/** What is there where there are no workers. */
const nobody: RegisteredWorker = {
  registration: undefined,
  ready: Promise.resolve(),
  on: () => () => {},
  skipWaiting: async () => {},
  unregister: async () => false,
}

const post = (worker: ServiceWorker, message: ToWorker): void => worker.postMessage(message)

async function whenActive(registration: ServiceWorkerRegistration): Promise<void> {
  for (;;) {
    const worker = registration.installing ?? registration.waiting ?? registration.active
    if (registration.active) return stateOf(registration.active, 'activated', 'redundant')
    if (worker) await stateOf(worker, 'activated', 'redundant')
    else await new Promise((found) => registration.addEventListener('updatefound', found, { once: true }))
  }
}

/** Resolves when the worker is in one of these states. */
const stateOf = (worker: ServiceWorker, ...states: readonly ServiceWorkerState[]): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (!states.includes(worker.state)) return
      worker.removeEventListener('statechange', look)
      resolve()
    }
    worker.addEventListener('statechange', look)
    look()
  })

/** How long after its requests have been cut off a page hears that it is left, at most, in milliseconds. */
const LEAVING_MS = 2_000

/** What a page that is left has begun, the worker ends: a fetch of a page dies with it (Fetch, fetch group). */
function handOver(cache: NearCache, container: ServiceWorkerContainer): void {
  const underWay = new Map<string, Refresh>()
  cache.on((event) => {
    if (event.type === 'refreshing') {
      const { url, headers, credentials } = event
      underWay.set(url, { url, headers, credentials })
    }
    if (event.type === 'stored' || event.type === 'freshened') underWay.delete(event.url)
    // It may have failed because the page is being left, which is told a moment later.
    if (event.type === 'failed') {
      const failed = underWay.get(event.url)
      systemClock.sleep(LEAVING_MS).then(() => underWay.get(event.url) === failed && underWay.delete(event.url))
    }
    if (event.type === 'partition-entered') {
      underWay.clear()
      if (container.controller) post(container.controller, { nearcache: 1, type: 'look' })
    }
  })
  globalThis.addEventListener?.('pagehide', () => {
    const requests = [...underWay.values()]
    underWay.clear()
    if (requests.length > 0 && container.controller)
      post(container.controller, { nearcache: 1, type: 'refresh', requests })
  })
}
