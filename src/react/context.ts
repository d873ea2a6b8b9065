import { createContext, createElement, type ReactNode, useContext, useMemo } from 'react'
import type { NearCache } from '../engine/api.ts'
import { CacheError } from '../errors.ts'
import { pageEvents } from '../platform/page-events.ts'
import { platform } from '../platform/platform.ts'
import { systemClock } from '../platform/system-clock.ts'
import { createViews, type Views } from './views.ts'

/** Not public: tests put views with a clock of their own here. */
export const ViewsContext = createContext<Views | undefined>(undefined)

/** One set of views for each cache, for as long as the cache lives. */
const viewsByCache = new WeakMap<NearCache, Views>()

/** In a page. What React renders on a server is one page for one user: nothing of it is there for the next one. */
function viewsOf(cache: NearCache): Views {
  const isServer = typeof window === 'undefined'
  const { random, base } = platform()
  const known = isServer ? undefined : viewsByCache.get(cache)
  const views = known ?? createViews(cache, { clock: systemClock, random, page: pageEvents, base, isServer })
  viewsByCache.set(cache, views)
  return views
}

/** What `CacheProvider` takes. */
export interface CacheProviderProps {
  /** The cache that the hooks below use. On a server: one for each request, or one for all when nothing in it is one user's. */
  readonly cache: NearCache
  readonly children?: ReactNode
}

/** Gives a cache to `useFetch()`, `useSuspenseFetch()` and `useCache()` below it. */
export const CacheProvider = ({ cache, children }: CacheProviderProps): ReactNode =>
  createElement(ViewsContext.Provider, { value: useMemo(() => viewsOf(cache), [cache]) }, children)

/** @throws CacheError with code `option` where no `CacheProvider` is above */
export function useViews(): Views {
  const views = useContext(ViewsContext)
  if (!views)
    throw new CacheError(
      'option',
      'No cache above this component: put <CacheProvider cache={createCache()}> around it',
      {
        path: 'cache',
      },
    )
  return views
}

/**
 * The cache of the nearest `CacheProvider`: for writes, purges, partitions.
 *
 * @throws `CacheError` with code `option` where there is none
 */
export const useCache = (): NearCache => useViews().cache
