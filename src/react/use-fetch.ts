import type { StandardSchemaV1 } from '@standard-schema/spec'
import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { AnswerFacts } from '../engine/api.ts'
import type { Cause } from '../http/decide.ts'
import type { Ms } from '../http/message.ts'
import { useViews } from './context.ts'
import { createLens, type LookOptions, nothing, type Seen, type Shown } from './lens.ts'
import type { ViewOptions } from './request-view.ts'
import type { Views } from './views.ts'

/**
 * What `useFetch()` takes: the init of `fetch`, and how the component looks at the answer. It may be another object with each rendering.
 *
 * `schema` (Standard Schema) checks and transforms the JSON, once for a body; one that is written inside the component is taken for the same as before. What it refuses is an error, and is not
 * stored. All who show one request share its reads: give them one schema. `select` gives the part that the component wants, and what it throws is an `error`; it runs again when the body
 * changes, or when it is another function: one that makes new objects belongs outside of the component, or into `useCallback()`.
 */
export interface UseFetchOptions extends ViewOptions {
  /** Accept a response that has been stale for this long, in milliseconds: this view asks the origin later than others. @default none */
  maxStaleMs?: Ms
  /** While another request than before is under way, go on showing the data of the one before; `isStale` says so. @default false */
  keepPrevious?: boolean
}

/** What a component can do beside reading. */
interface Means {
  /** How old the response is that is shown, in milliseconds (RFC 9111 §4.2.3). Live: looking at it causes no rendering. */
  readonly ageMs: Ms | undefined
  /** Asks the origin, however fresh the stored response is. Resolves when it has answered, or failed; never rejects. */
  refresh(): Promise<void>
}

/** Only JSON is changed by hand: what is read as text or as a blob has no `update()`. */
type Changes<Raw> = [Raw] extends [never]
  ? unknown
  : {
      /** An optimistic value, as `cache.update()`. Changes what is stored, before schema and `select`; does nothing while memory has no JSON of it. */
      update(change: (data: Raw) => Raw): { rollback(): void }
    }

interface Facts {
  /** Whether what is shown would need the origin, or be served stale, if it were read now (RFC 9111 §4.2). */
  readonly isStale: boolean
  /** Whether the origin is being asked. */
  readonly isRevalidating: boolean
  /** Why a read at this moment would be answered as it would; for what memory does not have, why the last one was. `undefined` in the first rendering on a server and after it. */
  readonly cause: Cause | undefined
  /** Cause, status and headers of the last answer. */
  readonly response: AnswerFacts | undefined
}

/**
 * What a component is shown. It renders again only when a part changes that it has used: one that uses `data` alone does not notice a 304; one that spreads
 * the result uses all of it. Time alone renders nothing: what becomes stale is seen with the next event, or the next rendering.
 *
 * `error` with `data`: what is shown was read before, and the last read failed.
 */
export type FetchResult<T, Raw = T> = Means &
  Changes<Raw> &
  Facts &
  (
    | { readonly status: 'pending'; readonly data: undefined; readonly error: undefined }
    | { readonly status: 'success'; readonly data: T; readonly error: undefined }
    | { readonly status: 'error'; readonly data: T | undefined; readonly error: unknown }
  )

/** As `FetchResult`, for a component that is rendered only when there is data. */
export type SuspenseFetchResult<T, Raw = T> = Means &
  Changes<Raw> &
  Facts & { readonly status: 'success' | 'error'; readonly data: T; readonly error: unknown }

type Input = RequestInfo | URL
type Json = { as?: 'json' | undefined }

/** The view of a request, what is shown of it, and the same as the component uses it. */
function useView(views: Views, view: Seen, options: LookOptions): { readonly shown: Shown; readonly result: Shown } {
  const lens = useMemo(() => createLens(view), [view])
  const painted = useRef<{ readonly data: unknown; readonly partition: object }>(undefined)
  const partition = views.partition()
  const look = (isFirst?: boolean) =>
    lens.look(options, painted.current?.partition === partition ? painted.current : undefined, isFirst)
  const result = useSyncExternalStore(view.watch, look, () => look(true))
  const shown = lens.shown()
  useEffect(() => {
    if (shown.status !== 'pending') painted.current = { data: shown.data, partition }
  })
  return { shown, result }
}

