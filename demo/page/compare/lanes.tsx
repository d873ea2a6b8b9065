import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { createCache, type NearCache } from 'nearcache'
import { CacheProvider, useFetch } from 'nearcache/react'
import { useEffect, useState } from 'react'
import { clock } from '../clock.ts'
import type { Answer, Lane } from './lane.ts'

async function readJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return response.json()
}

function useEffectFetch<T>(path: string): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ data: undefined, failed: false })
  useEffect(() => {
    const gone = new AbortController()
    readJson<T>(path, gone.signal).then(
      (data) => setAnswer({ data, failed: false }),
      () => gone.signal.aborted || setAnswer({ data: undefined, failed: true }),
    )
    return () => gone.abort()
  }, [path])
  return answer
}

function useTanStack<T>(path: string): Answer<T> {
  const { data, isError } = useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => readJson<T>(path, signal),
    // As it comes, but for the retries, which would hide for seconds that there is nothing to show.
    retry: false,
  })
  return { data, failed: isError }
}

function useNearcache<T>(path: string): Answer<T> {
  const { data, error } = useFetch<T>(path)
  return { data, failed: error !== undefined }
}

let cache: NearCache | undefined

/** The same screen, read in three ways. */
export const lanes: readonly Lane[] = [
  {
    id: 'fetch',
    name: 'Plain fetch',
    code: 'useEffect(() => { fetch(path) … })',
    begin: async () => (screen) => screen,
    useRead: useEffectFetch,
  },
  {
    id: 'tanstack',
    name: 'TanStack Query',
    code: 'useQuery({ queryKey: [path], queryFn })',
    begin: async () => {
      const client = new QueryClient()
      return (screen) => <QueryClientProvider client={client}>{screen}</QueryClientProvider>
    },
    useRead: useTanStack,
  },
  {
    id: 'nearcache',
    name: 'nearcache',
    code: 'useFetch(path)',
    begin: async () => {
      await cache?.settled()
      await cache?.close()
      const begun = createCache({ name: 'compare', clock, deadlines: { softMs: 800, diskMs: 500 } })
      cache = begun
      return (screen) => <CacheProvider cache={begun}>{screen}</CacheProvider>
    },
    useRead: useNearcache,
  },
]
