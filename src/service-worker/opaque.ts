import type { Core } from '../engine/core.ts'
import type { Ms } from '../http/message.ts'
import { purgeEffect } from '../http/purge-effect.ts'
import type { Clock } from '../ports/clock.ts'
import type { OpaqueStore } from '../stores/cache-storage.ts'
import type { Route } from '../validate/worker-options.ts'
import type { Carry } from './carry.ts'
import { inTime, isDoneWithin } from './lifetime.ts'

/** How long a response that nobody can look into is used, where its route does not say, in milliseconds. */
const DAY: Ms = 86_400_000

/** One request, and what answering it takes. */
export interface OpaqueRequest {
  readonly url: string
  readonly route: Route
  readonly carry: Carry
  readonly store: OpaqueStore
  readonly core: Core
  readonly clock: Clock
  /** How long Cache Storage is waited for while there is a network, in milliseconds. */
  readonly diskMs: Ms
}

/** What to do with a response for which the route alone gives lifetimes. */
export interface OpaqueAnswer {
  readonly response: Response
  /** What goes on after it: keeping it, or refreshing it. */
  readonly behind?: Promise<unknown>
}

/** How long what is stored is waited for when the network has failed, in milliseconds. */
const LATE_MS: Ms = 5_000

/**
 * A cross-origin response without CORS, by its route: fresh for `maxAgeMs`, then as `staleWhileRevalidateMs` and `staleIfErrorMs` say. Everything that is purged by URL, pattern or all is not used
 * any more, in whichever mode: it cannot be validated. What turns out not to be opaque is not kept here. A Cache Storage that hangs is waited for no longer than `diskMs`; when the network fails as
 * well, for a few seconds more.
 *
 * @throws what the network throws, when nothing may be served instead
 */
export async function answerOpaque(asked: OpaqueRequest): Promise<OpaqueAnswer> {
  const { url, store, core, clock, diskMs } = asked
  const looking = store.match(url, core.place.partition).catch(() => undefined)
  if (await isDoneWithin(looking, diskMs, clock)) return answerFrom(await looking, asked)
  try {
    return await answerFrom(undefined, asked)
  } catch (error) {
    const late = await inTime(looking, LATE_MS, clock).catch(() => undefined)
    if (!late) throw error
    return answerFrom(late, asked)
  }
}

type Found = Awaited<ReturnType<OpaqueStore['match']>>

async function answerFrom(
  found: Found,
  { url, route, carry, store, core, clock }: OpaqueRequest,
): Promise<OpaqueAnswer> {
  const { partition } = core.place
  const { maxAgeMs = DAY, staleWhileRevalidateMs = 0, staleIfErrorMs = 0 } = route
  const effect = found && purgeEffect({ ...found.entry, tags: route.tags ?? [] }, core.store.log())
  const held = effect ? undefined : found
  // A clock that was set back makes it look younger than it is.
  const age = held ? clock.now() - held.entry.storedAt : 0
  const staleFor = held && age >= 0 ? age - Math.min(held.entry.lifetimeMs, maxAgeMs) : Number.POSITIVE_INFINITY

  async function bring(): Promise<OpaqueAnswer> {
    const epoch = core.store.epoch()
    const response = await carry.asNew(effect?.mode === 'hard' ? 'reload' : 'no-cache')
    if (response.type !== 'opaque') return { response }
    const entry = { url, storedAt: clock.now(), lifetimeMs: maxAgeMs, epoch }
    return { response, behind: store.put(entry, response.clone(), partition) }
  }

  if (held && staleFor < 0) return { response: held.response }
  if (held && staleFor < staleWhileRevalidateMs)
    return { response: held.response, behind: bring().then(({ behind }) => behind) }
  try {
    return await bring()
  } catch (error) {
    if (held && staleFor < staleIfErrorMs) return { response: held.response }
    // What the browser has below may be old, but is nobody's, and was not purged.
    if (core.store.log().last === 0 && !core.store.hasBeenEntered()) return { response: await carry.asIs() }
    throw error
  }
}
