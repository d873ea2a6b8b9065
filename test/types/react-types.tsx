/**
 * What must and must not compile for a user of the hooks. `npm run check:types` is the test: a line under `@ts-expect-error` that compiles is an error, and so is any other line that does not.
 */
import * as z from 'zod'
import type { NearCache } from '../../src/index.ts'
import { CacheProvider, type useCache, useFetch, useSuspenseFetch } from '../../src/react/index.ts'

interface Product {
  readonly id: number
  readonly name: string
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** Compiles only when `T` is `true`. */
function holds<T extends true>(): T | undefined {
  return undefined
}

export function Data() {
  const unchecked = useFetch('/api/product/42')
  holds<Equal<typeof unchecked.data, unknown>>()
  // @ts-expect-error nothing is known of a body without a schema
  unchecked.data.id

  const product = useFetch<Product>('/api/product/42')
  holds<Equal<typeof product.data, Product | undefined>>()
  // @ts-expect-error there may be nothing yet
  product.data.id
  if (product.status === 'success') holds<Equal<typeof product.data, Product>>()
  if (product.status === 'pending') holds<Equal<typeof product.data, undefined>>()
  // @ts-expect-error not a status
  product.status === 'loading'
  // @ts-expect-error what is shown belongs to everyone
  product.isStale = true
  holds<Equal<typeof product.ageMs, number | undefined>>()
  holds<Equal<ReturnType<typeof product.refresh>, Promise<void>>>()

  const { status, data } = product
  if (status === 'success') holds<Equal<typeof data, Product>>()

  product.update((one) => ({ ...one, name: 'Cup' })).rollback()
  // @ts-expect-error the change gives what it was given
  product.update(() => 'Cup')

  // a schema's output is shown, its input is what update() changes
  const schema = z.object({ at: z.string().transform((text) => new Date(text)) })
  const checked = useFetch('/api/at', { schema })
  holds<Equal<typeof checked.data, { at: Date } | undefined>>()
  checked.update(({ at }) => ({ at: `${at}Z` }))
  // @ts-expect-error a schema is an object with '~standard'
  useFetch('/api/at', { schema: { parse: () => 1 } })

  const year = useFetch('/api/at', { schema, select: ({ at }) => at.getFullYear() })
  holds<Equal<typeof year.data, number | undefined>>()
  const name = useFetch('/api/product/42', { select: (one: Product) => one.name })
  holds<Equal<typeof name.data, string | undefined>>()
  name.update((one) => ({ ...one, id: 7 }))

  const text = useFetch('/page', { as: 'text' })
  holds<Equal<typeof text.data, string | undefined>>()
  const blob = useFetch('/picture', { as: 'blob', select: (one) => one.size })
  holds<Equal<typeof blob.data, number | undefined>>()
  // @ts-expect-error only JSON has a schema
  useFetch('/page', { as: 'text', schema })
  // @ts-expect-error json, text or blob
  useFetch('/page', { as: 'xml' })

  // @ts-expect-error only JSON is changed by hand
  text.update((all) => all)
  // @ts-expect-error only JSON is changed by hand
  blob.update((all) => all)
  // @ts-expect-error a blob is selected from
  useFetch('/picture', { as: 'blob', select: (all: string) => all })
  // @ts-expect-error what the schema gives is selected from
  useFetch('/api/at', { schema, select: ({ at }: { at: string }) => at })
  // @ts-expect-error update() changes what the schema takes
  checked.update(() => ({ at: new Date() }))
  // @ts-expect-error update() gives back what takes the change back
  product.update((one) => one).then
  // @ts-expect-error there may be nothing, when there is an error
  if (product.status === 'error') product.data.id
  if (product.status === 'success') holds<Equal<typeof product.error, undefined>>()
  // @ts-expect-error a result is not written to
  product.data = { id: 1, name: 'Cup' }
  // @ts-expect-error it goes past what is fresh, always
  product.refresh({ force: true })

  useFetch(null)
  useFetch(new URL('https://shop.example/'), { headers: { accept: 'application/json' }, keepPrevious: true })
  // @ts-expect-error a conditional input is null, not undefined
  useFetch(undefined)
  // @ts-expect-error a hook reads
  useFetch('/api/cart', { method: 'POST' })
  // @ts-expect-error the hook has its own signal
  useFetch('/api/cart', { signal: new AbortController().signal })
  // @ts-expect-error durations are in milliseconds and their names say so
  useFetch('/api/cart', { maxStale: 1 })
  // @ts-expect-error a misspelt option
  useFetch('/api/cart', { readOnFocused: true })
  // @ts-expect-error milliseconds are a number
  useFetch('/api/cart', { readEveryMs: '1s' })
  // @ts-expect-error a hook sends nothing
  useFetch('/api/cart', { body: '{}' })
  // @ts-expect-error what is checked by the browser is not for the cache
  useFetch('/api/cart', { integrity: 'sha256-…' })
  // @ts-expect-error the hook listens itself: it is response
  useFetch('/api/cart', { nearcache: { onAnswer() {} } })
  // @ts-expect-error kept or not
  useFetch('/api/cart', { keepPrevious: 'yes' })
  return null
}

export function Waiting() {
  const product = useSuspenseFetch<Product>('/api/product/42')
  holds<Equal<typeof product.data, Product>>()
  holds<Equal<typeof product.status, 'success' | 'error'>>()
  // @ts-expect-error it would wait for ever
  useSuspenseFetch(null)
  // @ts-expect-error rendered means that there is something
  product.status === 'pending'
  // @ts-expect-error only JSON is changed by hand
  useSuspenseFetch('/page', { as: 'text' }).update((all) => all)
  // @ts-expect-error nothing is known of a body without a schema
  useSuspenseFetch('/api/product/42').data.id
  const name = useSuspenseFetch('/api/product/42', { select: (one: Product) => one.name })
  holds<Equal<typeof name.data, string>>()
  return product.data.name
}

export function Cache({ cache }: { cache: NearCache }) {
  holds<Equal<ReturnType<typeof useCache>, NearCache>>()
  // @ts-expect-error a cache, not its options
  const wrong = <CacheProvider cache={{ name: 'shop' }}>{null}</CacheProvider>
  // @ts-expect-error a provider provides something
  const none = <CacheProvider />
  return (
    <CacheProvider cache={cache}>
      {none}
      {wrong}
    </CacheProvider>
  )
}
