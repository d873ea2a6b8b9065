import { QueryClient, type QueryFunctionContext } from '@tanstack/react-query'
import type { NearCache } from 'nearcache'

/** TanStack Query in front of nearcache: the key is the URL, and a query is stale when its response's headers say so. */
export function queryClientOver(cache: NearCache): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        queryFn: ({ queryKey, signal }: QueryFunctionContext) => cache.json(String(queryKey[0]), { signal }),
        staleTime: ({ queryKey }) => (cache.peek(String(queryKey[0]))?.stale === false ? Number.POSITIVE_INFINITY : 0),
      },
    },
  })
}
