import type { CacheRequestInit, NearCache } from '../engine/api.ts'
import type { Core } from '../engine/core.ts'
import { either } from '../engine/deadlines.ts'
import { isOriginError } from '../http/decide.ts'
import type { Ms } from '../http/message.ts'
import type { Clock } from '../ports/clock.ts'
import type { OpaqueStore } from '../stores/cache-storage.ts'
import { type Carry, carry, isJustMade } from './carry.ts'
import type { Follower } from './follow.ts'
import { inTime, isDoneWithin } from './lifetime.ts'
import { answerOpaque } from './opaque.ts'
import { presentedFields } from './presented-fields.ts'
import { type Plan, ruleOf } from './routes.ts'
import type { FetchEvent } from './scope.ts'
import type { ShellStore } from './shell.ts'

/** What answering takes. */
export interface Answering {
  readonly cache: NearCache
  core(): Core
  readonly follower: Follower
  readonly shell: ShellStore | undefined
  readonly opaque: OpaqueStore | undefined
  readonly clock: Clock
  readonly origin: string
  /** How long the network waits for the disk at most, in milliseconds. */
  readonly diskMs: Ms
  /** The browser's languages, joined by commas. */
  readonly languages: string
  readonly fetch: typeof globalThis.fetch
  /** Aborts when an update has waited for too long for this answer to come to its end. */
  readonly gone: AbortSignal
  /** Keeps the worker until the work is done, within the deadline. */
  behind(work: Promise<unknown>): void
}

/**
 * One request in, one response out, whatever goes wrong with us: the app shell, the store, the network, and for a page at last the fallback page.
 *
 * @throws the network's error
 */
export async function answer(event: FetchEvent, plan: Exclude<Plan, 'pass'>, parts: Answering): Promise<Response> {
  const { shell, follower, clock, diskMs } = parts
  /** Whether it is known by now what was purged. */
  let isKnown = false
  const isNew = (early: Response) =>
    isKnown && isJustMade(early, clock.now(), parts.core().store.log(), follower.leftAt())
  const carried = carry(event, parts.fetch, clock, isNew)
  try {
    const file = await fromShell(shell?.answer(event), clock)
    if (file) return file
    const looking = follower.follow(plan.kind === 'navigation')
    isKnown = looking === true
    if (looking === true) return await stored(event, plan, carried, parts)
    looking.then((isThere) => {
      isKnown = isThere
    })
    // A disk that hangs costs `diskMs`; when the network fails as well, what the disk has is waited for after all.
    if (!(await isDoneWithin(looking, diskMs, clock))) {
      const early = await carried.asNew().catch(() => undefined)
      if (early) return early
    }
    return (await looking) ? await stored(event, plan, carried, parts) : await carried.asNew()
  } catch (error) {
    const fallback = plan.route?.fallback
    const page = fallback && (await fromShell(shell?.fallback(fallback, event), clock))
    if (!page) throw error
    return page
  }
}

/** How long the app shell is waited for, in milliseconds: nothing else has the page's very deploy, so a slow one is no reason to do without. */
const SHELL_MS: Ms = 5_000

const fromShell = (file: Promise<Response | undefined> | undefined, clock: Clock): Promise<Response | undefined> =>
  file ? inTime(file, SHELL_MS, clock).catch(() => undefined) : Promise.resolve(undefined)

/** What the store and the origin say, by the route. */
async function stored(
  event: FetchEvent,
  { route, kind }: Exclude<Plan, 'pass'>,
  carried: Carry,
  parts: Answering,
): Promise<Response> {
  const { cache, core, clock, opaque, origin, languages, diskMs } = parts
  const { request } = event
  try {
    const url = request.url.split('#', 1)[0] as string
    const sameOrigin = new URL(url).origin === origin
    if (route?.opaque && !sameOrigin && request.mode === 'no-cors') {
      if (!opaque) return await carried.asIs()
      const { response, behind } = await answerOpaque({
        url,
        route,
        carry: carried,
        store: opaque,
        core: core(),
        clock,
        diskMs,
      })
      if (behind) parts.behind(behind)
      return response
    }
    const init: CacheRequestInit = {
      headers: presentedFields(request, languages) as [string, string][],
      cache: request.cache,
      redirect: request.redirect,
      // The page's own cookies go along as usual. A script that asks for them by name says that the answer is one user's.
      credentials:
        kind !== 'api' && sameOrigin && request.credentials === 'include' ? 'same-origin' : request.credentials,
      signal: either(request.signal, parts.gone),
      nearcache: { fetch: carried.fetch, ...(route && { rule: ruleOf(route) }) },
    }
    const response = await fetched(url, init, kind !== 'api', cache)
    return carried.untouched(response) ?? response
  } catch (error) {
    if (request.signal.aborted || carried.isFinal(error)) throw error
    // It was us, or the conditions that we have put on it.
    return carried.asNew()
  }
}

/** A reload by the user wants it confirmed; when the origin cannot, what may be used without that is shown. A script that asks for confirmation means it. */
async function fetched(url: string, init: CacheRequestInit, isLoad: boolean, cache: NearCache): Promise<Response> {
  const isReload = isLoad && (init.cache === 'no-cache' || init.cache === 'reload')
  if (!isReload) return cache.fetch(url, init)
  const again = () => cache.fetch(url, { ...init, cache: 'default' })
  const response = await cache.fetch(url, { ...init, cache: 'no-cache' }).catch((error: unknown) =>
    again().catch(() => {
      throw error
    }),
  )
  if (!isOriginError(response.status)) return response
  const instead = await again().catch(() => undefined)
  return instead?.ok ? instead : response
}
