import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnswerFacts } from '../engine/api.ts'
import type { Cause } from '../http/decide.ts'
import { type Checked, isStaleAnswer, type RequestView, type ViewState } from './request-view.ts'

/** What a component is shown of a request. */
export interface Shown {
  status: 'pending' | 'success' | 'error'
  data: unknown
  error: unknown
  isStale: boolean
  isRevalidating: boolean
  cause: Cause | undefined
  response: AnswerFacts | undefined
}

/** How a component looks at it. */
export interface LookOptions {
  readonly schema?: StandardSchemaV1 | undefined
  readonly select?: ((data: never) => unknown) | undefined
  readonly keepPrevious?: boolean | undefined
}

/**
 * How one component looks at the views that it shows, one after another: it remembers what was made of the data, and which parts of it the component has used, since
 * only those are worth another rendering.
 */
export interface Lens {
  /**
   * The same object until something changes that the component uses.
   *
   * @param isFirst - for the server and for what takes over from it: without what depends on the moment
   */
  look(view: RequestView | undefined, options: LookOptions, partition: object, isFirst?: boolean): Shown
  /** What the component gets: each part of it counts as used from the moment on when it is read. */
  track(shown: Shown): Readonly<Shown>
  /** It was painted, having been rendered in this partition: it may be kept while the next one is under way. */
  painted(shown: Shown, partition: object): void
}

/** What `select` gave, or threw. */
interface Picked {
  readonly data?: unknown
  readonly failure?: ViewState['failure']
}

function tryTo(select: NonNullable<LookOptions['select']>, value: unknown): Picked {
  try {
    return { data: select(value as never) }
  } catch (error) {
    return { failure: { error } }
  }
}

const NOTHING: ViewState = { isAsking: false }

export function createLens(): Lens {
  const used = new Set<keyof Shown>()
  const seen = [new WeakMap<object, Shown>(), new WeakMap<object, Shown>()] as const
  let before: { readonly data: unknown; readonly partition: object } | undefined
  let lastChecked: Checked | undefined
  let lastPicked: (Picked & { readonly value: unknown; readonly select: unknown }) | undefined

  /** The data as the component's schema has it; none while a schema takes its time, or refuses it: then the read will say why, or whoever looks at what `update()` has made. */
  function check(raw: unknown, schema: StandardSchemaV1 | undefined, { checked }: ViewState): Checked | undefined {
    if (!schema || raw === undefined) return { raw, value: raw }
    if (lastChecked && lastChecked.raw === raw) return lastChecked
    const result = schema['~standard'].validate(raw)
    if ('then' in result || result.issues) return checked?.raw === raw ? checked : undefined
    lastChecked = { raw, value: result.value }
    return lastChecked
  }

  function pick(value: unknown, select: LookOptions['select']): Picked {
    if (!select) return { data: value }
    if (!lastPicked || lastPicked.value !== value || lastPicked.select !== select)
      lastPicked = { value, select, ...tryTo(select, value) }
    return lastPicked
  }

  return {
    look(view, { schema, select, keepPrevious }, partition, isFirst) {
      const state = view?.state() ?? NOTHING
      const { held, peeked, response, isAsking } = state
      const checked = held && check(held.data, schema, state)
      const picked = checked && (checked.refused ? { failure: checked.refused } : pick(checked.value, select))
      const failure = state.failure ?? picked?.failure
      const kept = !checked && !failure && keepPrevious && before?.partition === partition ? before : undefined
      const now: Shown = {
        status: failure ? 'error' : checked || kept ? 'success' : 'pending',
        data: kept ? kept.data : picked?.data,
        error: failure?.error,
        isStale: !isFirst && (peeked?.stale ?? (!!kept || isStaleAnswer(response))),
        isRevalidating: !isFirst && isAsking,
        cause: isFirst ? undefined : (peeked?.cause ?? response?.cause),
        response: isFirst ? undefined : response,
      }
      const known = seen[isFirst ? 1 : 0]
      const last = known.get(view ?? NOTHING)
      if (last && [...used].every((part) => Object.is(now[part], last[part]))) return Object.assign(last, now)
      known.set(view ?? NOTHING, now)
      return now
    },
    track(shown) {
      const tracked = {}
      for (const part of Object.keys(shown) as (keyof Shown)[])
        Object.defineProperty(tracked, part, { enumerable: true, get: () => used.add(part) && shown[part] })
      return tracked as Shown
    },
    painted(shown, partition) {
      if (shown.status !== 'pending') before = { data: shown.data, partition }
    },
  }
}
