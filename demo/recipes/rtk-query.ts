import { fetchBaseQuery } from '@reduxjs/toolkit/query'
import type { NearCache } from 'nearcache'

/** RTK Query in front of nearcache: its base query asks through the cache. */
export const baseQueryOver = (cache: NearCache, baseUrl: string) => fetchBaseQuery({ baseUrl, fetchFn: cache.fetch })
