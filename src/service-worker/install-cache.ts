import { wire } from '../create-cache.ts'
import type { NearCache } from '../engine/api.ts'
import { fieldValue } from '../http/fields.ts'
import { platform } from '../platform/platform.ts'
import { systemClock } from '../platform/system-clock.ts'
import { createOpaqueStore } from '../stores/cache-storage.ts'
import * as encryption from '../stores/encrypted.ts'
import { checkWorkerOptions, type ServiceWorkerOptions } from '../validate/worker-options.ts'
import { type Answering, answer } from './answer.ts'
import { createFollower } from './follow.ts'
import { inTime, lifetime, unlessHeldUp } from './lifetime.ts'
import { type Refresh, readMessage } from './messages.ts'
import { matchersOf, type Plan, planFor, staticRoutes } from './routes.ts'
import type { ExtendableEvent, FetchEvent, InstallEvent, MessageEvent, Scope, WorkerScope } from './scope.ts'
import { createShellStore } from './shell.ts'

const MIB = 2 ** 20

/** How long the files of an app shell may take, in milliseconds; then the next visit tries again. */
const INSTALL_MS = 300_000

/**
 * Makes a service worker a private HTTP cache. Call it once, at the top of the worker's script, with its `self`.
 *
 * Without options every GET of this origin obeys its headers, navigations included, so that pages, scripts, styles and pictures that were visited are there without a network for as long as their
 * headers allow. It shares its database with the pages' caches of the same `name`, and lets pass what these have sent. It never claims pages or skips waiting unless it is told to.
 *
 * A worker is nobody's own: it has the partition that the database belongs to, and keeps without one nothing that is `private` or was asked for with credentials. When our part fails, or the database
 * cannot be read, the request goes to the network as if there were no worker.
 *
 * @throws CacheError with code `option` when an option is wrong
 */
export function installCache(self: WorkerScope, options: ServiceWorkerOptions = {}): { readonly cache: NearCache } {
  const scope = self as Scope
  const { routes = [], claim, skipWaiting, shell, opaque, deadlineMs = 30_000, ...own } = checkWorkerOptions(options)
  const { name = 'nearcache', clock = systemClock } = own
  const here = platform()
  const send: typeof globalThis.fetch = (input, init) => (own.fetch ?? here.fetch())(input, init)
  const wired = wire(own, { freeze: (data) => data, follows: true, encryption })
  const { cache } = wired
  const { origin, href } = scope.location
  const matchers = matchersOf(routes, href)
  const follower = createFollower(wired, clock)
  const fallbacks = routes.flatMap(({ fallback }) => fallback ?? [])
  const shellStore =
    scope.caches && (shell || fallbacks.length > 0)
      ? createShellStore({
          caches: scope.caches,
          subtle: here.cipher()?.subtle,
          name,
          shell: withPages(shell, fallbacks, href),
          scope,
          clock,
          fetch: send,
        })
      : undefined
  const opaqueStore =
    scope.caches && routes.some((route) => route.opaque)
      ? createOpaqueStore({
          caches: scope.caches,
          name: `${name}-opaque`,
          clock,
          maxBytes: opaque?.maxBytes ?? 140 * MIB,
        })
      : undefined

  const isHeldUp = () => Boolean(scope.registration.waiting ?? scope.registration.installing)
  const forAsLong = (event: ExtendableEvent, work: Promise<unknown>) =>
    event.waitUntil(lifetime(work, deadlineMs, clock))

  function on<Event extends ExtendableEvent>(type: string, listener: (event: Event) => void): void {
    scope.addEventListener(type, listener)
  }

  on<InstallEvent>('install', (event) => {
    if (skipWaiting) scope.skipWaiting().catch(here.report)
    const routed = staticRoutes(routes, href)
    // Without them the worker itself leaves these requests alone.
    if (routed.length > 0) forAsLong(event, Promise.resolve(event.addRoutes?.(routed)).catch(here.report))
    if (shellStore) event.waitUntil(inTime(shellStore.install(), INSTALL_MS, clock))
  })

  on('activate', (event) => {
    const { navigationPreload } = scope.registration
    const isFirst = routes.some(
      ({ kind, strategy }) => (kind ?? 'navigation') === 'navigation' && strategy === 'network-first',
    )
    const work = Promise.all([
      claim && scope.clients.claim(),
      // What is not used would be asked for in vain.
      isFirst ? navigationPreload?.enable() : navigationPreload?.disable(),
      shellStore?.tidy(),
    ])
    forAsLong(event, work.catch(here.report))
  })

  /** A `match` of the caller's own may throw: then the request is none of ours. */
  function planned(request: Request): Plan {
    try {
      return planFor(request, matchers, origin, () => request)
    } catch (error) {
      here.report(error)
      return 'pass'
    }
  }

  on<FetchEvent>('fetch', (event) => {
    const { request } = event
    const plan = planned(request)
    if (plan === 'pass') return
    const working = new Set<Promise<unknown>>()
    const gone = new AbortController()
    const parts: Answering = {
      cache,
      core: wired.core,
      follower,
      shell: shellStore,
      opaque: opaqueStore,
      clock,
      origin,
      diskMs: own.deadlines?.diskMs ?? 50,
      languages: fieldValue(wired.core().settings.implied, 'accept-language') ?? '',
      fetch: send,
      gone: gone.signal,
      behind: (work) => {
        working.add(work)
      },
    }
    const answered = answer(event, plan, parts)
    event.respondWith(unlessHeldUp(answered, deadlineMs, clock, isHeldUp))
    const ending = answered.then(() => {
      if (request.mode === 'navigate' && shellStore) working.add(shellStore.tidy())
      // What fails behind an answer is nothing to the page that still reads it.
      return Promise.allSettled([cache.settled(), ...working])
    })
    forAsLong(event, ending)
    // Some browsers keep a worker whose stream a page still reads, whatever it was given to wait for.
    unlessHeldUp(ending, deadlineMs, clock, isHeldUp).catch((error: unknown) => gone.abort(error))
  })

  on<MessageEvent>('message', (event) => {
    const message = readMessage(event.data)
    if (message?.type === 'skip-waiting') forAsLong(event, scope.skipWaiting())
    if (message?.type === 'look') follower.doubt()
    if (message?.type === 'refresh') forAsLong(event, refresh(message.requests))
  })

  /** Does what a page has left undone: validates what it has seen to be stale. */
  async function refresh(requests: readonly Refresh[]): Promise<void> {
    follower.doubt()
    if (!(await follower.follow(true))) return
    const each = async ({ url, headers, credentials = 'same-origin' }: Refresh) => {
      const response = await cache.fetch(url, {
        headers: headers as [string, string][],
        // Whether others may have what comes is told by them (law 5).
        credentials,
        cache: 'no-cache',
        nearcache: { priority: 'background' },
      })
      // Read to its end: only what is whole is stored.
      await response.arrayBuffer()
    }
    await Promise.allSettled(requests.map(each))
    await cache.settled()
  }

  return { cache }
}

/** The shell with the fallback pages in it. */
function withPages(shell: ServiceWorkerOptions['shell'], pages: readonly string[], base: string) {
  const { version = 'pages', files = [], ...rest } = shell ?? {}
  const absolute = (url: string) => new URL(url, base).href
  const missing = pages.filter((page) => !files.some(({ url }) => absolute(url) === absolute(page)))
  return { ...rest, version, files: [...files, ...missing.map((url) => ({ url }))] }
}
