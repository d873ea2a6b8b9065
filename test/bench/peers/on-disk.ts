// Caches of a page that outlive it. Each fills its database, and reads from it in a page that was just loaded.
import { QueryClient } from '@tanstack/query-core'
import {
  experimental_createQueryPersister,
  type PersistedClient,
  type Persister,
  persistQueryClientRestore,
  persistQueryClientSave,
} from '@tanstack/query-persist-client-core'
import axios from 'axios'
import { buildStorage, type StorageValue, setupCache } from 'axios-cache-interceptor'
import { createStore, del, get, set, setMany } from 'idb-keyval'
import { createCache } from 'nearcache'
import { bytes, headers, product } from '../sample.ts'
import { fillNearcache } from '../stored-in-page.ts'

/** A cache on disk as an application uses it. */
export interface DiskPeer {
  readonly name: string
  readonly docs: string
  fill(urls: readonly string[]): Promise<void>
  /** The data of what is stored, in a page that has asked for nothing yet. */
  open(): (url: string) => Promise<unknown>
}

const maxAge = 24 * 3_600_000
const nothing = (): never => {
  throw new TypeError('Not stored')
}

/** The limit: one `get`, and what is needed to have the data. */
const bareGet: DiskPeer = {
  name: 'idb-keyval, get()',
  docs: 'https://github.com/jakearchibald/idb-keyval#custom-stores',
  fill: (urls) =>
    setMany(
      urls.map((url) => [url, bytes]),
      createStore('bare', 'keyval'),
    ),
  open() {
    const store = createStore('bare', 'keyval')
    return async (url) => JSON.parse(new TextDecoder().decode(await get(url, store)))
  },
}

const nearcache: DiskPeer = {
  name: 'nearcache, fetch().json()',
  docs: 'README.md',
  fill: (urls) => fillNearcache('nearcache', urls),
  open() {
    const cache = createCache({ fetch: nothing, disk: { maxBytes: 2 ** 31 } })
    return async (url) => (await cache.fetch(url)).json()
  },
}

const cacheApi: DiskPeer = {
  name: 'Cache API, match(), json()',
  docs: 'https://developer.mozilla.org/docs/Web/API/Cache',
  async fill(urls) {
    const storage = await caches.open('disk')
    for (let from = 0; from < urls.length; from += 100)
      await Promise.all(urls.slice(from, from + 100).map((url) => storage.put(url, new Response(bytes, { headers }))))
  },
  open() {
    const opening = caches.open('disk')
    return async (url) => ((await (await opening).match(url)) ?? nothing()).json()
  },
}

/** A persister as the page "Building a Persister" has it. */
const wholeClient = (): Persister => {
  const store = createStore('tanstack', 'client')
  return {
    persistClient: (client: PersistedClient) => set('reactQuery', client, store),
    restoreClient: () => get<PersistedClient>('reactQuery', store),
    removeClient: () => del('reactQuery', store),
  }
}

const tanstackWhole: DiskPeer = {
  name: 'TanStack Query, persistQueryClient',
  docs: 'https://tanstack.com/query/latest/docs/framework/react/plugins/persistQueryClient#building-a-persister',
  async fill(urls) {
    const queryClient = new QueryClient({ defaultOptions: { queries: { gcTime: maxAge } } })
    for (const url of urls) queryClient.setQueryData([url], structuredClone(product))
    await persistQueryClientSave({ queryClient: queryClient as never, persister: wholeClient() })
  },
  open() {
    const queryClient = new QueryClient({ defaultOptions: { queries: { gcTime: maxAge, staleTime: maxAge } } })
    const restored = persistQueryClientRestore({ queryClient: queryClient as never, persister: wholeClient(), maxAge })
    return async (url) => {
      await restored
      return queryClient.fetchQuery({ queryKey: [url], queryFn: nothing })
    }
  },
}

const perQuery = () => {
  const store = createStore('tanstack-each', 'queries')
  const storage = {
    getItem: (key: string) => get<string>(key, store),
    setItem: (key: string, value: string) => set(key, value, store),
    removeItem: (key: string) => del(key, store),
  }
  return { store, persister: experimental_createQueryPersister({ storage, maxAge }) }
}

const tanstackEach: DiskPeer = {
  name: 'TanStack Query, createQueryPersister',
  docs: 'https://tanstack.com/query/latest/docs/framework/react/plugins/createPersister',
  async fill(urls) {
    // As it writes them itself, but in one transaction.
    const client = new QueryClient()
    const { store, persister } = perQuery()
    const [first = ''] = urls
    await client.fetchQuery({ queryKey: [first], queryFn: () => product, persister: persister.persisterFn as never })
    let written: string | undefined
    const name = (url: string) => `tanstack-query-${JSON.stringify([url])}`
    while (!written) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      written = await get<string>(name(first), store)
    }
    const text = written
    await setMany(
      urls.map((url) => [name(url), text.replaceAll(first, url)]),
      store,
    )
  },
  open() {
    const client = new QueryClient()
    const { persister } = perQuery()
    return (url) =>
      client.fetchQuery({
        queryKey: [url],
        queryFn: nothing,
        staleTime: maxAge,
        persister: persister.persisterFn as never,
      })
  },
}

const axiosClient = () => {
  const store = createStore('axios', 'responses')
  const storage = buildStorage({
    find: (key) => get<StorageValue>(key, store),
    set: (key, value) => set(key, value, store),
    remove: (key) => del(key, store),
  })
  const adapter = async (config: unknown) => ({ data: product, status: 200, statusText: 'OK', headers, config })
  return { store, client: setupCache(axios.create({ adapter: adapter as never }), { storage }) }
}

const axiosOnDisk: DiskPeer = {
  name: 'axios-cache-interceptor, IndexedDB',
  docs: 'https://axios-cache-interceptor.js.org/guide/storages#indexeddb',
  async fill(urls) {
    const { client, store } = axiosClient()
    const [first = ''] = urls
    const { id } = await client.get(first, { id: first })
    const kept = await get<StorageValue>(id, store)
    await setMany(
      urls.map((url) => [url, kept]),
      store,
    )
  },
  open() {
    const { client } = axiosClient()
    return async (url) => {
      const { cached, data } = await client.get(url, { id: url })
      return cached ? data : nothing()
    }
  },
}

export const diskPeers: readonly DiskPeer[] = [bareGet, nearcache, cacheApi, tanstackWhole, tanstackEach, axiosOnDisk]
