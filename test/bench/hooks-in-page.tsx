// Bundled for a page of Chromium and called by `npm run bench`; see in-chromium.ts.
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { createCache } from 'nearcache'
import { CacheProvider, useFetch } from 'nearcache/react'
import type { ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import useSWR, { SWRConfig } from 'swr'
import { pathOf, type product } from './sample.ts'

type Product = typeof product
type Hook = (url: string) => Product | undefined

const COMPONENTS = 1_000
/** So many are shown by ten components each. */
const urls = Array.from({ length: 100 }, (_, index) => location.origin + pathOf(1, `hook-${index}`))

const load = async (url: string): Promise<Product> => (await fetch(url)).json()

/** A component for each way to have the data, and what stands around them all. */
async function ways(): Promise<ReadonlyArray<{ name: string; useData: Hook; around(children: ReactNode): ReactNode }>> {
  const data = new Map(await Promise.all(urls.map(async (url) => [url, await load(url)] as const)))
  const cache = createCache({ store: 'memory' })
  await Promise.all(urls.map((url) => cache.json(url)))
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: 3_600_000 } } })
  for (const [url, one] of data) client.setQueryData([url], one)
  return [
    { name: 'React alone, the data at hand', useData: (url) => data.get(url), around: (children) => children },
    {
      name: 'nearcache, useFetch()',
      useData: (url) => useFetch<Product>(url).data,
      around: (children) => <CacheProvider cache={cache}>{children}</CacheProvider>,
    },
    {
      // As https://tanstack.com/query/latest/docs/framework/react/reference/useQuery, with data that is fresh for as long as the origin says.
      name: 'TanStack Query, useQuery()',
      useData: (url) => useQuery({ queryKey: [url], queryFn: () => load(url) }).data,
      around: (children) => <QueryClientProvider client={client}>{children}</QueryClientProvider>,
    },
    {
      name: 'SWR, useSWR()',
      useData: (url) => useSWR(url, load).data,
      // What is immutable is not asked for again at each mount: https://swr.vercel.app/docs/revalidation#disable-automatic-revalidations
      around: (children) => (
        <SWRConfig
          value={{
            provider: () => swrCache,
            fallback: Object.fromEntries(data),
            revalidateIfStale: false,
            revalidateOnFocus: false,
            revalidateOnReconnect: false,
          }}
        >
          {children}
        </SWRConfig>
      ),
    },
  ]
}

const swrCache = new Map()

/** How long 1,000 components take to be on the page, in milliseconds, round after round. */
export async function mounted(rounds: number): Promise<Record<string, number[]>> {
  const all = await ways()
  const samples: Record<string, number[]> = Object.fromEntries(all.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const { name, useData, around } of all) {
      const One = ({ url }: { url: string }) => <li>{useData(url)?.name}</li>
      const items = Array.from({ length: COMPONENTS }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: nothing moves
        <One key={index} url={urls[index % urls.length] as string} />
      ))
      const element = document.createElement('ul')
      document.body.append(element)
      const root = createRoot(element)
      const started = performance.now()
      flushSync(() => root.render(around(items)))
      samples[name]?.push(performance.now() - started)
      if (!element.lastElementChild?.textContent) throw new Error(`${name} shows nothing`)
      root.unmount()
      element.remove()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  return samples
}
