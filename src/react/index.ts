'use client'

export { CacheProvider, type CacheProviderProps, useCache } from './context.ts'
export {
  type FetchResult,
  type SuspenseFetchResult,
  type UseFetchOptions,
  useFetch,
  useSuspenseFetch,
} from './use-fetch.ts'
