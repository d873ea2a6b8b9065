import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnswerFacts } from '../engine/api.ts'
import type { Cause } from '../http/decide.ts'
import type { Ms } from '../http/message.ts'
import type { RequestView, ViewState } from './request-view.ts'

/** What a component is shown of a request. */
export interface Shown {
  status: 'pending' | 'success' | 'error'
  data: unknown
  error: unknown
  isStale: boolean
  isRevalidating: boolean
  cause: Cause | undefined
  response: AnswerFacts | undefined
  /** Live: whoever reads it gets that of the moment. */
  ageMs: Ms | undefined
  refresh(): Promise<void>
  update(change: (data: never) => unknown): { rollback(): void }
}

/** How a component looks at it. */
export interface LookOptions {
  readonly schema?: StandardSchemaV1 | undefined
  readonly select?: ((data: never) => unknown) | undefined
  readonly keepPrevious?: boolean | undefined
}

/** What a lens needs of a view. */
export type Seen = Pick<RequestView, 'state' | 'ageMs' | 'check' | 'watch' | 'refresh' | 'update' | 'isOver'>

/** Where there is nothing to read yet. */
export const nothing: Seen = {
  state: () => ({}),
  ageMs: () => undefined,
  check: (raw) => ({ raw }),
  watch: () => () => {},
  refresh: async () => {},
  update: () => ({ rollback() {} }),
  isOver: () => false,
}

/** Data that was painted, of another request perhaps. */
interface Painted {
  readonly data: unknown
}

/** How one component looks at one view: it remembers what was made of the data, and which parts of the result the component has used, since only those are worth another rendering. */
export interface Lens {
  /**
   * What the component gets: each part of it counts as used from the moment on when it is read. The same object until something changes that the component uses.
   *
   * @param before - what may be kept while there is nothing else
   * @param isFirst - for the server and for what takes over from it: without what depends on the moment
   */
  look(options: LookOptions, before?: Painted, isFirst?: boolean): Shown
  /** The same of the last look, without using it. */
  shown(): Shown
}

/** Answers that were stale when they were given. */
const STALE = /^(stale|soft|off|max-)/

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

export function createLens(view: Seen): Lens {
  const used = new Set<keyof Shown>()
  let shown: Shown
  let tracked: Shown | undefined
  let lastChecked: { readonly raw: unknown; readonly data: unknown } | undefined
  let lastPicked: (Picked & { readonly value: unknown; readonly select: unknown }) | undefined

  /** The data as the component's schema has it; none while a schema takes its time, or refuses it: then the read says why. */
  function check(raw: unknown, schema: StandardSchemaV1 | undefined): Picked | undefined {
    if (!schema || raw === undefined) return { data: raw }
    if (lastChecked && lastChecked.raw === raw) return lastChecked
    const result = view.check(raw, schema).result
    if (!result || result.issues) return undefined
    lastChecked = { raw, data: result.value }
    return lastChecked
  }

  function pick(value: unknown, select: LookOptions['select']): Picked {
    if (!select) return { data: value }
    if (!lastPicked || lastPicked.value !== value || lastPicked.select !== select)
      lastPicked = { value, select, ...tryTo(select, value) }
    return lastPicked
  }

  function see({ schema, select, keepPrevious }: LookOptions, before?: Painted, isFirst?: boolean): Shown {
    const state = view.state()
    const { held } = state
    const checked = held && check(held.data, schema)
    const picked = checked && pick(checked.data, select)
    const failure = state.failure ?? picked?.failure
    const kept = checked || failure || !keepPrevious ? undefined : before
    const { peeked, response, isAsking = false }: ViewState = isFirst ? {} : state
    return {
      status: failure ? 'error' : checked || kept ? 'success' : 'pending',
      data: (kept ?? picked)?.data,
      error: failure?.error,
      isStale: peeked?.stale ?? (!!kept || STALE.test(response?.cause ?? '')),
      isRevalidating: isAsking,
      cause: peeked?.cause ?? response?.cause,
      response,
      ageMs: undefined,
      refresh: view.refresh,
      update: view.update,
    }
  }

  return {
    look(...how) {
      const now = see(...how)
      if (tracked && !view.isOver() && [...used].every((part) => Object.is(now[part], shown[part]))) {
        Object.assign(shown, now)
        return tracked
      }
      shown = now
      tracked = new Proxy(now, {
        get(_, part: keyof Shown) {
          used.add(part)
          return part === 'ageMs' ? view.ageMs() : now[part]
        },
      })
      return tracked
    },
    shown: () => shown,
  }
}
