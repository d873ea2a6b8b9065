import type { Rule } from '../engine/options.ts'
import type { Ms } from '../http/message.ts'

/** What one path of the world says of its responses, and what is known of it here. Durations in milliseconds; `undefined`: nothing. */
export interface Route {
  readonly path: string
  readonly cacheControl?: string
  readonly lifetimeMs: Ms
  readonly swrMs?: Ms
  readonly sieMs?: Ms
  readonly tag?: string
  /** Whether each use needs the origin's word. */
  readonly isAsked?: boolean
  /** Whether none of it may lie on the disk: each context then asks for itself. */
  readonly isOffDisk?: boolean
}

/** What the world's own paths say. */
export const routes: readonly Route[] = [
  { path: '/world/fresh', cacheControl: 'max-age=30', lifetimeMs: 30_000 },
  { path: '/world/behind', cacheControl: 'max-age=5, stale-while-revalidate=30', lifetimeMs: 5_000, swrMs: 30_000 },
  { path: '/world/on-error', cacheControl: 'max-age=5, stale-if-error=60', lifetimeMs: 5_000, sieMs: 60_000 },
  { path: '/world/tagged', cacheControl: 'max-age=60', lifetimeMs: 60_000, tag: 'shelf' },
  { path: '/world/asked', cacheControl: 'no-cache', lifetimeMs: 0, isAsked: true },
  { path: '/world/unstored', cacheControl: 'no-store', lifetimeMs: 0, isAsked: true, isOffDisk: true },
  { path: '/world/ruled', lifetimeMs: 20_000, swrMs: 20_000, tag: 'shelf' },
  { path: '/world/in-memory', cacheControl: 'max-age=30', lifetimeMs: 30_000, isOffDisk: true },
  { path: '/world/pinned', cacheControl: 'max-age=40', lifetimeMs: 40_000 },
  { path: '/world/few/1', cacheControl: 'max-age=40', lifetimeMs: 40_000 },
  { path: '/world/few/2', cacheControl: 'max-age=40', lifetimeMs: 40_000 },
]

/** What the caches know of them beyond what the origin says. */
export const rules: readonly Rule[] = [
  { match: '/world/ruled', maxAgeMs: 20_000, staleWhileRevalidateMs: 20_000, tags: ['shelf'] },
  { match: '/world/in-memory', durable: false },
  { match: '/world/pinned', pinned: true },
  { match: '/world/few/*', maxKeys: 1 },
]

export const paths: readonly string[] = routes.map(({ path }) => path)