/**
 * Reads a URL through the cache and stays with it. What memory holds is there at the first rendering; what is stored, confirmed, purged or changed is shown when it happens.
 * When to ask the origin is the cache's decision, by the response's headers.
 *
 * Everyone who shows the same request with the same options shares one read; `select` and `keepPrevious` are each one's own. The last one to leave aborts it, if nobody else waits.
 *
 * @param input - `null`: nothing to read yet; `status` is then `pending`
 * @throws `CacheError` with code `option` where no `CacheProvider` is above; nothing else: what went wrong is in `error`
 */
export function useFetch<S extends StandardSchemaV1, Out = StandardSchemaV1.InferOutput<S>>(
  input: Input | null,
  options: UseFetchOptions & Json & { schema: S; select?: (data: StandardSchemaV1.InferOutput<S>) => Out },
): FetchResult<Out, StandardSchemaV1.InferInput<S>>
export function useFetch<T, Out>(
  input: Input | null,
  options: UseFetchOptions & Json & { schema?: undefined; select: (data: T) => Out },
): FetchResult<Out, T>
export function useFetch<Out = string>(
  input: Input | null,
  options: UseFetchOptions & { as: 'text'; schema?: undefined; select?: (data: string) => Out },
): FetchResult<Out, never>
export function useFetch<Out = Blob>(
  input: Input | null,
  options: UseFetchOptions & { as: 'blob'; schema?: undefined; select?: (data: Blob) => Out },
): FetchResult<Out, never>
export function useFetch<T = unknown>(
  input: Input | null,
  options?: UseFetchOptions & Json & { schema?: undefined; select?: undefined },
): FetchResult<T>
export function useFetch(input: Input | null, options: UseFetchOptions & LookOptions = {}): unknown {
  const views = useViews()
  return useView(views, input === null ? nothing : views.of(input, options), options).result
}

/**
 * The same for `<Suspense>`: suspends until there is data. On a server it waits, too. An error without data goes to the error boundary; when that is reset, the origin is asked again.
 *
 * @throws what the read threw, when there is nothing to show
 */
export function useSuspenseFetch<S extends StandardSchemaV1, Out = StandardSchemaV1.InferOutput<S>>(
  input: Input,
  options: UseFetchOptions & Json & { schema: S; select?: (data: StandardSchemaV1.InferOutput<S>) => Out },
): SuspenseFetchResult<Out, StandardSchemaV1.InferInput<S>>
export function useSuspenseFetch<T, Out>(
  input: Input,
  options: UseFetchOptions & Json & { schema?: undefined; select: (data: T) => Out },
): SuspenseFetchResult<Out, T>
export function useSuspenseFetch<Out = string>(
  input: Input,
  options: UseFetchOptions & { as: 'text'; schema?: undefined; select?: (data: string) => Out },
): SuspenseFetchResult<Out, never>
export function useSuspenseFetch<Out = Blob>(
  input: Input,
  options: UseFetchOptions & { as: 'blob'; schema?: undefined; select?: (data: Blob) => Out },
): SuspenseFetchResult<Out, never>
export function useSuspenseFetch<T = unknown>(
  input: Input,
  options?: UseFetchOptions & Json & { schema?: undefined; select?: undefined },
): SuspenseFetchResult<T>
export function useSuspenseFetch(input: Input, options: UseFetchOptions & LookOptions = {}): unknown {
  const views = useViews()
  const view = views.of(input, options)
  const { shown, result } = useView(views, view, options)
  const { status, data, error } = shown
  const isDue = view.isDue()
  // What was read before a failure is no answer for somebody else.
  if (!isDue && (status === 'success' || (data !== undefined && !views.isServer))) return result
  if (isDue || status === 'pending' || view.isForgotten()) throw view.settled()
  view.forget()
  throw error
}
