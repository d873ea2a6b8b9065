/** A record while it is built: an optional field may be `undefined` or `false`. */
type Draft<T> = {
  readonly [K in keyof T]: T[K] | (Record<never, never> extends Pick<T, K> ? undefined | false : never)
}

/**
 * The fields that are given: `undefined` and `false` are left out, so that absent means absent in memory, on disk and in comparisons; also where someone has put
 * a field of that name on `Object.prototype`.
 */
export const given = <T extends object>(draft: Draft<T>): T =>
  bare(Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined && value !== false))) as T

/** An object that inherits nothing. `Object.create(null)` would do, but engines keep such objects in a slower form. */
const Bare = function Bare() {} as unknown as new () => object
Bare.prototype = Object.freeze(Object.create(null))

/** The same fields, and none that anything inherits. */
export const bare = <T extends object>(fields: T): T => Object.assign(new Bare(), fields) as T
