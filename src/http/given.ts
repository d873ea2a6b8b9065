/** A record while it is built: an optional field may be `undefined` or `false`. */
type Draft<T> = {
  readonly [K in keyof T]: T[K] | (Record<never, never> extends Pick<T, K> ? undefined | false : never)
}

/**
 * The fields that are given: `undefined` and `false` are left out, so that absent means absent in memory, on disk and in comparisons.
 */
export const given = <T extends object>(draft: Draft<T>): T =>
  Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined && value !== false)) as T
